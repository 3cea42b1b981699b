//! One classifier's results.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::EvaluationError;
use crate::data::Labeled;

/// A classifier's accuracy on each set of features, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// On what it was trained on.
    pub training: f64,
    /// On what its settings were chosen by.
    pub validation: f64,
    /// On what it had never seen.
    pub test: f64,
}

/// The worth of one layer's features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerScores {
    /// The layer.
    pub layer: String,
    /// A classifier's results on its features.
    pub scores: Scores,
}

impl Scores {
    /// Asks a classifier for its accuracy on each set:
    ///
    /// ```no_run
    /// # use burn_hebbian_lab::{data::Labeled, evaluation::{EvaluationError, RidgeConfig, Scores}};
    /// # fn example(training: &Labeled, validation: &Labeled, test: &Labeled) -> Result<(), EvaluationError> {
    /// # let device = burn::tensor::Device::flex();
    /// let ridge = RidgeConfig::new(vec![1.0, 100.0]).fit(training, validation, &device, |_, _| ())?;
    /// let scores = Scores::of([training, validation, test], |features| ridge.accuracy(features))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `accuracy`.
    pub fn of(
        [training, validation, test]: [&Labeled; 3],
        accuracy: impl Fn(&Labeled) -> Result<f64, EvaluationError>,
    ) -> Result<Self, EvaluationError> {
        Ok(Self { training: accuracy(training)?, validation: accuracy(validation)?, test: accuracy(test)? })
    }

    /// These, of a layer.
    pub fn of_layer(self, layer: impl Into<String>) -> LayerScores {
        LayerScores { layer: layer.into(), scores: self }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { training, validation, test } = self;
        write!(f, "training {training:.2} %, validation {validation:.2} %, test {test:.2} %")
    }
}

impl fmt::Display for LayerScores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.layer, self.scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_keep_their_places() {
        let set = |count| {
            let mut set = Labeled::with_capacity([1, 1, 1], count);
            (0..count).for_each(|_| set.push([0.0], 0));
            set
        };
        let (one, two, three) = (set(1), set(2), set(3));
        let scores = Scores::of([&one, &two, &three], |features| Ok(features.len() as f64)).unwrap();
        assert_eq!(scores, Scores { training: 1.0, validation: 2.0, test: 3.0 });
        let line = "conv1: training 1.00 %, validation 2.00 %, test 3.00 %";
        let layer = scores.of_layer("conv1");
        assert_eq!(layer.to_string(), line);
        let json = serde_json::to_string(&layer).unwrap();
        assert_eq!(serde_json::from_str::<LayerScores>(&json).unwrap(), layer);
    }
}
