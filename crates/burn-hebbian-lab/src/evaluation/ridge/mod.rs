//! A linear classifier in closed form.

mod products;
mod system;

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};
use faer::Mat;

use self::{products::Centered, system::System};
use super::{
    EvaluationError,
    features::{check, check_labels, check_like, classes_of, guesses, matrix, percent_right},
};
use crate::data::Labeled;

/// Ridge regression to a target of 1 for a feature's class and −1 for the others.
///
/// ```text
/// W = (XᵀX + λI)⁻¹ Xᵀ Y = Xᵀ (XXᵀ + λI)⁻¹ Y
/// ```
///
/// with `X` `[n, values]` the features less their mean and `Y` `[n, classes]` the targets less theirs. The first form
/// is solved where there are at least as many features as values, else the second; products in `f32` on the device,
/// their sums and the Cholesky factors in `f64`. Memory: the square matrix twice.
///
/// Source: A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
/// *Technometrics* 12 (1970), doi:10.1080/00401706.1970.10488634.
#[derive(Config, Debug, PartialEq)]
pub struct RidgeConfig {
    /// The penalties `λ`, of which the best on the validation features is taken, the first of equal ones.
    pub penalties: Vec<f64>,
}

/// A ridge classifier.
#[derive(Debug, Clone)]
pub struct Ridge {
    /// The mean training feature, `[1, values]`.
    mean: Tensor<2>,
    /// `[values, classes]`.
    weights: Tensor<2>,
    /// The mean target, `[1, classes]`.
    offsets: Tensor<2>,
    /// The penalty that was best on the validation features.
    pub penalty: f64,
    /// Accuracy on them, in percent.
    pub validation: f64,
}

impl RidgeConfig {
    /// The best classifier; `on_penalty` hears every penalty at which the matrix is not singular, and its accuracy on the
    /// validation features.
    ///
    /// # Errors
    ///
    /// If there is no penalty or one is negative, features are missing, not finite or of two lengths, a validation
    /// label is none of the training labels' `0..=largest`, or the matrix is singular at every penalty.
    pub fn fit(
        &self,
        training: &Labeled,
        validation: &Labeled,
        device: &Device,
        mut on_penalty: impl FnMut(f64, f64),
    ) -> Result<Ridge, EvaluationError> {
        self.check()?;
        check("training", training)?;
        check_like("validation", validation, training.image_len())?;
        check_labels("validation", validation, classes_of(training))?;
        let features = Centered::new(training, &device.clone().inner());
        let (targets, offsets) = centered_targets(training);
        let system = System::new(&features, targets);
        let mut best: Option<Ridge> = None;
        let mut refused = no_penalty();
        for &penalty in &self.penalties {
            let solution = match system.solve(penalty, &features) {
                Ok(solution) => solution,
                Err(singular) => {
                    refused = singular;
                    continue;
                }
            };
            let mut ridge = Ridge::new(&features, solution, &offsets, penalty);
            ridge.validation = ridge.accuracy(validation)?;
            on_penalty(penalty, ridge.validation);
            best = best.filter(|best| best.validation >= ridge.validation).or(Some(ridge));
        }
        best.ok_or(refused)
    }

    fn check(&self) -> Result<(), EvaluationError> {
        let bad = |penalty: &&f64| !penalty.is_finite() || **penalty < 0.0;
        match self.penalties.iter().find(bad) {
            Some(&got) => Err(EvaluationError::Setting { name: "penalty", range: "0 or more", got }),
            None if self.penalties.is_empty() => Err(no_penalty()),
            None => Ok(()),
        }
    }
}

impl Ridge {
    /// `solution`: `[values, classes]`.
    fn new(features: &Centered<'_>, solution: Mat<f64>, offsets: &[f64], penalty: f64) -> Self {
        let device = features.device();
        let rows = (0..solution.nrows()).flat_map(|row| solution.row(row).iter().map(|value| *value as f32));
        let weights = matrix(rows.collect(), offsets.len(), device);
        let row = matrix(offsets.iter().map(|offset| *offset as f32).collect(), offsets.len(), device);
        Self { mean: features.mean(), weights, offsets: row, penalty, validation: f64::NAN }
    }

    /// `[n, values]` → `[n, classes]`: `(x − mean) W + mean target`.
    pub fn scores(&self, features: Tensor<2>) -> Tensor<2> {
        (features - self.mean.clone()).matmul(self.weights.clone()) + self.offsets.clone()
    }

    /// The class of each feature's largest score.
    ///
    /// # Errors
    ///
    /// If features are missing, not finite or of another length.
    pub fn guesses(&self, features: &Labeled) -> Result<Vec<usize>, EvaluationError> {
        check_like("test", features, self.weights.dims()[0])?;
        Ok(guesses(features, &self.weights.device(), |chunk| self.scores(chunk)))
    }

    /// Accuracy on features, in percent.
    ///
    /// # Errors
    ///
    /// As [`guesses`](Self::guesses).
    pub fn accuracy(&self, features: &Labeled) -> Result<f64, EvaluationError> {
        Ok(percent_right(&self.guesses(features)?, features))
    }
}

fn no_penalty() -> EvaluationError {
    EvaluationError::Setting { name: "the number of penalties", range: "at least 1", got: 0.0 }
}

/// Targets less their mean, `[n, classes]`, and the mean.
fn centered_targets(training: &Labeled) -> (Mat<f64>, Vec<f64>) {
    let (n, classes) = (training.len(), classes_of(training));
    let target =
        |index: usize, class| if super::features::label(training, index) == class { 1.0 } else { -1.0 };
    let mean = |class| (0..n).map(|index| target(index, class)).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..classes).map(mean).collect();
    (Mat::from_fn(n, classes, |index, class| target(index, class) - means[class]), means)
}

#[cfg(test)]
mod tests;
