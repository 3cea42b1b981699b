//! The features of a row: of several chains, averaged over mirror images and regions.

use crate::data::{Labeled, Parts};
use anyhow::{Context, Result, ensure};

use crate::reproduce::{
    config::{Evaluation, Row},
    lab::Lab,
};

/// Refuses a row whose features cannot be computed or judged, before any stage trains.
pub(crate) fn check(lab: &Lab, row: &Row) -> Result<()> {
    lab.check()?;
    let [_, validation, _] = lab.sizes()?.counts;
    let chosen = !row.evaluate.contains(&Evaluation::Ridge) || validation > 0;
    ensure!(chosen, "ridge regression chooses its penalty on validation images; there are 0");
    for block in &row.at {
        lab.check_regions(block, row.regions).with_context(|| format!("at `{block}`"))?;
    }
    for branch in &row.beside {
        let net = branch.net(lab.net)?;
        let other = lab.beside(&net, branch);
        let checked = other.check().and_then(|()| other.check_regions(&branch.at, branch.regions));
        checked.with_context(|| format!("beside, `{}`", branch.at))?;
    }
    Ok(())
}

/// Computes the outputs of blocks that a row's classifiers see in one pass, as far as they were not kept.
pub(crate) fn keep(lab: &Lab, row: &Row, blocks: &[String]) -> Result<()> {
    if lab.stages.is_empty() {
        return Ok(());
    }
    let numbers = blocks.iter().map(|block| lab.net.index(block)).collect::<Result<Vec<_>>>()?;
    lab.keep_features(&numbers)?;
    if row.mirror { lab.mirrored(true).keep_features(&numbers) } else { Ok(()) }
}

/// What a row's classifiers see at a block.
pub(crate) fn of(lab: &Lab, row: &Row, block: &str) -> Result<Parts> {
    let mut features = chain(lab, block, row.regions, row.mirror)?;
    for branch in &row.beside {
        let net = branch.net(lab.net)?;
        let mut others = chain(&lab.beside(&net, branch), &branch.at, branch.regions, row.mirror)?;
        if let Some(scale) = branch.scale {
            let parts = [&mut others.training, &mut others.validation, &mut others.test];
            parts.into_iter().flat_map(|part| &mut part.values).for_each(|value| *value *= scale);
        }
        features = joined(features, others, append);
    }
    Ok(features)
}

fn chain(lab: &Lab, block: &str, regions: Option<usize>, mirror: bool) -> Result<Parts> {
    let pooled = |lab: &Lab| Ok::<_, anyhow::Error>(regions_of(lab.outputs(block)?, regions));
    let features = pooled(lab)?;
    if mirror { Ok(joined(features, pooled(&lab.mirrored(true))?, average)) } else { Ok(features) }
}

fn joined(mut parts: Parts, mut others: Parts, join: impl Fn(&mut Labeled, &mut Labeled)) -> Parts {
    join(&mut parts.training, &mut others.training);
    join(&mut parts.validation, &mut others.validation);
    join(&mut parts.test, &mut others.test);
    parts
}

fn average(images: &mut Labeled, mirrors: &mut Labeled) {
    images
        .values
        .iter_mut()
        .zip(&mirrors.values)
        .for_each(|(value, mirror)| *value = (*value + mirror) / 2.0);
}

/// The values of both, one after the other, for every image.
fn append(images: &mut Labeled, others: &mut Labeled) {
    let (first, second) = (images.image_len(), others.image_len());
    let (count, both) = (images.len(), first + second);
    // in place, from the last image on: features of all images are gigabytes
    images.values.reserve_exact(count * second);
    images.values.resize(count * both, 0.0);
    for index in (0..count).rev() {
        images.values.copy_within(index * first..(index + 1) * first, index * both);
        images.values[index * both + first..][..second].copy_from_slice(others.image(index));
    }
    images.dims = [both, 1, 1];
}

/// Averaged over `regions × regions` regions of every channel.
fn regions_of(mut parts: Parts, regions: Option<usize>) -> Parts {
    let Some(regions) = regions else { return parts };
    for part in [&mut parts.training, &mut parts.validation, &mut parts.test] {
        let [channels, height, width] = part.dims;
        let pooled = part.values.chunks_exact(height * width).flat_map(|plane| pool(plane, width, regions));
        part.values = pooled.collect();
        part.dims = [channels, regions, regions];
    }
    parts
}

/// The means of the regions of one plane; regions overlap where they do not divide it.
fn pool(plane: &[f32], width: usize, regions: usize) -> Vec<f32> {
    let height = plane.len() / width;
    let range = |size: usize, region: usize| region * size / regions..((region + 1) * size).div_ceil(regions);
    let mut means = vec![];
    for vertical in 0..regions {
        for horizontal in 0..regions {
            let (rows, columns) = (range(height, vertical), range(width, horizontal));
            let count = rows.len() * columns.len();
            let sum: f32 = rows.map(|y| plane[y * width..][columns.clone()].iter().sum::<f32>()).sum();
            means.push(sum / count as f32);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(dims: [usize; 3], values: &[f32]) -> Labeled {
        let mut images = Labeled::with_capacity(dims, 1);
        let len = images.image_len();
        values.chunks(len).for_each(|image| images.push(image.iter().copied(), 0));
        images
    }

    #[test]
    fn regions_are_averaged() {
        assert_eq!(pool(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 4, 2), [1.5, 3.5, 5.5, 7.5]);
        assert_eq!(pool(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 3, 2), [3.0, 4.0, 6.0, 7.0]);
    }

    #[test]
    fn branches_stand_beside_each_other() {
        let mut both = images([2, 1, 1], &[1.0, 2.0, 3.0, 4.0]);
        append(&mut both, &mut images([1, 1, 1], &[5.0, 6.0]));
        assert_eq!(
            (both.dims, both.values.as_slice()),
            ([3, 1, 1], [1.0, 2.0, 5.0, 3.0, 4.0, 6.0].as_slice())
        );
    }

    #[test]
    fn mirror_images_are_averaged() {
        let mut both = images([2, 1, 1], &[1.0, 2.0]);
        average(&mut both, &mut images([2, 1, 1], &[3.0, 6.0]));
        assert_eq!(both.values, [2.0, 4.0]);
    }
}
