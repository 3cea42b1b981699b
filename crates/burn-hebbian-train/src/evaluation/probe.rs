//! A linear classifier on fixed features: what a layer is worth.

use burn::{
    config::Config,
    nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig},
    optim::{
        GradientsParams, ModuleOptimizer, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig,
    },
    tensor::Device,
};

use super::accuracy;
use crate::data::{Labelled, shuffled};

/// How a probe is trained: softmax regression by SGD with Nesterov momentum 0.9 and L2 penalty, the published
/// protocol for Hebbian features on CIFAR-10.
///
/// Source: G. Lagani, master's thesis, University of Pisa (2019).
#[derive(Config, Debug)]
pub struct ProbeConfig {
    /// Number of classes.
    #[config(default = 10)]
    pub classes: usize,
    /// Passes over the training features.
    #[config(default = 20)]
    pub epochs: usize,
    /// Features a step.
    #[config(default = 64)]
    pub batch: usize,
    /// The learning rate of the first epochs.
    #[config(default = 1e-3)]
    pub rate: f64,
    /// Epochs before the rate is halved after every further one.
    #[config(default = 10)]
    pub full_rate_epochs: usize,
    /// The L2 penalty.
    #[config(default = 5e-4)]
    pub penalty: f32,
    /// The seed of weights and order.
    #[config(default = 0)]
    pub seed: u64,
}

/// A trained probe, of the epoch that was best on the validation features.
#[derive(Debug)]
pub struct Probe {
    classifier: Linear,
    /// The best epoch, from 1.
    pub epoch: usize,
    /// Accuracy on the validation features after it, in percent.
    pub validation: f64,
}

impl ProbeConfig {
    /// Trains a probe on `device`, which must support autodiff; `on_epoch` hears the accuracy on the
    /// validation features after every epoch.
    pub fn train(
        &self,
        training: &Labelled,
        validation: &Labelled,
        device: &Device,
        mut on_epoch: impl FnMut(f64),
    ) -> Probe {
        device.seed(self.seed);
        let mut classifier = LinearConfig::new(training.image_len(), self.classes).init(device);
        let mut optimizer = self.optimizer();
        let mut best = Probe { classifier: classifier.clone(), epoch: 0, validation: f64::NEG_INFINITY };
        for epoch in 0..self.epochs {
            let order = shuffled(training.len(), self.seed, epoch);
            for batch in order.chunks(self.batch) {
                classifier = step(classifier, &mut optimizer, self.rate_of(epoch), training, batch, device);
            }
            let score = accuracy_of(&classifier, validation);
            if score > best.validation {
                best = Probe { classifier: classifier.clone(), epoch: epoch + 1, validation: score };
            }
            on_epoch(score);
        }
        best
    }

    fn optimizer(&self) -> ModuleOptimizer {
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
        SgdConfig::new()
            .with_momentum(Some(momentum))
            .with_weight_decay(Some(WeightDecayConfig::new(self.penalty)))
            .init()
    }

    fn rate_of(&self, epoch: usize) -> f64 {
        let halvings = (epoch + 1).saturating_sub(self.full_rate_epochs);
        self.rate * 0.5f64.powi(i32::try_from(halvings).unwrap_or(i32::MAX))
    }
}

impl Probe {
    /// Accuracy on other features, in percent.
    pub fn accuracy(&self, features: &Labelled) -> f64 {
        accuracy_of(&self.classifier, features)
    }
}

fn step(
    classifier: Linear,
    optimizer: &mut ModuleOptimizer,
    rate: f64,
    features: &Labelled,
    batch: &[usize],
    device: &Device,
) -> Linear {
    // Plain features are constants: no gradient is computed for them.
    let plain = device.clone().inner();
    let scores = classifier.forward(features.images(batch, &plain).flatten(1, 3));
    let loss = CrossEntropyLossConfig::new().init(device).forward(scores, features.targets(batch, &plain));
    let grads = GradientsParams::from_grads(loss.backward(), &classifier);
    optimizer.step(rate, classifier, grads)
}

fn accuracy_of(classifier: &Linear, features: &Labelled) -> f64 {
    use burn::module::Module;
    let plain = classifier.valid();
    let device = plain.weight.device();
    accuracy(features, &device, |images| plain.forward(images.flatten(1, 3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes on either side of a plane, none too close to it.
    fn separable(count: usize, shift: usize) -> Labelled {
        let mut features = Labelled::with_capacity([2, 1, 1], count);
        for i in shift..shift + count {
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            let along = (i % 7) as f32 - 3.0;
            features.push([side + along, side - along], (i % 2) as u8);
        }
        features
    }

    #[test]
    fn learns_what_is_separable() {
        let config = ProbeConfig::new().with_classes(2).with_rate(0.1).with_batch(8);
        let mut heard = vec![];
        let device = Device::flex().autodiff();
        let probe = config.train(&separable(70, 0), &separable(30, 1), &device, |score| heard.push(score));
        assert_eq!(heard.len(), 20);
        assert_eq!(probe.accuracy(&separable(28, 5)), 100.0);
        assert_eq!(
            (probe.validation, Some(probe.epoch)),
            (100.0, heard.iter().position(|s| *s == 100.0).map(|e| e + 1))
        );
    }

    #[test]
    fn the_rate_is_halved_after_the_tenth_epoch() {
        let config = ProbeConfig::new();
        let rates = [0, 9, 10, 19].map(|epoch| config.rate_of(epoch) / config.rate);
        assert_eq!(rates, [1.0, 1.0, 0.5, 2f64.powi(-10)]);
    }
}
