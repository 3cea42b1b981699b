//! A linear classifier in two factors, of channels and of positions.

mod rows;
mod scores;
mod standard;
#[cfg(test)]
mod tests;

use burn::{config::Config, tensor::Device};
use burn_hebbian_train::SplitMix;

pub use rows::FeatureRows;

use self::{
    rows::check,
    scores::{Descent, Scores},
    standard::Standard,
};
use super::EvaluationError;
use crate::data::{in_order, shuffled};

/// The stream of the seed that weights are drawn from; an order's are the epochs.
const WEIGHTS: u64 = 1 << 32;

/// Features that are classified at a time.
const CHUNK: usize = 256;

/// How a linear classifier in two factors is trained: softmax regression whose weights are a product, of a few combinations of
/// channels that all positions share and of what classes make of them at every position.
///
/// ```text
/// score_c = b_c + Σ_g Σ_h Σ_p V[g, h, p, c] Σ_j U[g, h, j] x̂[g, j, p]        x̂ = (x − μ_j) / √(σ_j² + 10⁻⁵)
/// ```
///
/// for features of channels `j` in groups `g`, at positions `p`, with mean `μ_j` and variance `σ_j²` of a channel over the training
/// features and their positions. `factors` of `h` keep the weights of ten thousands of features few. Features are read row by row
/// ([`FeatureRows`]), memory holds a batch of them.
///
/// The source has a batch norm in the place of `x̂`, with a learned scale and shift that `U` and `b` take over here, and trains on
/// crops and flips.
///
/// Source: L. Thiry, M. Arbel, E. Belilovsky and E. Oyallon, "The unreasonable effectiveness of patches in deep convolutional kernels
/// methods", *ICLR* (2021), arXiv:2101.07528, and its authors' code.
#[derive(Config, Debug, PartialEq)]
pub struct FactoredConfig {
    /// Number of classes.
    #[config(default = 10)]
    pub classes: usize,
    /// Groups that channels are divided into, such as the signs of a code.
    #[config(default = 1)]
    pub groups: usize,
    /// Combinations of channels in each group.
    #[config(default = 64)]
    pub factors: usize,
    /// Passes over the training features.
    #[config(default = 80)]
    pub epochs: usize,
    /// Features a step.
    #[config(default = 128)]
    pub batch: usize,
    /// The learning rate of the first epochs.
    #[config(default = 3e-3)]
    pub rate: f64,
    /// The numbers of epochs after which the rate is divided by ten.
    #[config(default = "vec![50, 75]")]
    pub drops: Vec<usize>,
    /// The momentum of gradient descent.
    #[config(default = 0.9)]
    pub momentum: f64,
    /// The L2 penalty.
    #[config(default = 0.0)]
    pub penalty: f32,
    /// The seed of weights and order.
    #[config(default = 0)]
    pub seed: u64,
}

/// A trained classifier.
#[derive(Debug, Clone)]
pub struct Factored {
    standard: Standard,
    scores: Scores,
}

/// What training says after an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactoredProgress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The mean loss of its steps, without the penalty.
    pub loss: f64,
}

impl FactoredConfig {
    /// Trains a classifier on `device`; `on_epoch` hears of every epoch. The last one's weights are kept.
    ///
    /// The gradient has a closed form: no autodiff is needed.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, features are missing, not finite or cannot be read, a label is none of the classes, or the
    /// loss becomes infinite or NaN.
    pub fn train(
        &self,
        training: &impl FeatureRows,
        device: &Device,
        mut on_epoch: impl FnMut(FactoredProgress),
    ) -> Result<Factored, EvaluationError> {
        self.check(training.dims()[0])?;
        check("training", training, self.classes)?;
        let device = device.clone().inner();
        let standard = Standard::of(training, self.groups)?;
        let mut random = SplitMix::new(self.seed).then(WEIGHTS);
        let mut scores = Scores::new(self, training.dims(), &mut random, &device);
        let mut descent = Descent::new(self.momentum, self.penalty);
        for epoch in 0..self.epochs {
            let (rate, mut losses, mut steps) = (self.rate_of(epoch), None, 0);
            for batch in shuffled(training.labels().len(), self.seed, epoch).chunks(self.batch) {
                let features = standard.batch(training, batch, &device)?;
                let gradient = scores.gradient(features, scores.targets(training, batch));
                let loss = gradient.loss.clone();
                // summed on the device: reading each step's loss would stall it
                losses = Some(losses.map_or(loss.clone(), |sum| sum + loss));
                scores = descent.step(rate, scores, gradient);
                steps += 1;
            }
            let sum = losses.map_or(f32::NAN, |sum| sum.into_scalar::<f32>());
            let loss = f64::from(sum) / steps as f64;
            if !loss.is_finite() {
                return Err(EvaluationError::Diverged { epoch: epoch + 1, loss, rate });
            }
            on_epoch(FactoredProgress { epoch: epoch + 1, loss });
        }
        Ok(Factored { standard, scores })
    }

    /// The rate of an epoch, counted from 0.
    fn rate_of(&self, epoch: usize) -> f64 {
        let drops = self.drops.iter().filter(|&&after| after <= epoch).count();
        self.rate * 0.1f64.powi(i32::try_from(drops).unwrap_or(i32::MAX))
    }

    fn check(&self, channels: usize) -> Result<(), EvaluationError> {
        let counts = [
            ("classes", self.classes),
            ("groups", self.groups),
            ("factors", self.factors),
            ("epochs", self.epochs),
            ("batch", self.batch),
        ];
        for (name, count) in counts {
            require(count > 0, name, "at least 1", count as f64)?;
        }
        let even = channels.is_multiple_of(self.groups);
        require(even, "groups", "a divisor of the channels", self.groups as f64)?;
        require(self.rate.is_finite() && self.rate > 0.0, "rate", "above 0", self.rate)?;
        require((0.0..1.0).contains(&self.momentum), "momentum", "in 0..1", self.momentum)?;
        let penalty = self.penalty;
        require(penalty.is_finite() && penalty >= 0.0, "penalty", "0 or more", f64::from(penalty))
    }
}

impl Factored {
    /// Accuracy on other features, in percent.
    ///
    /// # Errors
    ///
    /// If they are missing, not finite, of another size or cannot be read.
    pub fn accuracy(&self, features: &impl FeatureRows) -> Result<f64, EvaluationError> {
        let guesses = self.guesses(features)?;
        let right =
            guesses.iter().zip(features.labels()).filter(|(guess, label)| **guess == usize::from(**label));
        Ok(100.0 * right.count() as f64 / guesses.len() as f64)
    }

    /// The class of each feature's largest score.
    ///
    /// # Errors
    ///
    /// As [`accuracy`](Self::accuracy).
    pub fn guesses(&self, features: &impl FeatureRows) -> Result<Vec<usize>, EvaluationError> {
        let (got, expected) = (features.dims().iter().product(), self.standard.len());
        if features.labels().is_empty() {
            return Err(EvaluationError::Empty { set: "test" });
        }
        if got != expected {
            return Err(EvaluationError::Length { set: "test", got, expected });
        }
        let mut guesses = Vec::with_capacity(features.labels().len());
        for chunk in in_order(features.labels().len()).chunks(CHUNK) {
            let features = self.standard.batch(features, chunk, &self.scores.device())?;
            guesses.extend(self.scores.guesses(features));
        }
        Ok(guesses)
    }
}

fn require(holds: bool, name: &'static str, range: &'static str, got: f64) -> Result<(), EvaluationError> {
    if holds { Ok(()) } else { Err(EvaluationError::Setting { name, range, got }) }
}
