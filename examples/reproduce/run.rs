//! Runs the rows of an experiment.

use std::fs;

use anyhow::{Context, Result};
use burn_hebbian::train::evaluation::{
    NeighboursConfig, ProbeConfig, ProbeEpoch, RidgeConfig, TeacherConfig, accuracy,
};
use burn_hebbian_examples::progress;

use crate::{
    config::{Evaluation, Experiment, NetConfig, Row},
    lab::{Lab, Parts, Setting, write},
    results::Score,
};

/// Penalties that ridge regression chooses from.
const PENALTIES: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// The scores of a row with a seed, from its file if it was run before.
pub(crate) fn row(
    setting: &Setting,
    name: &str,
    experiment: &Experiment,
    net: &NetConfig,
    row: &Row,
    seed: u64,
) -> Result<Vec<Score>> {
    let file = setting.out.join(name).join("rows").join(format!("{}-seed-{seed}.json", file_name(&row.name)));
    if let Ok(json) = fs::read(&file) {
        return serde_json::from_slice(&json).with_context(|| format!("{}", file.display()));
    }
    let lab = Lab::new(setting, experiment, net, row, seed);
    let blocks = if row.at.is_empty() { vec![lab.last().blocks()[1].clone()] } else { row.at.clone() };
    let mut scores = vec![];
    for (index, block) in blocks.iter().enumerate() {
        for (number, evaluation) in row.evaluate.iter().enumerate() {
            let published = row.published.get(index).copied().filter(|_| number == 0);
            let (test, validation) = evaluate(&lab, block, evaluation)?;
            println!("  {} {block}: {test:.2} %", row.name);
            scores.push(Score {
                row: row.name.clone(),
                block: block.clone(),
                evaluation: evaluation.name().to_string(),
                labels: row.labels.clone(),
                seed,
                test,
                validation,
                published,
            });
        }
    }
    write(&file, &serde_json::to_vec_pretty(&scores)?)?;
    Ok(scores)
}

fn evaluate(lab: &Lab, block: &str, evaluation: &Evaluation) -> Result<(f64, Option<f64>)> {
    match evaluation {
        Evaluation::Scores => own_scores(lab),
        _ => classify(&lab.features(lab.net.index(block)?)?, evaluation, lab),
    }
}

fn own_scores(lab: &Lab) -> Result<(f64, Option<f64>)> {
    let (chain, input) = (lab.trained()?, lab.input()?);
    let score = |part| accuracy(part, &lab.setting.device, |images| chain.scores(images));
    let validation = (!input.validation.is_empty()).then(|| score(&input.validation));
    Ok((score(&input.test), validation))
}

/// Accuracy of a classifier on features.
fn classify(features: &Parts, evaluation: &Evaluation, lab: &Lab) -> Result<(f64, Option<f64>)> {
    let Parts { training, validation, test, classes } = features;
    let device = &lab.setting.device;
    let both = |scores: (f64, f64)| (scores.0, Some(scores.1));
    Ok(match evaluation {
        Evaluation::Scores => own_scores(lab)?,
        Evaluation::Sgd => both(probe(ProbeConfig::thesis(), features, lab)?),
        Evaluation::SgdDropout => both(probe(ProbeConfig::fast_hebb(), features, lab)?),
        Evaluation::Adam => both(probe(ProbeConfig::soft_hebb(), features, lab)?),
        Evaluation::Ridge => {
            let ridge = RidgeConfig::new(PENALTIES.to_vec()).fit(training, validation, device, |_, _| ())?;
            (ridge.accuracy(test)?, Some(ridge.validation))
        }
        Evaluation::Neighbours => {
            let neighbours = NeighboursConfig::new();
            (neighbours.accuracy(training, test, device)?, None)
        }
        Evaluation::Teacher { epochs } => {
            let config = TeacherConfig::new().with_classes(*classes).with_seed(lab.seed);
            let neurons = config.with_epochs(lab.epochs(*epochs)).train(training, device)?;
            let validation = (!validation.is_empty()).then(|| neurons.accuracy(validation)).transpose()?;
            (neurons.accuracy(test)?, validation)
        }
    })
}

/// Accuracy of a probe on test and validation images. Without images to choose on its last epoch counts.
fn probe(config: ProbeConfig, features: &Parts, lab: &Lab) -> Result<(f64, f64)> {
    let Parts { training, validation, test, classes } = features;
    let epochs = lab.epochs(config.epochs);
    let mut config = config.with_classes(*classes).with_epochs(epochs).with_seed(lab.seed);
    let mut judged = validation;
    if validation.is_empty() {
        config.keep = ProbeEpoch::Last;
        judged = test;
    }
    let bar = progress::bar(epochs).with_message("classifier");
    let probe = config.train(training, judged, &lab.setting.device, |epoch| {
        bar.inc(1);
        bar.set_message(format!("classifier: {:.2} %", epoch.validation));
    })?;
    bar.finish_and_clear();
    Ok((probe.accuracy(test)?, probe.validation))
}

fn file_name(row: &str) -> String {
    row.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
