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
    arguments::positive,
    data::{Spectrum, contrast},
    digits::Digits,
    measure::{Cost, Spread, measured},
    pictures::{bars::BarChart, filters},
    progress,
};
use burn_hebbian_examples as _;
use clap::{Parser, ValueEnum};
use comfy_table::{Table, presets};
use image::RgbImage;
use indicatif::ProgressBar;
use rows::{Parts, Row};
use train::Run;

/// Smoothing of the ZCA whitening, chosen as the rates were: without the test part.
const SMOOTHING: f64 = 1.0;

/// Pixels a weight.
const ZOOM: usize = 16;

/// Width and height of the chart, as high as the filters are.
const CHART: [u32; 2] = [680, 420];

/// Pixels between chart and filters.
const BETWEEN: usize = 16;

/// Train a small network on handwritten digits by Hebbian rules, by backprop, and not at all.
#[derive(Parser, Debug)]
struct Args {
    /// Runs of each row, with seeds 0, 1, …
    #[arg(long, default_value_t = 5, value_parser = positive::<u64>)]
    seeds: u64,
    /// Passes over the training images
    #[arg(long, default_value_t = 30, value_parser = positive::<usize>)]
    epochs: usize,
    /// Part of the images to report accuracy on; choices belong on `validation`
    #[arg(long, value_enum, default_value = "test")]
    part: Part,
    /// Folder for the pictures: the table as bars, the filters
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
    // before time is spent
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let parts = prepared(args.part)?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "accuracy %, mean ± std (min – max)", "seconds a run", "peak MiB"]);
    let bar = progress::bar(Row::ALL.len() * args.seeds as usize * args.epochs);
    let mut spreads = vec![];
    let mut pictures = vec![];
    for row in Row::ALL {
        let (accuracies, filters, cost) = runs(row, &parts, &args, &bar)?;
        let spread = Spread::of(&accuracies);
        table.add_row(cells(row, spread, cost));
        spreads.push(spread);
        pictures.extend(filters.map(|filters| (row, drawn(filters))));
    }
    bar.finish_and_clear();
    println!("accuracy on the {:?} part, {} seeds, {} epochs", args.part, args.seeds, args.epochs);
    println!("{table}");
    let chart = chart(&spreads, &args)?;
    for (row, filters) in &pictures {
        let what = format!("filters of {}", row.name());
        save(filters, &what, &args.out.join(format!("conv1-{}.png", row.letter())))?;
    }
    let first = pictures.into_iter().map(|(_, filters)| filters).take(1);
    let panels: Vec<_> = std::iter::once(chart).chain(first).collect();
    save(&filters::beside(&panels, BETWEEN), "table, and filters of (a)", &args.out.join("table.png"))
}

/// The digits: contrast normalized and whitened by what is learned from, and as plain pixels.
fn prepared(part: Part) -> Result<Parts> {
    let Digits { training, validation, test } = Digits::load()?;
    let scored = match part {
        Part::Validation => validation,
        Part::Test => test,
    };
    let raw = [training, scored];
    let [mut training, mut scored] = raw.clone();
    contrast::normalize(&mut training);
    contrast::normalize(&mut scored);
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
    let seconds = cost.seconds / args.seeds as f64;
    Ok((accuracies, filters.first_mut().and_then(Option::take), Cost { seconds, ..cost }))
}

fn cells(row: Row, accuracy: Spread, cost: Cost) -> [String; 4] {
    [
        row.name().to_string(),
        accuracy.to_string(),
        format!("{:.1}", cost.seconds),
        format!("{:.0}", cost.peak_mib()),
    ]
}

/// The table as bars: what is wrong, so that they may stand on 0 and differ.
fn chart(accuracies: &[Spread], args: &Args) -> Result<RgbImage> {
    let part = format!("{:?}", args.part).to_lowercase();
    let chart =
        BarChart::new("", &format!("error on the {part} part, %"), accuracies.iter().map(|a| 100.0 - a.mean))
            .with_names(Row::ALL.map(Row::short))
            .with_deviations(accuracies.iter().map(|accuracy| accuracy.deviation))
            .with_title(format!("UCI digits, mean ± std over {} seeds", args.seeds))
            .with_size(CHART);
    Ok(chart.draw()?)
}

/// The filters in a square: blue below 0, white at 0, red above.
fn drawn(filters: Tensor<4>) -> RgbImage {
    let [count, _, height, width] = filters.dims();
    let side = count.isqrt();
    filters::diverging(filters.reshape([side, side, height, width]), ZOOM)
}

fn save(picture: &RgbImage, what: &str, path: &Path) -> Result<()> {
    picture.save(path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{what}: {}", path.display());
    Ok(())
}
