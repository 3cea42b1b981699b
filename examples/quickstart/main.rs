//! Handwritten digits, five ways: a small network whose convolutions learn by Hebbian rules, beside the same
//! network by backprop, left random, and a linear classifier.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```
//!
//! About a minute on two cores.

mod net;
mod rows;
mod train;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use burn_hebbian::lab::{
    data::{Spectrum, contrast},
    digits::Digits,
    measure::{Cost, Spread, measured},
    pictures::filters,
    progress,
};
use burn_hebbian_examples as _;
use clap::{Parser, ValueEnum};
use comfy_table::{Table, presets};
use indicatif::ProgressBar;
use rows::{Parts, Row};
use train::Run;

/// Smoothing of the ZCA whitening, chosen as the rates were: without the test part.
const SMOOTHING: f64 = 1.0;

/// Train a small network on handwritten digits by Hebbian rules, by backprop, and not at all.
#[derive(Parser, Debug)]
struct Args {
    /// Runs of each row, with seeds 0, 1, …
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Passes over the training images
    #[arg(long, default_value_t = 30)]
    epochs: usize,
    /// Part of the images to report accuracy on; choices belong on `validation`
    #[arg(long, value_enum, default_value = "test")]
    part: Part,
    /// Folder for the picture of the filters
    #[arg(long, default_value = "hebbian-quickstart")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Validation,
    Test,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let parts = prepared(args.part)?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "accuracy %, mean ± std (min – max)", "seconds a run", "peak MiB"]);
    let bar = progress::bar(Row::ALL.len() * args.seeds as usize * args.epochs);
    let mut pictures = vec![];
    for row in Row::ALL {
        let (accuracies, filters, cost) = runs(row, &parts, &args, &bar)?;
        table.add_row(cells(row, &accuracies, cost));
        pictures.extend(filters.map(|filters| (row, filters)));
    }
    bar.finish_and_clear();
    println!("accuracy on the {:?} part, {} seeds, {} epochs", args.part, args.seeds, args.epochs);
    println!("{table}");
    for (row, filters) in pictures {
        save(row, filters, &args.out)?;
    }
    Ok(())
}

/// The digits: contrast normalised and whitened by what is learnt from, and as plain pixels.
fn prepared(part: Part) -> Result<Parts> {
    let Digits { training, validation, test } = Digits::load()?;
    let scored = match part {
        Part::Validation => validation,
        Part::Test => test,
    };
    let raw = [training, scored];
    let [mut training, mut scored] = raw.clone();
    contrast::normalise(&mut training);
    contrast::normalise(&mut scored);
    let zca = Spectrum::fit(&training, &Device::flex())?.zca(SMOOTHING);
    zca.apply(&mut training);
    zca.apply(&mut scored);
    Ok(Parts { training, scored, raw })
}

/// All runs of a row: their accuracies, the filters of the first and what a run costs.
fn runs(
    row: Row,
    parts: &Parts,
    args: &Args,
    bar: &ProgressBar,
) -> Result<(Vec<f64>, Option<Tensor<4>>, Cost)> {
    bar.set_message(row.name());
    let (results, cost) = measured(|| {
        let run = |seed| row.run(parts, args.epochs, &Run { seed, bar: bar.clone() });
        (0..args.seeds).map(run).collect::<Result<Vec<_>>>()
    });
    let (accuracies, mut filters): (Vec<_>, Vec<_>) = results?.into_iter().unzip();
    // clamp: no seeds, no runs.
    let seconds = cost.seconds / args.seeds.max(1) as f64;
    Ok((accuracies, filters.first_mut().and_then(Option::take), Cost { seconds, ..cost }))
}

fn cells(row: Row, accuracies: &[f64], cost: Cost) -> [String; 4] {
    [
        row.name().to_string(),
        Spread::of(accuracies).to_string(),
        format!("{:.1}", cost.seconds),
        format!("{:.0}", cost.peak_mib()),
    ]
}

fn save(row: Row, weight: Tensor<4>, out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let path = out.join(format!("conv1-{}.png", row.letter()));
    filters::save(weight, 8, &path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("filters of {}: {}", row.name(), path.display());
    Ok(())
}
