//! Classification by the nearest training features.

use burn::{config::Config, tensor::Device};

use super::{
    EvaluationError,
    distance::{Comparison, Metric, place},
    features::{check, check_like, classes_of, label, percent_right},
};
use crate::data::Labeled;

/// The class that most of the `k` nearest training features have, the lowest of equally frequent ones. Of equally
/// near features the first counts.
///
/// Distances come from products of chunks of features, never from all at once.
///
/// Source: T. Cover and P. Hart, "Nearest neighbor pattern classification", *IEEE Trans. Inf. Theory* 13 (1967),
/// doi:10.1109/TIT.1967.1053964.
#[derive(Config, Debug, PartialEq)]
pub struct NeighborsConfig {
    /// How many neighbors vote.
    #[config(default = 10)]
    pub k: usize,
    /// How features are compared.
    #[config(default = "Metric::Euclidean")]
    pub metric: Metric,
}

impl NeighborsConfig {
    /// The class of each query.
    ///
    /// # Errors
    ///
    /// If features are missing, not finite or of two lengths, or `k` is 0 or above the number of training features.
    pub fn guesses(
        &self,
        training: &Labeled,
        queries: &Labeled,
        device: &Device,
    ) -> Result<Vec<usize>, EvaluationError> {
        check("training", training)?;
        check_like("test", queries, training.image_len())?;
        if self.k == 0 || self.k > training.len() {
            return Err(EvaluationError::Places { name: "k", most: training.len(), got: self.k });
        }
        let classes = classes_of(training);
        let mut guesses = Vec::with_capacity(queries.len());
        Comparison::new(training, self.metric, device).for_each(queries, |_, keys| {
            let (nearer, last, _) = keys.select_nth_unstable(self.k - 1);
            let nearest = nearer.iter().chain([&*last]);
            guesses.push(majority(nearest.map(|key| label(training, place(*key))), classes));
        });
        Ok(guesses)
    }

    /// Accuracy on queries, in percent. A training feature among them is its own neighbor.
    ///
    /// # Errors
    ///
    /// As [`guesses`](Self::guesses).
    pub fn accuracy(
        &self,
        training: &Labeled,
        queries: &Labeled,
        device: &Device,
    ) -> Result<f64, EvaluationError> {
        Ok(percent_right(&self.guesses(training, queries, device)?, queries))
    }
}

/// The most frequent class, the lowest of equally frequent ones.
fn majority(votes: impl Iterator<Item = usize>, classes: usize) -> usize {
    let mut counts = vec![0; classes];
    votes.for_each(|class| counts[class] += 1);
    (1..classes).fold(0, |best, class| if counts[class] > counts[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::fixtures::{Fixture, list, number, places};

    #[test]
    fn agrees_with_scikit_learn() {
        let Fixture { json, train, test } = Fixture::load();
        for case in list(&json["neighbors"]) {
            let metric = if case["metric"] == "cosine" { Metric::Cosine } else { Metric::Euclidean };
            let config = NeighborsConfig::new().with_k(number(&case["k"]) as usize).with_metric(metric);
            let guesses = config.guesses(&train, &test, &Device::flex()).unwrap();
            assert_eq!(guesses, places(&case["guesses"]), "{config}");
        }
    }

    #[test]
    fn the_lowest_of_equally_frequent_classes_wins() {
        assert_eq!(majority([3, 1, 2, 3, 1].into_iter(), 4), 1);
        assert_eq!(majority([2].into_iter(), 4), 2);
    }

    #[test]
    fn the_first_of_equally_near_features_counts() {
        let mut line = Labeled::with_capacity([1, 1, 1], 3);
        for (at, class) in [(5.0, 0), (-1.0, 2), (1.0, 1)] {
            line.push([at], class);
        }
        let mut zero = Labeled::with_capacity([1, 1, 1], 1);
        zero.push([0.0], 2);
        let nearest = NeighborsConfig::new().with_k(1);
        assert_eq!(nearest.accuracy(&line, &zero, &Device::flex()), Ok(100.0));
        let all = nearest.with_k(4).guesses(&line, &zero, &Device::flex());
        assert_eq!(all.unwrap_err().to_string(), "k must be in 1..=3, got 4");
    }
}
