//! One network, trained in every hybrid way that a plan can say: Hebbian layers at the bottom, in the middle or at the
//! top, pre-training and fine-tuning, layer by layer, all Hebbian, all by backprop; in burn-train, with its metrics,
//! dashboard, early stopping and checkpoints.
//!
//! ```text
//! cargo run --release --example hybrid
//! cargo run --release --example hybrid -- --plan bottom-2
//! cargo run --release --example hybrid -- --plan my-plan.json
//! ```
//!
//! On the embedded digits, about two minutes on two cores. The configurations of the literature on CIFAR-10 are the
//! example `reproduce`.

mod digits;
mod task;
mod train;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::{Device, Tensor};
use burn_hebbian::{
    lab::{arguments::positive, evaluation::accuracy, measure::Spread},
    prelude::*,
    train::Classifier,
};
use clap::Parser;
use comfy_table::{Table, presets};
use digits::{IMAGE, Net};
use task::{NamedPlan, Parts};
use train::{Settings, train};

/// Train one network on handwritten digits by plans.
#[derive(Parser, Debug)]
struct Args {
    /// Plans by name, or a JSON file of your own; all without this
    #[arg(long, value_delimiter = ',')]
    plan: Vec<String>,
    /// List the plans and what trains each parameter, and train nothing
    #[arg(long)]
    list: bool,
    /// Runs of each plan, with seeds 0, 1, …
    #[arg(long, default_value_t = 3, value_parser = positive::<u64>)]
    seeds: u64,
    /// Passes over the training images
    #[arg(long, default_value_t = 20, value_parser = positive::<usize>)]
    epochs: usize,
    /// Stop after so many epochs without a better validation accuracy
    #[arg(long, value_parser = positive::<usize>)]
    patience: Option<usize>,
    /// Folder for metrics and checkpoints; without it none are kept
    #[arg(long)]
    out: Option<PathBuf>,
    /// Go on from the checkpoint of this epoch
    #[arg(long, requires = "out", value_parser = positive::<usize>)]
    resume: Option<usize>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let plans = chosen(&args)?;
    for plan in &plans {
        rehearse(plan, args.epochs)?;
    }
    if args.list {
        return Ok(());
    }
    if let Some(out) = &args.out {
        fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    }
    let settings = Settings {
        epochs: args.epochs,
        patience: args.patience,
        out: args.out.clone(),
        resume: args.resume,
        every_epoch: plans.len() as u64 * args.seeds == 1,
    };
    let parts = digits::parts()?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["plan", "", "test accuracy %, mean ± std (min – max)"]);
    for plan in &plans {
        let spread = Spread::of(&accuracies(plan, &parts, args.seeds, &settings)?);
        table.add_row([plan.name.clone(), plan.what.clone(), spread.to_string()]);
    }
    println!("\nseeds: {}, epochs: {}\n{table}", args.seeds, args.epochs);
    Ok(())
}

/// Test accuracies of trainings with seeds 0, 1, …
fn accuracies(plan: &NamedPlan, parts: &Parts, seeds: u64, settings: &Settings) -> Result<Vec<f64>> {
    let run = |seed| {
        let name = format!("{}-seed-{seed}", plan.name);
        let net = train(&plan.plan, parts, seed, &name, settings)?;
        Ok(accuracy(&parts.test, &Device::flex(), |images| net.scores(images)))
    };
    (0..seeds).map(run).collect()
}

/// The plans that were asked for, by name or by file.
fn chosen(args: &Args) -> Result<Vec<NamedPlan>> {
    let known = digits::plans()?;
    if args.plan.is_empty() {
        return Ok(known);
    }
    let choose = |name: &String| match known.iter().find(|plan| plan.name == *name) {
        Some(plan) => Ok(plan.clone()),
        None if name.ends_with(".json") => from_file(name),
        None => {
            let names: Vec<&str> = known.iter().map(|plan| plan.name.as_str()).collect();
            bail!("no plan `{name}`; there are {}, or name a .json file", names.join(", "))
        }
    };
    args.plan.iter().map(choose).collect()
}

fn from_file(path: &str) -> Result<NamedPlan> {
    let json = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let plan = serde_json::from_str(&json).with_context(|| format!("plan `{path}`"))?;
    let stem = path.trim_end_matches(".json").rsplit('/').next().unwrap_or(path);
    Ok(NamedPlan { name: stem.to_string(), what: path.to_string(), plan })
}

/// What trains each parameter in each phase, and what would never learn, before time is spent.
fn rehearse(named: &NamedPlan, epochs: usize) -> Result<()> {
    let NamedPlan { name, what, plan, .. } = named;
    let device = Device::flex();
    let net = Net::new(&device);
    let [channels, height, width] = IMAGE;
    let images = Tensor::zeros([1, channels, height, width], &device);
    let signals = Signals::none().with_teacher(Tensor::zeros([1, net.classes()], &device));
    println!("{name}: {what}");
    for phase in plan.phases(epochs) {
        let bound = plan.bind_in(*phase.start(), net.clone());
        let (net, plan) = bound.with_context(|| format!("plan `{name}`"))?;
        let report = plan.rehearse(&net, signals.clone(), |net| net.scores(images.clone()))?;
        println!("  epochs {} to {}", phase.start(), phase.end());
        for line in report.to_string().lines() {
            println!("    {line}");
        }
    }
    Ok(())
}
