//! Handwritten digits as spikes: a first-spike convolution that learns by rank-order STDP, beside the same convolution left random,
//! as online k-means, and by SoftHebb's rule; a linear read-out on each.
//!
//! ```text
//! cargo run --release --example spikes
//! ```
//!
//! About a minute on two cores.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use burn::{
    nn::{Initializer, PaddingConfig2d, conv::Conv2dConfig, pool::MaxPool2dConfig},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    lab::{
        data::Labeled,
        digits::Digits,
        evaluation::RidgeConfig,
        measure::Spread,
        pictures::{filters, raster},
    },
    nn::Synapses,
    prelude::*,
    rules::{Growth, RankOrder, Rates, Timing},
    spikes::{Train, encode::FirstSpikeEncoder, first_spike::FirstSpikes, readout::counts},
};
use burn_hebbian_examples as _;
use clap::Parser;
use comfy_table::{Table, presets};

const STEPS: usize = 15;
const MAPS: usize = 30;
const KERNEL: usize = 5;

/// Potentials that neurons spike above.
const THRESHOLD: f64 = 8.0;

/// Images of a step, of the rules that learn from responses.
const BATCH: usize = 16;

/// Penalties of the read-out; the best on the validation part is taken.
const PENALTIES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

/// Learn filters of digits from the order of spikes, and compare them with controls.
#[derive(Parser, Debug)]
struct Args {
    /// Runs of each row, with seeds 0, 1, …
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Passes over the training images
    #[arg(long, default_value_t = 2)]
    epochs: usize,
    /// Folder for the picture
    #[arg(long, default_value = "hebbian-spikes")]
    out: PathBuf,
}

/// What a part of the digits is as spikes.
struct Part {
    waves: Vec<Train<4>>,
    labels: Vec<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Row {
    Stdp,
    Random,
    KMeans,
    SoftHebb,
}

impl Row {
    const ALL: [Self; 4] = [Self::Stdp, Self::Random, Self::KMeans, Self::SoftHebb];

    fn name(self) -> &'static str {
        match self {
            Self::Stdp => "rank-order STDP",
            Self::Random => "random filters",
            Self::KMeans => "online k-means (hard winner-take-all)",
            Self::SoftHebb => "SoftHebb's rule",
        }
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    // before time is spent
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let Digits { training, validation, test } = Digits::load()?;
    let [training, validation, test] = [training, validation, test].map(|part| encoded(&part));
    let (training, validation, test) = (training?, validation?, test?);
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["filters", "test accuracy %, mean ± std (min – max)"]);
    let mut learned = None;
    for row in Row::ALL {
        let mut accuracies = Vec::new();
        for seed in 0..args.seeds {
            let layer = trained(row, &training, args.epochs, seed)?;
            let [training, validation, test] =
                [&training, &validation, &test].map(|part| features(&layer, part));
            let config = RidgeConfig::new(PENALTIES.to_vec());
            let readout = config.fit(&training, &validation, &Device::flex(), |_, _| {})?;
            accuracies.push(readout.accuracy(&test)?);
            if row == Row::Stdp && seed == 0 {
                learned = Some(layer);
            }
        }
        table.add_row([row.name().to_string(), Spread::of(&accuracies).to_string()]);
    }
    println!("UCI digits, {STEPS} steps, {MAPS} maps of {KERNEL} × {KERNEL}, {} seeds", args.seeds);
    println!("{table}");
    draw(&learned.context("no seed was run")?, &training.waves[0], &args)
}

/// On- and off-center spikes, the strongest first; 8 × 8 pixels want a smaller surround than published.
fn encoded(part: &Labeled) -> Result<Part> {
    let encoder = FirstSpikeEncoder::on_off(STEPS)?.with_threshold(15.0).with_radius(3);
    let device = Device::flex();
    let wave = |index: usize| Ok(encoder.encode(part.images(&[index], &device))?);
    let waves = (0..part.len()).map(wave).collect::<Result<_>>()?;
    Ok(Part { waves, labels: part.labels.clone() })
}

/// How early each input spiked, 1 for at once and 0 for never: what rules and read-outs of responses see.
fn earliness(wave: &Train<4>) -> Tensor<4> {
    counts(wave).div_scalar(STEPS as f64)
}

fn trained(row: Row, training: &Part, epochs: usize, seed: u64) -> Result<HebbianConv2d> {
    let device = Device::flex();
    device.seed(seed);
    let border = KERNEL / 2;
    let conv = Conv2dConfig::new([2, MAPS], [KERNEL; 2])
        .with_padding(PaddingConfig2d::Explicit(border, border, border, border))
        .with_bias(false)
        .with_initializer(Initializer::Normal { mean: 0.8, std: 0.05 })
        .init(&device);
    let layer = Local::new(conv);
    match row {
        Row::Random => Ok(layer),
        Row::Stdp => first_spikes(layer.with_rule(published()), training, epochs),
        Row::KMeans => responses(layer.with_rule(Rule::abstaining_wta(seed)), 0.1, training, epochs),
        Row::SoftHebb => responses(layer.with_rule(Rule::soft_hebb(0.65)), 0.02, training, epochs),
    }
}

/// Rates as published: they double every 500 images, up to 0.15.
fn published() -> Rule {
    let rule = RankOrder::new(Rates { plus: 0.004, minus: -0.003 });
    let rule = rule.with_growth(Growth { every: 500, max: 0.15 });
    Rule::rank_order_stdp(0.004, -0.003).with_timing(Timing::RankOrder(rule))
}

/// One image a step: winners change what the next image finds.
fn first_spikes(layer: HebbianConv2d, training: &Part, epochs: usize) -> Result<HebbianConv2d> {
    let neurons = FirstSpikes::new(THRESHOLD, 5)?.with_radius(2);
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new())?;
    for wave in training.waves.iter().cycle().take(epochs * training.waves.len()) {
        let (learned, seen) = optim.observe(&layer, Signals::none(), |layer| neurons.learn(layer, wave))?;
        learned?;
        layer = optim.step(1.0, layer, seen.local_only())?;
    }
    Ok(layer)
}

/// The same layer by a rule of responses.
fn responses(layer: HebbianConv2d, rate: f64, training: &Part, epochs: usize) -> Result<HebbianConv2d> {
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new())?;
    for _ in 0..epochs {
        for waves in training.waves.chunks(BATCH) {
            let images = Tensor::cat(waves.iter().map(earliness).collect(), 0);
            let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(images))?;
            layer = optim.step(rate, layer, seen.local_only())?;
        }
    }
    Ok(layer)
}

/// Mean potentials over time, the largest of 2 × 2 positions.
fn features(layer: &HebbianConv2d, part: &Part) -> Labeled {
    let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
    let mut features = Labeled::default();
    for (waves, labels) in part.waves.chunks(BATCH).zip(part.labels.chunks(BATCH)) {
        let images = Tensor::cat(waves.iter().map(earliness).collect(), 0);
        let pooled = pool.forward(layer.currents(images));
        let [_, channels, height, width] = pooled.dims();
        features.dims = [channels, height, width];
        let values: Vec<f32> = pooled.into_data().iter().collect();
        for (values, label) in values.chunks(channels * height * width).zip(labels) {
            features.push(values.iter().copied(), *label);
        }
    }
    features
}

/// The spikes of a digit, and the filters: where they want an on-center spike red, where an off-center one blue.
fn draw(layer: &HebbianConv2d, wave: &Train<4>, args: &Args) -> Result<()> {
    let weight = layer.layer().weight.val();
    let [on, off] = [0, 1].map(|channel| weight.clone().narrow(1, channel, 1));
    let tiles = (on - off).reshape([5, MAPS / 5, KERNEL, KERNEL]);
    let panels = [raster::draw(wave.values().flatten(1, 3), 4), filters::diverging(tiles, 16)];
    let path = args.out.join("spikes.png");
    filters::beside(&panels, 16).save(&path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("spikes of a digit, and filters of rank-order STDP: {}", path.display());
    Ok(())
}
