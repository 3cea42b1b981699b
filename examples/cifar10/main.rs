//! CIFAR-10: what a first layer learns by a Hebbian rule, without labels and without autodiff, and what its
//! features are worth to a linear classifier.
//!
//! ```text
//! cargo run --release --example cifar10 -- --data DIR
//! ```
//!
//! Expected test accuracy of the thesis's WTA layer: 63.92 % on the original images, about 61 % on images that
//! went through JPEG. All four layers take about 15 minutes and 6 GB on two cores.
//!
//! Source: G. Lagani, *Hebbian learning algorithms for training convolutional neural networks*, master's
//! thesis, University of Pisa (2019); "SGD classifier on Hebbian features", conv1.

mod images;
mod layer;
mod recipe;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use burn_hebbian_examples::{
    filters,
    labelled::Labelled,
    measure::measured,
    probe::{Probe, ProbeConfig},
    progress,
};
use clap::Parser;
use comfy_table::{Table, presets};
use images::Images;
use layer::{FirstLayer, normalise};
use recipe::{Layer, Recipe};

/// Train a first layer on CIFAR-10 by a Hebbian rule, and a linear classifier on its features.
#[derive(Parser, Debug)]
struct Args {
    /// Folder of CIFAR-10: the official binary files, or train/CLASS/*.jpg and test/CLASS/*.jpg
    #[arg(long)]
    data: PathBuf,
    /// First layers to compare
    #[arg(long, value_enum, value_delimiter = ',', default_value = "wta,swta,hpca,untrained")]
    layers: Vec<Layer>,
    /// Passes of the first layer over the images
    #[arg(long, default_value_t = 2)]
    epochs: usize,
    /// Passes of the classifier over the features
    #[arg(long, default_value_t = 20)]
    probe_epochs: usize,
    /// Use only so many training images, and a fifth as many test images
    #[arg(long)]
    subset: Option<usize>,
    /// Seed of weights and orders
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder for pictures of the filters
    #[arg(long, default_value = "hebbian-cifar10")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let images = Images::read(&args)?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "first layer",
        "test %",
        "validation %",
        "best epoch",
        "seconds",
        "peak MiB",
        "known test %",
    ]);
    for layer in &args.layers {
        table.add_row(row(&layer.recipe(), &images, &args)?);
    }
    println!("{table}");
    Ok(())
}

/// Trains one first layer and a classifier on its features.
fn row(recipe: &Recipe, images: &Images, args: &Args) -> Result<[String; 7]> {
    let (scores, cost) = measured(|| -> Result<_> {
        let layer = trained(recipe, images, args)?;
        let features = images.parts().map(|part| layer.features(&images.prepared(part, recipe.smoothing)));
        Ok(probed(recipe, features, args))
    });
    let (probe, test) = scores?;
    println!(
        "{}: test {test:.2} %, validation {:.2} % after epoch {}",
        recipe.name, probe.validation, probe.epoch
    );
    Ok([
        recipe.name.to_string(),
        format!("{test:.2}"),
        format!("{:.2}", probe.validation),
        probe.epoch.to_string(),
        format!("{:.0}", cost.seconds),
        format!("{:.0}", cost.peak_mib()),
        recipe.known.to_string(),
    ])
}

/// The first layer after Hebbian learning; its filters go to a picture.
fn trained(recipe: &Recipe, images: &Images, args: &Args) -> Result<FirstLayer> {
    let mut layer = FirstLayer::new(recipe, args.seed, &Device::flex());
    if recipe.learns {
        let training = images.prepared(&images.training, recipe.smoothing);
        layer = layer.train(&training, recipe, args.epochs, args.seed)?;
    }
    let picture = args.out.join(format!("{}.png", recipe.name.to_lowercase()));
    filters::save(layer.weight(), 4, &picture)
        .with_context(|| format!("cannot write {}", picture.display()))?;
    println!("{}: filters in {}", recipe.name, picture.display());
    Ok(layer)
}

/// A classifier on the features of training, validation and test part, and its test accuracy.
fn probed(recipe: &Recipe, mut features: [Labelled; 3], args: &Args) -> (Probe, f64) {
    normalise(&mut features);
    let [training, validation, test] = features;
    let config = ProbeConfig::new().with_epochs(args.probe_epochs).with_seed(args.seed);
    let bar = progress::bar(args.probe_epochs).with_message(format!("classifier on {}", recipe.name));
    let probe = config.train(&training, &validation, &Device::flex().autodiff(), |score| {
        bar.inc(1);
        bar.set_message(format!("classifier on {}: {score:.2} %", recipe.name));
    });
    bar.finish_and_clear();
    let score = probe.accuracy(&test);
    (probe, score)
}
