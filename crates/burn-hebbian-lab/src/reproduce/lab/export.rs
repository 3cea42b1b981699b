//! Features, weights and win counts of a row, for other programs.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

use crate::{
    data::{Labeled, in_order},
    diagnostics::Wins,
    export::{Arrays, Value, write_npy},
    prelude::*,
};
use anyhow::{Context, Result};

use super::{CHUNK, Lab};
use crate::reproduce::{config::Stage, net::Chain};

/// Writes the features of blocks, and weights and win counts of the last stage.
pub(super) fn row(lab: &Lab, blocks: &[String], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    for block in blocks {
        let features = lab.outputs(block)?;
        let parts = [&features.training, &features.validation, &features.test];
        for (name, part) in ["training", "validation", "test"].into_iter().zip(parts) {
            let shape = [&[part.len()], part.dims.as_slice()].concat();
            npy(folder, &format!("features-{block}-{name}"), &shape, &part.values)?;
            let labels: Vec<i64> = part.labels.iter().map(|&label| label.into()).collect();
            npy(folder, &format!("labels-{name}"), &[part.len()], &labels)?;
        }
    }
    if lab.stages.is_empty() {
        return Ok(());
    }
    let chain = lab.trained()?;
    weights(lab, &chain, folder)?;
    wins(lab, &chain, &lab.input()?.test, folder)
}

fn npy<T: Value>(folder: &Path, name: &str, shape: &[usize], values: &[T]) -> Result<()> {
    let path = folder.join(format!("{name}.npy"));
    let at = || format!("cannot write {}", path.display());
    let file = File::create(&path).with_context(at)?;
    write_npy(BufWriter::new(file), shape, values).with_context(at)
}

/// Every parameter as `BLOCK.path`.
fn weights(lab: &Lab, chain: &Chain, folder: &Path) -> Result<()> {
    let names = lab.names(lab.last().blocks())?;
    let mut arrays = Arrays::new();
    for (path, values) in chain.parameters(&names) {
        arrays = arrays.with_values(path, &values.shape, &values.values)?;
    }
    let path = folder.join("weights.safetensors");
    arrays.save(&path).with_context(|| format!("cannot write {}", path.display()))
}

/// How often each neuron won on the test images, block by block.
fn wins(lab: &Lab, chain: &Chain, images: &Labeled, folder: &Path) -> Result<()> {
    let names = lab.names(lab.last().blocks())?;
    for (index, name) in names.iter().enumerate() {
        let similarity = similarity(lab, index)?;
        let mut wins: Option<Wins> = None;
        for chunk in in_order(images.len()).chunks(CHUNK) {
            let x = chain.features(index, images.images(chunk, &lab.setting.device));
            let responses = chain.blocks[index].responses(similarity, x);
            let [n, neurons, rows, columns] = responses.dims();
            let wins = wins.get_or_insert_with(|| Wins::new(1, neurons));
            wins.add(responses.reshape([n, 1, neurons, rows * columns]));
        }
        let counts = wins.as_ref().map_or(&[][..], Wins::counts);
        npy(folder, &format!("wins-{name}"), &[counts.len()], counts)?;
    }
    Ok(())
}

/// What neurons compete by: the similarity of their rule, `w·x` where backprop trained them.
fn similarity(lab: &Lab, index: usize) -> Result<Similarity> {
    let block = lab.range(lab.last().blocks())?.start + index;
    let choice = match lab.last() {
        Stage::Backprop(_) | Stage::Settling(_) => return Ok(Similarity::Dot),
        Stage::Hebbian(stage) => stage.rules.as_ref().and_then(|rules| rules.get(index)),
        Stage::Untrained(_) => None,
    };
    Ok(choice.unwrap_or(&lab.net.blocks[block].rule).rule(lab.seed).similarity)
}
