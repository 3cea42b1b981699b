//! A linear classifier on fixed features: what a layer is worth.

mod config;
mod descent;
mod dropout;
mod softmax;

use burn::tensor::{Device, Tensor};

pub use config::{ProbeConfig, ProbeEpoch, ProbeInit, ProbeOptimizer};

use self::{descent::Descent, dropout::Dropout, softmax::Softmax};
use super::{
    EvaluationError,
    features::{check, check_labels, check_like, guesses, matrix, one_hot, percent_right},
};
use burn_hebbian_train::SplitMix;

use crate::data::{Labeled, shuffled};

/// The streams of a probe's seed; an order's are the epochs.
const SEEDS: Streams = Streams { weights: 1 << 32, dropout: 1 << 33 };

struct Streams {
    weights: u64,
    dropout: u64,
}

/// A trained probe.
#[derive(Debug, Clone)]
pub struct Probe {
    softmax: Softmax,
    /// The epoch whose weights these are, from 1.
    pub epoch: usize,
    /// Accuracy on the validation features after it, in percent.
    pub validation: f64,
}

/// What a probe's training says after an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbeProgress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The mean loss of its steps, without the penalty.
    pub loss: f64,
    /// Accuracy on the validation features after it, in percent.
    pub validation: f64,
}

impl ProbeConfig {
    /// Trains a probe on `device`; `on_epoch` hears of every epoch.
    ///
    /// The gradient has a closed form: no autodiff is needed, and the same seed gives the same probe on the same
    /// kind of device.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, features are missing, not finite or of two lengths, a label is none of the
    /// classes, or the loss becomes infinite or NaN.
    pub fn train(
        &self,
        training: &Labeled,
        validation: &Labeled,
        device: &Device,
        mut on_epoch: impl FnMut(ProbeProgress),
    ) -> Result<Probe, EvaluationError> {
        self.check()?;
        self.check_features(training, validation)?;
        let device = device.clone().inner();
        let size = [training.image_len(), self.classes];
        let mut softmax = Softmax::new(&self.init, size, self.seed, &device);
        let mut descent = Descent::new(&self.optimizer);
        let mut kept: Option<Probe> = None;
        for epoch in 0..self.epochs {
            let loss;
            (softmax, loss) = self.pass(epoch, softmax, &mut descent, training, &device)?;
            let probe = Probe { validation: softmax.accuracy(validation), softmax, epoch: epoch + 1 };
            on_epoch(ProbeProgress { epoch: epoch + 1, loss, validation: probe.validation });
            softmax = probe.softmax.clone();
            kept = Some(self.choose(kept, probe));
        }
        kept.ok_or(EvaluationError::Setting { name: "epochs", range: "at least 1", got: 0.0 })
    }

    fn check_features(&self, training: &Labeled, validation: &Labeled) -> Result<(), EvaluationError> {
        check("training", training)?;
        check_labels("training", training, self.classes)?;
        check_like("validation", validation, training.image_len())?;
        check_labels("validation", validation, self.classes)
    }

    /// One epoch, and the mean loss of its steps.
    fn pass(
        &self,
        epoch: usize,
        mut softmax: Softmax,
        descent: &mut Descent,
        training: &Labeled,
        device: &Device,
    ) -> Result<(Softmax, f64), EvaluationError> {
        let rate = self.rate_of(epoch);
        let mut dropout =
            Dropout::new(self.dropout, SplitMix::new(self.seed).then(SEEDS.dropout + epoch as u64));
        // Summed on the device: reading each step's loss would stall it.
        let mut sum = Tensor::<1>::zeros([1], device);
        for batch in shuffled(training.len(), self.seed, epoch).chunks(self.batch) {
            let features = matrix(dropout.gather(training, batch), training.image_len(), device);
            let gradient = softmax.gradient(features, one_hot(training, batch, self.classes, device));
            sum = sum + gradient.loss.clone();
            softmax = descent.step(rate, softmax, gradient);
        }
        let loss = f64::from(sum.into_scalar::<f32>()) / training.len().div_ceil(self.batch) as f64;
        if loss.is_finite() {
            Ok((softmax, loss))
        } else {
            Err(EvaluationError::Diverged { epoch: epoch + 1, loss, rate })
        }
    }

    fn choose(&self, kept: Option<Probe>, probe: Probe) -> Probe {
        match kept {
            Some(kept) if self.keep == ProbeEpoch::Best && kept.validation >= probe.validation => kept,
            _ => probe,
        }
    }
}

impl Probe {
    /// Accuracy on other features, in percent.
    ///
    /// # Errors
    ///
    /// If they are missing, not finite or of another length.
    pub fn accuracy(&self, features: &Labeled) -> Result<f64, EvaluationError> {
        check_like("test", features, self.softmax.weights.dims()[1])?;
        Ok(self.softmax.accuracy(features))
    }

    /// The class of each feature's largest score.
    ///
    /// # Errors
    ///
    /// As [`accuracy`](Self::accuracy).
    pub fn guesses(&self, features: &Labeled) -> Result<Vec<usize>, EvaluationError> {
        check_like("test", features, self.softmax.weights.dims()[1])?;
        Ok(self.softmax.guesses(features))
    }

    /// Weights `[classes, values]` and biases `[1, classes]`.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2>) {
        (self.softmax.weights, self.softmax.biases)
    }
}

impl Softmax {
    fn guesses(&self, features: &Labeled) -> Vec<usize> {
        guesses(features, &self.weights.device(), |chunk| self.scores(chunk))
    }

    fn accuracy(&self, features: &Labeled) -> f64 {
        percent_right(&self.guesses(features), features)
    }
}

#[cfg(test)]
mod tests;
