//! Layer-parallel training: what it gives, and what late weights cost.
//!
//! ```text
//! cargo run --release --example pipeline
//! ```
//!
//! On the embedded digits, two Hebbian layers below a classifier that learns by backprop; a few minutes on two cores.

mod net;

use anyhow::{Result, ensure};
use burn::{
    lr_scheduler::linear::LinearLrSchedulerConfig, module::Module, optim::AdamConfig, tensor::Device,
};
use burn_hebbian::{
    lab::{
        arguments::positive,
        data::{Labeled, Spectrum, contrast, shuffled},
        digits::Digits,
        evaluation::accuracy,
        measure::{Spread, measured},
        progress,
    },
    optim::{
        Entry, UpdateError,
        checkpoint::{Progress, Training},
    },
    prelude::*,
    train::{
        Batch,
        pipeline::{Pipeline, PipelineError},
    },
};
use burn_hebbian_examples as _;
use clap::Parser;
use comfy_table::{Table, presets};
use net::Net;

/// Images a step.
const BATCH: usize = 32;

/// The first learning rate of the classifier; it falls linearly to 0.
const RATE: f64 = 0.01;

/// Smoothing of the ZCA whitening, as in the quickstart.
const SMOOTHING: f64 = 1.0;

/// Train the stages of a network in parallel, with weights published late by so many batches.
#[derive(Parser, Debug)]
struct Args {
    /// Batches by which weights are published late
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 2, 4, 8])]
    delays: Vec<usize>,
    /// Runs of each, with seeds 0, 1, …
    #[arg(long, default_value_t = 5, value_parser = positive::<u64>)]
    seeds: u64,
    /// Passes over the training images
    #[arg(long, default_value_t = 10, value_parser = positive::<usize>)]
    epochs: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let plan: Plan = serde_json::from_str(include_str!("../hybrid/plans/bottom-2.json"))?;
    let [training, test] = prepared()?;
    println!("{}", plan.bind(Net::new(&Device::flex()))?.1.report());
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["batches late", "test accuracy %, mean ± std (min – max)", "in turn : parallel"]);
    let bar = progress::bar(args.delays.len() * args.seeds as usize);
    for delay in &args.delays {
        let pipeline = Pipeline::at_rate(RATE).with_delay(*delay);
        let mut runs = Vec::new();
        for seed in 0..args.seeds {
            runs.extend(compare(&pipeline, &plan, args.epochs, [&training, &test], seed)?);
            bar.inc(1);
        }
        let accuracies: Vec<f64> = runs.iter().map(|run| run.accuracy).collect();
        let ratios: Vec<f64> = runs.iter().map(|run| run.ratio).collect();
        let accuracy = match args.seeds as usize - runs.len() {
            0 => Spread::of(&accuracies).to_string(),
            lost => format!("{lost} of {} runs did not stay finite", args.seeds),
        };
        let ratio = if runs.is_empty() { "–".into() } else { format!("{:.2}", Spread::of(&ratios).mean) };
        table.add_row([delay.to_string(), accuracy, ratio]);
    }
    bar.finish_and_clear();
    println!("{} seeds, {} epochs\n{table}", args.seeds, args.epochs);
    Ok(())
}

/// A training in parallel against the same in turn.
struct Comparison {
    /// On the test part, in percent.
    accuracy: f64,
    /// Time in turn over time in parallel.
    ratio: f64,
}

/// Trains both ways; nothing if the updates did not stay finite.
fn compare(
    pipeline: &Pipeline,
    plan: &Plan,
    epochs: usize,
    [training, test]: [&Labeled; 2],
    seed: u64,
) -> Result<Option<Comparison>> {
    let run = |way| train(pipeline, way, plan, epochs, training, seed);
    let (parallel, quick) = measured(|| run(Way::Parallel));
    let (in_turn, slow) = measured(|| run(Way::InTurn));
    if [&parallel, &in_turn].into_iter().all(diverged) {
        return Ok(None);
    }
    let (net, in_turn) = (parallel?.valid(), in_turn?.valid());
    ensure!(scores(&net, test) == scores(&in_turn, test), "both ways must end with the same weights");
    let accuracy = accuracy(test, &Device::flex(), |images| net.scores(images));
    Ok(Some(Comparison { accuracy, ratio: slow.seconds / quick.seconds }))
}

fn diverged(run: &Result<Net>) -> bool {
    let error = run.as_ref().err().and_then(|error| error.downcast_ref::<PipelineError>());
    matches!(error, Some(PipelineError::Update { error: UpdateError::NotFinite { .. }, .. }))
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Parallel,
    InTurn,
}

fn train(
    pipeline: &Pipeline,
    way: Way,
    plan: &Plan,
    epochs: usize,
    data: &Labeled,
    seed: u64,
) -> Result<Net> {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let steps = epochs * data.len().div_ceil(BATCH);
    let falling = Entry::backprop("fc").at_rate(LinearLrSchedulerConfig::new(RATE, 0.0, steps));
    let (model, optim) = plan.clone().with(falling).init(Net::new(&device), AdamConfig::new())?;
    let mut training = Training { progress: Progress { seed, epochs: 0 }, model, optim };
    for epoch in 1..=epochs {
        let order = shuffled(data.len(), seed, epoch);
        let batches = order
            .chunks(BATCH)
            .map(|batch| Batch { input: data.images(batch, &device), targets: data.targets(batch, &device) });
        match way {
            Way::Parallel => pipeline.train(&mut training, batches, drop)?,
            Way::InTurn => pipeline.train_in_turn(&mut training, batches, drop)?,
        }
        training.progress.epochs = epoch;
    }
    Ok(training.model)
}

/// The scores of all images, to the bit.
fn scores(net: &Net, data: &Labeled) -> Vec<f32> {
    let all: Vec<usize> = (0..data.len()).collect();
    net.scores(data.images(&all, &Device::flex())).into_data().iter::<f32>().collect()
}

/// The digits, contrast normalized and whitened by what is learned from, and the test part.
fn prepared() -> Result<[Labeled; 2]> {
    let Digits { mut training, mut test, .. } = Digits::load()?;
    [&mut training, &mut test].into_iter().for_each(contrast::normalize);
    let zca = Spectrum::fit(&training, &Device::flex())?.zca(SMOOTHING);
    [&mut training, &mut test].into_iter().for_each(|part| zca.apply(part));
    Ok([training, test])
}
