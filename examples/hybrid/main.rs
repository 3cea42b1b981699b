//! One network, trained in every hybrid way that a plan can say: Hebbian layers at the bottom, in the middle or at the
//! top, pre-training and fine-tuning, layer by layer, all Hebbian, all by backprop.
//!
//! ```text
//! cargo run --release --example hybrid
//! cargo run --release --example hybrid -- --plan my-plan.json
//! ```
//!
//! On the embedded digits; about a minute on two cores.

mod net;
mod train;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use burn_hebbian::prelude::*;
use burn_hebbian_examples::{
    contrast, digits::Digits, labelled::Labelled, measure::Spread, progress, score::accuracy,
    whitening::Spectrum,
};
use clap::Parser;
use comfy_table::{Table, presets};
use net::Net;

/// The plans beside this file, by name.
const PLANS: [(&str, &str); 8] = [
    ("all by backprop", include_str!("plans/backprop.json")),
    ("bottom: conv1 Hebbian", include_str!("plans/bottom-1.json")),
    ("bottom: conv1 and conv2 Hebbian", include_str!("plans/bottom-2.json")),
    ("middle: conv2 Hebbian", include_str!("plans/middle.json")),
    ("top: teacher neurons on backprop's features", include_str!("plans/top.json")),
    ("all Hebbian, teacher neurons", include_str!("plans/hebbian.json")),
    ("Hebbian layer by layer, then the classifier", include_str!("plans/greedy.json")),
    ("Hebbian pre-training, then fine-tuning", include_str!("plans/fine-tuned.json")),
];

/// Smoothing of the ZCA whitening, as in the quickstart.
const SMOOTHING: f64 = 1.0;

/// Train one network on handwritten digits by plans.
#[derive(Parser, Debug)]
struct Args {
    /// A plan of your own in JSON, in the place of those of this example
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Runs of each plan, with seeds 0, 1, …
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Passes over the training images
    #[arg(long, default_value_t = 20)]
    epochs: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let plans = plans(&args)?;
    rehearse(&plans, args.epochs)?;
    let [training, test] = prepared()?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["plan", "test accuracy %, mean ± std (min – max)"]);
    let bar = progress::bar(plans.len() * args.seeds as usize * args.epochs);
    for (name, plan) in &plans {
        bar.set_message(name.clone());
        let run = |seed| -> Result<f64> {
            let net = train::train(plan, args.epochs, &training, seed, &bar)?.valid();
            Ok(accuracy(&test, &Device::flex(), |images| net.scores(images)))
        };
        let accuracies = (0..args.seeds).map(run).collect::<Result<Vec<_>>>()?;
        table.add_row([name.clone(), Spread::of(&accuracies).to_string()]);
    }
    bar.finish_and_clear();
    println!("{} seeds, {} epochs\n{table}", args.seeds, args.epochs);
    Ok(())
}

fn plans(args: &Args) -> Result<Vec<(String, Plan)>> {
    let parse = |name: &str, json: &str| -> Result<(String, Plan)> {
        let plan = serde_json::from_str(json).with_context(|| format!("plan `{name}`"))?;
        Ok((name.to_string(), plan))
    };
    match &args.plan {
        None => PLANS.into_iter().map(|(name, json)| parse(name, json)).collect(),
        Some(path) => {
            let name = path.display().to_string();
            let json = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
            Ok(vec![parse(&name, &json)?])
        }
    }
}

/// What trains each parameter in each phase, and what would never learn, before time is spent.
fn rehearse(plans: &[(String, Plan)], epochs: usize) -> Result<()> {
    let device = Device::flex();
    let (net, images) = (Net::new(&device), Tensor::zeros([1, 1, 8, 8], &device));
    let signals = Signals::none().with_teacher(Tensor::zeros([1, 10], &device));
    for (name, plan) in plans {
        println!("{name}");
        for phase in plan.phases(epochs) {
            let plan = plan.at_epoch(*phase.start());
            let net = plan.apply(net.clone()).with_context(|| format!("plan `{name}`"))?;
            let report = plan.rehearse(&net, signals.clone(), || net.scores(images.clone()))?;
            println!("  epochs {} to {}", phase.start(), phase.end());
            for line in report.to_string().lines() {
                println!("    {line}");
            }
        }
    }
    Ok(())
}

/// The digits, contrast normalised and whitened by what is learnt from: training and validation part, and test part.
fn prepared() -> Result<[Labelled; 2]> {
    let Digits { mut training, mut test, .. } = Digits::load()?;
    contrast::normalise(&mut training);
    contrast::normalise(&mut test);
    let zca = Spectrum::fit(&training, &Device::flex())?.zca(SMOOTHING);
    zca.apply(&mut training);
    zca.apply(&mut test);
    Ok([training, test])
}
