//! What an experiment gave: scores by seed, means with intervals beside what was published.

mod number;

use std::{array, collections::BTreeSet, fmt::Write, path::Path};

use crate::evaluation::Summary;
use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::files::write;
use number::short;

/// What numbers are unless they say otherwise.
pub(crate) const ACCURACY: &str = "test accuracy, %";

/// What retrieval is measured by.
pub(crate) const PRECISION: &str = "mean average precision, %";

/// What one evaluation of one block gave with one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) row: String,
    pub(crate) block: String,
    pub(crate) evaluation: String,
    /// What learned with labels.
    pub(crate) labels: String,
    pub(crate) seed: u64,
    /// What is measured, and its unit.
    #[serde(default = "accuracy", skip_serializing_if = "is_accuracy")]
    pub(crate) measure: String,
    /// The measure's value; accuracies are in percent.
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
    /// What is measured, and its unit.
    pub(crate) measure: String,
    /// Values by seed.
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

/// A line less its control, seed by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// The line it is compared with.
    pub(crate) against: String,
    /// Seeds that both were run with.
    pub(crate) seeds: usize,
    pub(crate) difference: f64,
    /// The 95 % interval is `difference ± interval`.
    pub(crate) interval: f64,
    /// Of Student's paired test.
    pub(crate) p: f64,
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

impl Score {
    /// A value that nothing learned with labels for.
    pub(crate) fn of(row: &str, block: &str, how: &str, measure: &str, seed: u64, value: f64) -> Self {
        Self {
            row: row.to_string(),
            block: block.to_string(),
            evaluation: how.to_string(),
            labels: "nothing".to_string(),
            seed,
            measure: measure.to_string(),
            test: value,
            validation: None,
            published: None,
        }
    }

    /// Beside a published value.
    pub(crate) fn beside(self, published: f64) -> Self {
        Self { published: Some(published), ..self }
    }
}

impl Line {
    /// The lines of scores, in the order in which they first appear.
    pub(crate) fn all(scores: &[Score]) -> Result<Vec<Self>> {
        let key = |score: &Score| {
            let Score { row, block, evaluation, measure, .. } = score;
            [row, block, evaluation, measure].map(String::clone)
        };
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
            measure: first.measure.clone(),
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
    pub(crate) fn write(&self, folder: &Path, markdown: &str) -> Result<()> {
        write(&folder.join("results.json"), &serde_json::to_vec_pretty(self)?)?;
        write(&folder.join("results.csv"), &self.csv()?)?;
        write(&folder.join("results.md"), markdown.as_bytes())
    }

    fn csv(&self) -> Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(vec![]);
        let header = ["row", "block", "evaluation", "labels", "measure", "seed", "test", "published"];
        csv.write_record(header)?;
        for line in &self.lines {
            for (seed, test) in &line.seeds {
                let published = line.published.map_or(String::new(), |published| published.to_string());
                let numbers = [seed.to_string(), test.to_string(), published];
                let words = [&line.row, &line.block, &line.evaluation, &line.labels, &line.measure];
                csv.write_record(words.into_iter().chain(&numbers))?;
            }
        }
        Ok(csv.into_inner()?)
    }

    /// A table, with a heading that says what it is, and what shows its chart; columns that would be empty are left out.
    pub(crate) fn markdown(&self, chart: &str) -> String {
        let mut text =
            format!("# {}\n\n{}\n\nSource: {}\n\n{chart}", self.experiment, self.title, self.source);
        let labels = self.lines.iter().all(Line::is_percentage);
        let cells: Vec<_> = self.lines.iter().map(|line| line.cells(labels)).collect();
        // names have no heading
        let used = |column: usize| column == 0 || cells.iter().any(|cells| !cells[column].is_empty());
        let used: Vec<usize> = (0..COLUMNS).filter(|column| used(*column)).collect();
        let mut row = |cells: &[String; COLUMNS]| {
            let cells: Vec<&str> = used.iter().map(|column| cells[*column].as_str()).collect();
            // writing to a string does not fail
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        };
        row(&headings(labels));
        row(&array::from_fn(|_| "---".to_string()));
        cells.iter().for_each(row);
        text
    }
}

/// Columns of the table.
const COLUMNS: usize = 12;

/// What stands above the columns.
fn headings(labels: bool) -> [String; COLUMNS] {
    let [of, how, what, value] = match labels {
        true => ["block", "judged by", "learns with labels", "test %"],
        false => ["of", "how", "measure", "value"],
    };
    let headings = [
        "",
        of,
        how,
        what,
        "seeds",
        value,
        "±",
        "published",
        "difference",
        "against",
        "paired difference",
        "±",
    ];
    headings.map(ToString::to_string)
}

impl Line {
    fn is_percentage(&self) -> bool {
        [ACCURACY, PRECISION].contains(&self.measure.as_str())
    }

    /// The cells of its row, with what learned with labels or with the measure.
    fn cells(&self, labels: bool) -> [String; COLUMNS] {
        let show = |value: f64| if self.is_percentage() { format!("{value:.2}") } else { short(value) };
        let signed = |value: f64| format!("{}{}", if value < 0.0 { "" } else { "+" }, show(value));
        let of_number = |number: Option<f64>| number.map_or(String::new(), show);
        let comparison =
            |show: fn(&Comparison) -> String| self.comparison.as_ref().map_or(String::new(), show);
        [
            self.row.clone(),
            self.block.clone(),
            self.evaluation.clone(),
            if labels { self.labels.clone() } else { self.measure.clone() },
            self.seeds.len().to_string(),
            show(self.mean),
            of_number(self.interval),
            of_number(self.published),
            self.difference.map_or(String::new(), signed),
            comparison(|found| found.against.clone()),
            comparison(|found| format!("{:+.2}", found.difference)),
            comparison(|found| format!("{:.2}", found.interval)),
        ]
    }
}

fn accuracy() -> String {
    ACCURACY.to_string()
}

fn is_accuracy(measure: &str) -> bool {
    measure == ACCURACY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracy_score(seed: u64, test: f64) -> Score {
        let score = Score::of("row", "conv1", "linear, SGD", ACCURACY, seed, test);
        Score { validation: Some(1.5), ..score }.beside(60.0)
    }

    /// Files of rows say no measure where it is the accuracy: what was written before measures is read, and written alike.
    #[test]
    fn accuracies_are_written_as_ever() {
        let json = r#"{"row":"row","block":"conv1","evaluation":"linear, SGD","labels":"nothing","seed":3,"test":61.5,"validation":1.5,"published":60.0}"#;
        let score: Score = serde_json::from_str(json).unwrap();
        assert_eq!(score, accuracy_score(3, 61.5));
        assert_eq!(serde_json::to_string(&score).unwrap(), json);
    }

    #[test]
    fn seeds_of_one_measure_make_a_line() {
        let cosine = Score::of("row", "conv1", "linear, SGD", "|cos|", 0, 0.99986);
        let scores = [accuracy_score(0, 61.0), cosine, accuracy_score(1, 62.0)];
        let lines = Line::all(&scores).unwrap();
        assert_eq!(lines.iter().map(|line| line.seeds.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((lines[0].mean, lines[0].difference), (61.5, Some(1.5)));
        let cells = lines[1].cells(false);
        assert_eq!([&cells[3], &cells[5], &cells[6]], ["|cos|", "0.99986", ""]);
    }

    #[test]
    fn tables_have_a_number_a_cell_and_no_empty_columns() {
        let results = |scores: &[Score]| Results {
            experiment: "name".to_string(),
            title: "title".to_string(),
            source: "source".to_string(),
            scale: "full".to_string(),
            lines: Line::all(scores).unwrap(),
        };
        let one = results(&[accuracy_score(0, 61.0)]).markdown("");
        assert!(one.contains("| test % | published | difference |\n| --- |"), "{one}");
        assert!(one.contains("| 1 | 61.00 | 60.00 | +1.00 |\n"), "{one}");
        let two =
            results(&[accuracy_score(0, 61.0), accuracy_score(1, 62.0)]).markdown("![chart](a.png)\n\n");
        assert!(two.contains("source\n\n![chart](a.png)\n\n|  | block |"), "{two}");
        assert!(two.contains("| 2 | 61.50 | 6.35 | 60.00 | +1.50 |\n"), "{two}");
    }
}
