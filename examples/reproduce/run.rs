//! Runs the rows of an experiment.

use std::{fs, ops::Range, path::Path, time::Instant};

use anyhow::{Context, Result};
use burn_hebbian::train::data::Parts;
use burn_hebbian::train::evaluation::{
    NeighboursConfig, ProbeConfig, ProbeEpoch, RidgeConfig, TeacherConfig, accuracy,
};
use burn_hebbian_examples::progress;
use serde::{Deserialize, Serialize};

use crate::{
    config::{Evaluation, Row, Table},
    features,
    lab::{Lab, Setting, write},
    results::{ACCURACY, Score},
};

/// Penalties that ridge regression chooses from.
const PENALTIES: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// The scores of all rows whose names contain `part`, seed by seed.
pub(crate) fn table(
    setting: &Setting,
    folder: &Path,
    table: &Table,
    seeds: Range<u64>,
    part: &Option<String>,
) -> Result<Vec<Score>> {
    let asked = |row: &&Row| part.as_ref().is_none_or(|part| row.name.contains(part));
    let mut scores = vec![];
    for seed in seeds {
        for row in table.rows.iter().filter(asked) {
            let net = table.net(row)?;
            for share in shares(row) {
                let name = row.name(share);
                println!("{name}, seed {seed}");
                let lab = Lab::new(setting, table, &net, row, share, seed);
                let started = Instant::now();
                let file = folder.join("rows").join(format!("{}-seed-{seed}.json", file_name(&name)));
                let found =
                    scores_of(&lab, row, &file).with_context(|| format!("row `{name}`, seed {seed}"))?;
                for score in &found {
                    println!("  {}, {}: {:.2} %", score.block, score.evaluation, score.test);
                }
                println!("  {:.1} minutes", started.elapsed().as_secs_f64() / 60.0);
                scores.extend(found);
            }
        }
    }
    Ok(scores)
}

/// The shares of labels a row is run for.
fn shares(row: &Row) -> Vec<Option<f64>> {
    match row.label_shares.as_slice() {
        [] => vec![None],
        shares => shares.iter().copied().map(Some).collect(),
    }
}

/// From the row's file, if it was run before with the same configuration.
fn scores_of(lab: &Lab, row: &Row, file: &Path) -> Result<Vec<Score>> {
    let key = serde_json::to_value(lab.key()?)?;
    if let Ok(json) = fs::read(file) {
        let known: Known = serde_json::from_slice(&json).with_context(|| format!("{}", file.display()))?;
        if known.row == *row && known.key == key {
            return Ok(known.scores);
        }
    }
    let known = Known { row: row.clone(), key, scores: evaluate_all(lab, row)? };
    write(file, &serde_json::to_vec_pretty(&known)?)?;
    Ok(known.scores)
}

/// The file of one row and seed.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    row: Row,
    /// Everything else that the scores depend on.
    key: serde_json::Value,
    scores: Vec<Score>,
}

fn evaluate_all(lab: &Lab, row: &Row) -> Result<Vec<Score>> {
    let last = || lab.stages.last().map(|stage| stage.blocks()[1].clone());
    let blocks = if row.at.is_empty() { last().into_iter().collect() } else { row.at.clone() };
    let mut scores = vec![];
    for (index, block) in blocks.iter().enumerate() {
        let features = match row.evaluate.iter().all(|by| *by == Evaluation::Scores) {
            true => None,
            false => Some(features::of(lab, row, block)?),
        };
        for (number, evaluation) in row.evaluate.iter().enumerate() {
            let (test, validation) = match &features {
                Some(features) if *evaluation != Evaluation::Scores => classify(features, evaluation, lab)?,
                _ => own_scores(lab)?,
            };
            scores.push(Score {
                row: row.name(lab.label_share),
                block: block.clone(),
                evaluation: evaluation.name(),
                labels: row.labels.clone(),
                seed: lab.seed,
                measure: ACCURACY.to_string(),
                test,
                validation,
                published: row.published.get(index).copied().flatten().filter(|_| number == 0),
            });
        }
    }
    Ok(scores)
}

/// The scores of the last stage itself.
fn own_scores(lab: &Lab) -> Result<(f64, Option<f64>)> {
    let (chain, input) = (lab.trained()?, lab.input()?);
    let score = |part| accuracy(part, &lab.setting.device, |images| chain.scores(images));
    let validation = (!input.validation.is_empty()).then(|| score(&input.validation));
    Ok((score(&input.test), validation))
}

/// Accuracy of a classifier on features.
fn classify(features: &Parts, evaluation: &Evaluation, lab: &Lab) -> Result<(f64, Option<f64>)> {
    let Parts { training, validation, test, classes } = features;
    let labelled = lab.labelled(training)?;
    let training = &*labelled;
    let device = &lab.setting.device;
    let both = |scores: (f64, f64)| (scores.0, Some(scores.1));
    Ok(match evaluation {
        Evaluation::Scores => own_scores(lab)?,
        Evaluation::Sgd => both(probe(ProbeConfig::thesis(), features, lab)?),
        Evaluation::SgdEpochs { epochs } => {
            both(probe(ProbeConfig::thesis().with_epochs(*epochs), features, lab)?)
        }
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
            let config = TeacherConfig::new().with_classes(classes.len()).with_seed(lab.seed);
            let neurons = config.with_epochs(lab.epochs(*epochs)).train(training, device)?;
            let validation = (!validation.is_empty()).then(|| neurons.accuracy(validation)).transpose()?;
            (neurons.accuracy(test)?, validation)
        }
    })
}

/// Accuracy of a probe on test and validation images. Without images to choose on its last epoch counts.
fn probe(config: ProbeConfig, features: &Parts, lab: &Lab) -> Result<(f64, f64)> {
    let Parts { training, validation, test, classes } = features;
    let labelled = lab.labelled(training)?;
    let training = &*labelled;
    let epochs = lab.epochs(config.epochs);
    let mut config = config.with_classes(classes.len()).with_epochs(epochs).with_seed(lab.seed);
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

/// Letters and digits of a name.
pub(crate) fn file_name(row: &str) -> String {
    row.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
