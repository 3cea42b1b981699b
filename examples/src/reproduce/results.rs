//! What an experiment gave: scores by seed, means with intervals beside what was published.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use anyhow::Result;
use burn_hebbian::train::evaluation::Summary;
use serde::{Deserialize, Serialize};

use super::{compare::Comparison, lab::write};

/// What one evaluation of one block gave with one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) row: String,
    pub(crate) block: String,
    pub(crate) evaluation: String,
    /// What learnt with labels.
    pub(crate) labels: String,
    pub(crate) seed: u64,
    /// Accuracy in percent on the test images.
    pub(crate) test: f64,
    /// Accuracy in percent on the images it was chosen by, if there were any.
    pub(crate) validation: Option<f64>,
    pub(crate) published: Option<f64>,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) row: String,
    pub(crate) block: String,
    pub(crate) evaluation: String,
    pub(crate) labels: String,
    /// Test accuracy in percent, by seed.
    pub(crate) seeds: Vec<(u64, f64)>,
    pub(crate) mean: f64,
    /// The 95 % interval is `mean ± interval`; none of one seed.
    pub(crate) interval: Option<f64>,
    pub(crate) published: Option<f64>,
    /// `mean − published`.
    pub(crate) difference: Option<f64>,
    /// How it compares with a control, of two seeds or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comparison: Option<Comparison>,
}

/// All lines of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) experiment: String,
    pub(crate) title: String,
    pub(crate) source: String,
    /// `small` or `full`.
    pub(crate) scale: String,
    pub(crate) lines: Vec<Line>,
}

impl Line {
    /// The lines of scores, in the order in which they first appear.
    pub(crate) fn all(scores: &[Score]) -> Result<Vec<Self>> {
        let key = |score: &Score| [score.row.clone(), score.block.clone(), score.evaluation.clone()];
        let mut seen = BTreeSet::new();
        let firsts = scores.iter().filter(|score| seen.insert(key(score)));
        firsts
            .map(|first| Self::of(scores.iter().filter(|score| key(score) == key(first)).collect()))
            .collect()
    }

    fn of(scores: Vec<&Score>) -> Result<Self> {
        let first = scores[0];
        let Summary { mean, interval, .. } =
            Summary::of(&scores.iter().map(|score| score.test).collect::<Vec<_>>())?;
        Ok(Self {
            row: first.row.clone(),
            block: first.block.clone(),
            evaluation: first.evaluation.clone(),
            labels: first.labels.clone(),
            seeds: scores.iter().map(|score| (score.seed, score.test)).collect(),
            mean,
            interval,
            published: first.published,
            difference: first.published.map(|published| mean - published),
            comparison: None,
        })
    }
}

impl Results {
    /// Writes `results.json`, `results.csv` and `results.md`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        write(&folder.join("results.json"), &serde_json::to_vec_pretty(self)?)?;
        write(&folder.join("results.csv"), &self.csv()?)?;
        write(&folder.join("results.md"), self.markdown().as_bytes())
    }

    fn csv(&self) -> Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(vec![]);
        csv.write_record(["row", "block", "evaluation", "labels", "seed", "test", "published"])?;
        for line in &self.lines {
            for (seed, test) in &line.seeds {
                let published = line.published.map_or(String::new(), |published| published.to_string());
                let numbers = [seed.to_string(), test.to_string(), published];
                let words = [&line.row, &line.block, &line.evaluation, &line.labels];
                csv.write_record(words.into_iter().chain(&numbers))?;
            }
        }
        Ok(csv.into_inner()?)
    }

    /// A table, with a heading that says what it is.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n\nSource: {}\n\n", self.experiment, self.title, self.source);
        text.push_str(
            "| | block | classifier | learns with labels | seeds | test % | published | difference | compared |\n",
        );
        text.push_str("|---|---|---|---|---|---|---|---|---|\n");
        for line in &self.lines {
            // writing to a string does not fail
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                line.row,
                line.block,
                line.evaluation,
                line.labels,
                line.seeds.len(),
                line.interval.map_or(format!("{:.2}", line.mean), |interval| format!(
                    "{:.2} ± {interval:.2}",
                    line.mean
                )),
                line.published.map_or(String::new(), |published| format!("{published:.2}")),
                line.difference.map_or(String::new(), |difference| format!("{difference:+.2}")),
                line.comparison.as_ref().map_or(String::new(), ToString::to_string),
            );
        }
        text
    }
}
