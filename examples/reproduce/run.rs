//! Runs the rows of an experiment.

use std::fs;

use anyhow::{Context, Result};
use burn_hebbian::train::{
    data::ChannelStatistics,
    evaluation::{ProbeConfig, accuracy},
};

use crate::{
    config::{Evaluation, Experiment, NetConfig, Row},
    lab::{Lab, Parts, Setting, write},
    results::Score,
};

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
                evaluation: serde_json::to_string(evaluation)?,
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
    let device = lab.setting.device.clone();
    if *evaluation == Evaluation::Scores {
        let chain = lab.trained()?;
        let input = lab.input()?;
        let score = |part| accuracy(part, &device, |images| chain.scores(images));
        let validation = (!input.validation.is_empty()).then(|| score(&input.validation));
        return Ok((score(&input.test), validation));
    }
    let mut features = lab.features(lab.net.index(block)?)?;
    let epochs = match evaluation {
        Evaluation::Sgd { epochs } | Evaluation::Adam { epochs } => lab.epochs(*epochs),
        Evaluation::Scores => 0,
    };
    let statistics = ChannelStatistics::of(&features.training);
    let Parts { training, validation, test, classes } = &mut features;
    [&mut *training, &mut *validation, &mut *test].into_iter().for_each(|part| statistics.standardise(part));
    let config = ProbeConfig::new().with_classes(*classes).with_epochs(epochs).with_seed(lab.seed);
    let probe = config.train(training, validation, &device.autodiff(), |_| {});
    Ok((probe.accuracy(test), Some(probe.validation)))
}

fn file_name(row: &str) -> String {
    row.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
