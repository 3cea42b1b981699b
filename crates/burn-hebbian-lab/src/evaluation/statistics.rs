//! What runs over several seeds say.

use std::fmt;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::EvaluationError;

/// How sure an interval is.
const CONFIDENCE: f64 = 0.95;

/// Mean and spread of runs that differ by their seed alone.
///
/// Source of the interval: Student, "The probable error of a mean", *Biometrika* 6 (1908),
/// doi:10.1093/biomet/6.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of runs.
    pub runs: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the sample; 0 of a single run.
    pub deviation: f64,
    /// The 95 % interval of the mean is `mean ± interval`; none of a single run.
    pub interval: Option<f64>,
}

/// Two methods over the same seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// The second less the first, seed by seed.
    pub difference: Summary,
    /// Student's t of the differences; infinite where all are the same and not 0.
    pub t: f64,
    /// The probability of a t as far from 0, or farther, were the methods equally good.
    pub p: f64,
}

impl Summary {
    /// Mean and spread of `values`, one a run.
    ///
    /// ```text
    /// interval = t₀.₉₇₅(n − 1) · s / √n
    /// ```
    ///
    /// # Errors
    ///
    /// If there are none, or one is not finite.
    pub fn of(values: &[f64]) -> Result<Self, EvaluationError> {
        check(values)?;
        let runs = values.len();
        let mean = values.iter().sum::<f64>() / runs as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        // clamp: one run has no spread.
        let deviation = (squares / (runs - 1).max(1) as f64).sqrt();
        let quantile = |student: StudentsT| student.inverse_cdf(0.5 + CONFIDENCE / 2.0);
        let interval = student(runs).map(|student| quantile(student) * deviation / (runs as f64).sqrt());
        Ok(Self { runs, mean, deviation, interval })
    }
}

impl Paired {
    /// Compares `second` with `first`, of the same seeds in the same order.
    ///
    /// ```text
    /// t = d̄ √n / s_d
    /// ```
    ///
    /// # Errors
    ///
    /// If the lists are not of one length, shorter than 2, or a value is not finite.
    pub fn of(first: &[f64], second: &[f64]) -> Result<Self, EvaluationError> {
        let (expected, got) = (first.len(), second.len());
        if got != expected {
            return Err(EvaluationError::Count { what: "second runs", got, expected });
        }
        check(first)?;
        check(second)?;
        let differences: Vec<f64> = second.iter().zip(first).map(|(second, first)| second - first).collect();
        let difference = Summary::of(&differences)?;
        let student = student(expected).ok_or(EvaluationError::Setting {
            name: "the number of pairs",
            range: "at least 2",
            got: 1.0,
        })?;
        let t = difference.t();
        Ok(Self { difference, t, p: 2.0 * student.sf(t.abs()) })
    }
}

impl Summary {
    fn t(&self) -> f64 {
        let error = self.deviation / (self.runs as f64).sqrt();
        // No difference at all is no evidence, not 0 / 0.
        if self.mean == 0.0 { 0.0 } else { self.mean / error }
    }
}

/// Student's distribution for so many runs; none for one.
fn student(runs: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, runs as f64 - 1.0).ok()
}

fn check(values: &[f64]) -> Result<(), EvaluationError> {
    let range = "finite";
    match values.iter().find(|value| !value.is_finite()) {
        Some(&got) => Err(EvaluationError::Setting { name: "a run's result", range, got }),
        None if values.is_empty() => {
            Err(EvaluationError::Setting { name: "the number of runs", range: "at least 1", got: 0.0 })
        }
        None => Ok(()),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, mean, deviation, interval } = self;
        write!(f, "{mean:.2} ± {deviation:.2} over {runs} runs")?;
        match interval {
            Some(interval) => write!(f, ", 95 % in {:.2} … {:.2}", mean - interval, mean + interval),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::fixtures::{Fixture, close, list, number};

    fn runs(name: &str) -> Vec<f64> {
        list(&Fixture::load().json["statistics"][name]).iter().map(number).collect()
    }

    fn expected(names: [&str; 3]) -> [f64; 3] {
        names.map(|name| number(&Fixture::load().json["statistics"][name]))
    }

    #[test]
    fn a_summary_is_scipys() {
        let Summary { runs, mean, deviation, interval } = Summary::of(&runs("a")).unwrap();
        close([mean, deviation, interval.unwrap()], expected(["mean", "deviation", "half"]), 1e-9);
        assert_eq!(runs, 5);
    }

    /// The second less the first: `scipy.stats.ttest_rel(second, first)`.
    #[test]
    fn a_paired_comparison_is_scipys() {
        let Paired { difference, t, p } = Paired::of(&runs("b"), &runs("a")).unwrap();
        close([difference.mean, t, p], expected(["difference", "t", "p"]), 1e-9);
        let [low, high, _] = expected(["low", "high", "p"]);
        let interval = difference.interval.unwrap();
        close([difference.mean - interval, difference.mean + interval], [low, high], 1e-9);
        let swapped = Paired::of(&runs("a"), &runs("b")).unwrap();
        close([swapped.t, swapped.p], [-t, p], 1e-12);
    }

    #[test]
    fn equal_differences_are_no_nan() {
        let same = Paired::of(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!((same.t, same.p), (0.0, 1.0));
        let more = Paired::of(&[1.0, 2.0], &[1.5, 2.5]).unwrap();
        assert_eq!((more.t, more.p), (f64::INFINITY, 0.0));
    }

    #[test]
    fn one_run_has_no_interval() {
        let one = Summary::of(&[80.0]).unwrap();
        assert_eq!((one.deviation, one.interval), (0.0, None));
        assert_eq!(one.to_string(), "80.00 ± 0.00 over 1 runs");
        assert_eq!(
            Summary::of(&[1.0, 3.0]).unwrap().to_string(),
            "2.00 ± 1.41 over 2 runs, 95 % in -10.71 … 14.71"
        );
    }

    #[test]
    fn errors_state_values() {
        let message = |a: &[f64], b: &[f64]| Paired::of(a, b).unwrap_err().to_string();
        assert_eq!(message(&[1.0, 2.0], &[1.0]), "1 second runs, 2 are needed");
        assert_eq!(message(&[1.0], &[1.0]), "the number of pairs must be at least 2, got 1");
        assert_eq!(message(&[1.0, f64::NAN], &[1.0, 2.0]), "a run's result must be finite, got NaN");
        assert_eq!(Summary::of(&[]).unwrap_err().to_string(), "the number of runs must be at least 1, got 0");
    }
}
