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
use crate::{
    data::{Labelled, shuffled},
    order::SplitMix,
};

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
        training: &Labelled,
        validation: &Labelled,
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

    fn check_features(&self, training: &Labelled, validation: &Labelled) -> Result<(), EvaluationError> {
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
        training: &Labelled,
        device: &Device,
    ) -> Result<(Softmax, f64), EvaluationError> {
        let rate = self.rate_of(epoch);
        let mut dropout = Dropout::new(self.dropout, SplitMix::new(self.seed, SEEDS.dropout + epoch as u64));
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
    pub fn accuracy(&self, features: &Labelled) -> Result<f64, EvaluationError> {
        check_like("test", features, self.softmax.weights.dims()[1])?;
        Ok(self.softmax.accuracy(features))
    }

    /// The class of each feature's largest score.
    ///
    /// # Errors
    ///
    /// As [`accuracy`](Self::accuracy).
    pub fn guesses(&self, features: &Labelled) -> Result<Vec<usize>, EvaluationError> {
        check_like("test", features, self.softmax.weights.dims()[1])?;
        Ok(self.softmax.guesses(features))
    }

    /// Weights `[classes, values]` and biases `[1, classes]`.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2>) {
        (self.softmax.weights, self.softmax.biases)
    }
}

impl Softmax {
    fn guesses(&self, features: &Labelled) -> Vec<usize> {
        guesses(features, &self.weights.device(), |chunk| self.scores(chunk))
    }

    fn accuracy(&self, features: &Labelled) -> f64 {
        percent_right(&self.guesses(features), features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::fixtures::{Fixture, close, list, number};

    /// Two classes on either side of a plane, none too close to it.
    fn separable(count: usize, shift: usize) -> Labelled {
        let mut features = Labelled::with_capacity([2, 1, 1], count);
        for i in shift..shift + count {
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            let along = (i % 7) as f32 - 3.0;
            features.push([side + along, side - along], [0, 1][i % 2]);
        }
        features
    }

    fn config() -> ProbeConfig {
        ProbeConfig::new().with_classes(2).with_rate(0.1).with_batch(8)
    }

    fn train(config: &ProbeConfig) -> (Probe, Vec<ProbeProgress>) {
        let mut heard = vec![];
        let (training, validation) = (separable(70, 0), separable(30, 1));
        let probe = config.train(&training, &validation, &Device::flex(), |epoch| heard.push(epoch));
        (probe.unwrap(), heard)
    }

    #[test]
    fn learns_what_is_separable() {
        let (probe, heard) = train(&config());
        assert_eq!(heard.len(), 20);
        assert_eq!(probe.accuracy(&separable(28, 5)), Ok(100.0));
        let best = heard.iter().find(|epoch| epoch.validation == 100.0).map(|found| found.epoch);
        assert_eq!((probe.validation, Some(probe.epoch)), (100.0, best));
    }

    #[test]
    fn every_preset_learns() {
        for preset in [ProbeConfig::thesis(), ProbeConfig::fast_hebb(), ProbeConfig::soft_hebb()] {
            let (probe, heard) = train(&preset.with_classes(2).with_rate(0.05));
            assert_eq!(probe.validation, 100.0, "{heard:?}");
            assert!(heard[heard.len() - 1].loss < heard[0].loss);
        }
    }

    #[test]
    fn the_last_epoch_is_kept_where_it_is_asked_for() {
        let (probe, heard) = train(&config().with_keep(ProbeEpoch::Last));
        assert_eq!((probe.epoch, heard.len()), (20, 20));
    }

    #[test]
    fn a_seed_repeats() {
        let losses = |seed| {
            let (_, heard) = train(&config().with_dropout(0.5).with_seed(seed));
            heard.iter().map(|epoch| epoch.loss).collect::<Vec<_>>()
        };
        assert_eq!(losses(3), losses(3));
        assert_ne!(losses(3), losses(4));
    }

    #[test]
    fn a_loss_that_leaves_the_numbers_is_an_error() {
        let config = config().with_rate(1e30);
        let error = config.train(&separable(70, 0), &separable(30, 1), &Device::flex(), |_| ());
        assert!(matches!(error, Err(EvaluationError::Diverged { rate: 1e30, .. })), "{error:?}");
    }

    #[test]
    fn labels_are_classes() {
        let error =
            config().with_classes(1).train(&separable(4, 0), &separable(4, 0), &Device::flex(), |_| ());
        assert_eq!(
            error.unwrap_err().to_string(),
            "training feature 1 is labelled 1, but the classes are 0..1"
        );
    }

    /// Trained for long on all features at once: the optimum, as scikit-learn finds it.
    #[test]
    fn long_training_reaches_the_optimum() {
        let expected = &Fixture::load().json["logistic"];
        let penalty = number(&expected["penalty"]) as f32;
        let config =
            ProbeConfig::new().with_batch(200).with_epochs(6000).with_rate(0.02).with_halvings(vec![]);
        let (loss, probe) = trained_by(config, ProbeOptimizer::Sgd { momentum: 0.9, penalty });
        close([loss], [number(&expected["loss"])], 1e-5);
        let (weights, biases) = probe.into_parts();
        let rows = list(&expected["weights"]).iter().flat_map(|row| list(row).iter().map(number));
        close(weights.into_data().iter::<f64>(), rows, 1e-3);
        close(biases.into_data().iter::<f64>(), list(&expected["biases"]).iter().map(number), 1e-3);
    }

    #[test]
    fn small_batches_come_near_the_optimum() {
        let expected = &Fixture::load().json["logistic"];
        let penalty = number(&expected["penalty"]) as f32;
        let config = || {
            ProbeConfig::new().with_batch(20).with_epochs(400).with_halvings((200..400).step_by(20).collect())
        };
        let (sgd, _) = trained_by(config().with_rate(0.005), ProbeOptimizer::Sgd { momentum: 0.9, penalty });
        let (adam, _) = trained_by(config().with_rate(0.01), ProbeOptimizer::Adam { penalty });
        close([sgd, adam], [number(&expected["loss"]); 2], 5e-3);
    }

    /// The loss of the last epoch's steps.
    fn trained_by(config: ProbeConfig, optimizer: ProbeOptimizer) -> (f64, Probe) {
        let Fixture { train, test, .. } = Fixture::load();
        let config = config.with_classes(4).with_optimizer(optimizer).with_keep(ProbeEpoch::Last);
        let mut loss = f64::NAN;
        let trained = config.train(&train, &test, &Device::flex(), |epoch| loss = epoch.loss);
        (loss, trained.unwrap())
    }
}
