//! Patches of images.

use crate::data::{Labeled, shuffled};
use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};

/// `[count, planes · side · side]`: patches from all over the images, each less its own mean. One plane of many channels
/// is their mean.
pub(crate) fn cut(
    images: &Labeled,
    [planes, side]: [usize; 2],
    count: usize,
    seed: u64,
    device: &Device,
) -> Result<Tensor<2>> {
    let [channels, height, width] = images.dims;
    ensure!(side <= height.min(width), "patches of {side} pixels in images of {height} × {width}");
    ensure!(!images.is_empty(), "patches of no images");
    let len = planes * side * side;
    let mut values = Vec::with_capacity(count * len);
    for (image, [top, left]) in places(images, side, seed).take(count) {
        let pixel = |channel: usize, y: usize, x: usize| {
            images.image(image)[(channel * height + top + y) * width + left + x]
        };
        push(&mut values, planes, channels, side, pixel);
    }
    let patches = Tensor::<2>::from_data(TensorData::new(values, [count, len]), device);
    Ok(patches.clone() - patches.mean_dim(1))
}

/// Images and corners without end: every image once, then every image once more, each time elsewhere.
fn places(images: &Labeled, side: usize, seed: u64) -> impl Iterator<Item = (usize, [usize; 2])> {
    let [_, height, width] = images.dims;
    let (count, columns) = (images.len(), width - side + 1);
    let corners = (height - side + 1) * columns;
    (0..).flat_map(move |pass| {
        // another seed: images and corners in one order would show each image at one place in every pass
        let corner = shuffled(count.max(corners), !seed, pass);
        let place = move |corner: usize| [corner % corners / columns, corner % columns];
        shuffled(count, seed, pass).into_iter().zip(corner.into_iter().map(place))
    })
}

/// The planes of one patch.
fn push(
    values: &mut Vec<f32>,
    planes: usize,
    channels: usize,
    side: usize,
    pixel: impl Fn(usize, usize, usize) -> f32,
) {
    let merged = channels.div_ceil(planes);
    for (plane, at) in (0..planes).flat_map(|plane| (0..side * side).map(move |at| (plane, at))) {
        let sum: f32 = (plane * merged..(plane + 1) * merged)
            .map(|channel| pixel(channel.min(channels - 1), at / side, at % side))
            .sum();
        values.push(sum / merged as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Pixel values that say where they are: image, then channel, row and column.
    fn images(count: usize) -> Labeled {
        let mut images = Labeled::with_capacity([3, 4, 5], count);
        for image in 0..count {
            images.push((0..60).map(|at| (image * 100 + at) as f32), 0);
        }
        images
    }

    fn values(planes: usize, count: usize) -> Vec<f32> {
        cut(&images(7), [planes, 2], count, 3, &Device::flex()).unwrap().into_data().iter().collect()
    }

    #[test]
    fn patches_keep_rows_and_lose_their_mean() {
        // rows of 5, planes of 20: offsets of a 2 × 2 patch are 0, 1, 5, 6 and their mean is 3
        assert!(values(1, 50).chunks_exact(4).all(|patch| patch == [-3.0, -2.0, 2.0, 3.0]));
        let color = [-23.0, -22.0, -18.0, -17.0, -3.0, -2.0, 2.0, 3.0, 17.0, 18.0, 22.0, 23.0];
        assert!(values(3, 50).chunks_exact(12).all(|patch| patch == color));
    }

    /// More images than the 12 corners, so that both orders have one length.
    #[test]
    fn every_pass_sees_every_image_elsewhere() {
        let seen: Vec<_> = places(&images(13), 2, 3).take(130).collect();
        for pass in seen.chunks(13) {
            let mut of: Vec<_> = pass.iter().map(|(image, _)| *image).collect();
            of.sort_unstable();
            assert_eq!(of, (0..13).collect::<Vec<_>>());
        }
        let of_one = seen.iter().filter(|(image, _)| *image == 2).map(|(_, corner)| *corner);
        let corners: BTreeSet<[usize; 2]> = of_one.collect();
        assert!(corners.len() > 4 && corners.iter().all(|[top, left]| *top < 3 && *left < 4), "{corners:?}");
    }

    #[test]
    fn patches_fit_into_images() {
        let error = cut(&images(2), [1, 5], 1, 0, &Device::flex()).unwrap_err();
        assert_eq!(error.to_string(), "patches of 5 pixels in images of 4 × 5");
    }
}
