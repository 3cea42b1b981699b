//! Judges what rows learned.

use crate::data::Parts;
use crate::evaluation::{
    FactoredConfig, FeatureRows, NeighborsConfig, ProbeConfig, ProbeEpoch, RetrievalConfig, RidgeConfig,
    TeacherConfig,
};
use anyhow::Result;

use super::{
    config::{Evaluation, Row},
    features,
    lab::{Lab, Step},
    results::Score,
};

/// Penalties that ridge regression chooses from.
const PENALTIES: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// The blocks whose outputs are judged.
pub(crate) fn judged(lab: &Lab, row: &Row) -> Vec<String> {
    let last = || lab.stages.last().map(|stage| stage.blocks()[1].clone());
    if row.at.is_empty() { last().into_iter().collect() } else { row.at.clone() }
}

/// The scores of a row with one seed.
pub(crate) fn evaluate(lab: &Lab, row: &Row) -> Result<Vec<Score>> {
    let mut scores = vec![];
    let blocks = judged(lab, row);
    let (from_disk, others): (Vec<_>, Vec<_>) =
        row.evaluate.iter().filter(|by| **by != Evaluation::Scores).partition(|by| by.reads_files());
    let by_features = !others.is_empty();
    if by_features || !from_disk.is_empty() {
        features::keep(lab, row, &blocks)?;
    }
    for (index, block) in blocks.iter().enumerate() {
        let features = by_features.then(|| features::of(lab, row, block)).transpose()?;
        for (number, evaluation) in row.evaluate.iter().enumerate() {
            let (test, validation) = match &features {
                _ if evaluation.reads_files() => from_files(lab, row, block, evaluation)?,
                Some(features) if *evaluation != Evaluation::Scores => classify(features, evaluation, lab)?,
                _ => lab.scores()?,
            };
            lab.setting.clock.tick()?;
            scores.push(Score {
                row: row.name(lab.label_share),
                block: block.clone(),
                evaluation: evaluation.name(),
                labels: row.labels.clone(),
                seed: lab.seed,
                measure: evaluation.measure().to_string(),
                test,
                validation,
                published: row.published.get(index).copied().flatten().filter(|_| number == 0),
            });
        }
    }
    Ok(scores)
}

/// Accuracy of a classifier on features.
fn classify(features: &Parts, evaluation: &Evaluation, lab: &Lab) -> Result<(f64, Option<f64>)> {
    let Parts { training, validation, test, classes } = features;
    let labeled = lab.labeled(training)?;
    let training = &*labeled;
    let device = &lab.setting.device;
    let both = |scores: (f64, f64)| (scores.0, Some(scores.1));
    Ok(match evaluation {
        Evaluation::Scores | Evaluation::Factored { .. } => lab.scores()?,
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
        Evaluation::Neighbors => {
            let neighbors = NeighborsConfig::new();
            (neighbors.accuracy(training, test, device)?, None)
        }
        Evaluation::Retrieval => {
            let found = RetrievalConfig::new().evaluate(training, test, device)?;
            (100.0 * found.mean_average_precision, None)
        }
        Evaluation::Teacher { epochs } => {
            let config = TeacherConfig::new().with_classes(classes.len()).with_seed(lab.seed);
            let neurons = config.with_epochs(lab.epochs(*epochs)).train(training, device)?;
            let validation = (!validation.is_empty()).then(|| neurons.accuracy(validation)).transpose()?;
            (neurons.accuracy(test)?, validation)
        }
    })
}

/// Accuracy of a classifier on features that stay where they are kept, on test and validation images.
fn from_files(lab: &Lab, row: &Row, block: &str, evaluation: &Evaluation) -> Result<(f64, Option<f64>)> {
    let Evaluation::Factored { epochs, rate } = *evaluation else {
        anyhow::bail!("`{}` reads no files", evaluation.name())
    };
    let number = lab.net.index(block)?;
    let [training, validation, test] = lab.rows(number, row.mirror)?;
    let epochs = lab.epochs(epochs);
    let groups = if lab.net.blocks[number].code.is_some() { 2 } else { 1 };
    let config = FactoredConfig::new()
        .with_classes(lab.sizes()?.classes)
        .with_groups(groups)
        .with_epochs(epochs)
        .with_rate(rate)
        .with_drops(vec![epochs * 5 / 8, epochs * 15 / 16])
        .with_seed(lab.seed);
    let step = Step::new("classifier".to_string(), epochs);
    let classifier = config.train(&training, &lab.setting.device, |epoch| {
        step.bar.inc(1);
        step.bar.set_message(format!("classifier: loss {:.3}", epoch.loss));
    })?;
    step.done("");
    let held_out = (!validation.labels().is_empty()).then(|| classifier.accuracy(&validation)).transpose()?;
    Ok((classifier.accuracy(&test)?, held_out))
}

/// Accuracy of a probe on test and validation images. Without images to choose on its last epoch counts.
fn probe(config: ProbeConfig, features: &Parts, lab: &Lab) -> Result<(f64, f64)> {
    let Parts { training, validation, test, classes } = features;
    let labeled = lab.labeled(training)?;
    let training = &*labeled;
    let epochs = lab.epochs(config.epochs);
    let mut config = config.with_classes(classes.len()).with_epochs(epochs).with_seed(lab.seed);
    let mut judged = validation;
    if validation.is_empty() {
        config.keep = ProbeEpoch::Last;
        judged = test;
    }
    let step = Step::new("classifier".to_string(), epochs);
    let probe = config.train(training, judged, &lab.setting.device, |epoch| {
        step.bar.inc(1);
        step.bar.set_message(format!("classifier: {:.2} %", epoch.validation));
    })?;
    step.done("");
    Ok((probe.accuracy(test)?, probe.validation))
}
