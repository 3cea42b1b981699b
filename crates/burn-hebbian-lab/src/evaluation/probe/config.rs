//! How a probe is trained.

use burn::config::Config;

use crate::evaluation::EvaluationError;

/// How a probe, softmax regression on fixed features, is trained: by default [as in the
/// thesis](Self::thesis).
#[derive(Config, Debug, PartialEq)]
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
    /// The numbers of epochs after which the rate is halved.
    #[config(default = "(10..20).collect()")]
    pub halvings: Vec<usize>,
    /// What follows the gradient.
    #[config(default = "ProbeOptimizer::thesis()")]
    pub optimizer: ProbeOptimizer,
    /// The probability that a value of a training feature is dropped in a step; the others grow so that the sum
    /// stays the same on average. In steps of 2⁻¹⁶.
    #[config(default = 0.0)]
    pub dropout: f64,
    /// The first weights.
    #[config(default = "ProbeInit::Linear")]
    pub init: ProbeInit,
    /// Which epoch's weights are kept.
    #[config(default = "ProbeEpoch::Best")]
    pub keep: ProbeEpoch,
    /// The seed of weights, order and dropout.
    #[config(default = 0)]
    pub seed: u64,
}

/// What follows a probe's gradient.
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub enum ProbeOptimizer {
    /// Gradient descent with Nesterov momentum.
    Sgd {
        /// The momentum.
        momentum: f64,
        /// The L2 penalty on weights and biases.
        penalty: f32,
    },
    /// Adam with β = (0.9, 0.999), ε = 10⁻⁸.
    Adam {
        /// The L2 penalty on weights and biases.
        penalty: f32,
    },
}

/// A probe's first weights; its biases begin uniform in ±1/√values.
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub enum ProbeInit {
    /// Uniform in ±1/√values, as a linear layer's.
    Linear,
    /// Uniform in `0..scale`.
    Positive {
        /// The bound.
        scale: f32,
    },
}

/// The epoch whose weights a probe keeps.
#[derive(Config, Debug, PartialEq)]
pub enum ProbeEpoch {
    /// The one that was best on the validation features, the first of equal ones.
    Best,
    /// The last one, whatever the validation features say.
    Last,
}

impl ProbeConfig {
    /// 20 epochs of SGD with Nesterov momentum 0.9 and L2 penalty 5·10⁻⁴, batches of 64, rate 10⁻³, halved after
    /// every epoch from the tenth on.
    ///
    /// Source: G. Lagani, master's thesis, University of Pisa (2019).
    pub fn thesis() -> Self {
        Self::new()
    }

    /// [As in the thesis](Self::thesis), with dropout 0.5.
    ///
    /// Source: G. Lagani, C. Gennaro, H. Fassold and G. Amato, "FastHebb: scaling Hebbian training of deep neural
    /// networks to ImageNet level", SISAP (2022), arXiv:2207.03172.
    pub fn fast_hebb() -> Self {
        Self::new().with_dropout(0.5)
    }

    /// 50 epochs of Adam, batches of 64, dropout 0.5, rate 10⁻³, halved at 20, 35, 50, 60, 70, 80 and 90 % of the
    /// epochs, weights that begin uniform in 0..0.1105; the last epoch counts.
    ///
    /// Source: A. Journé, H. Garcia Rodriguez, Q. Guo and T. Moraitis, "Hebbian deep learning without feedback",
    /// ICLR (2023), arXiv:2209.11883, and its authors' code.
    pub fn soft_hebb() -> Self {
        Self::new()
            .with_epochs(50)
            .with_optimizer(ProbeOptimizer::Adam { penalty: 0.0 })
            .with_halvings(vec![10, 17, 25, 30, 35, 40, 45])
            .with_dropout(0.5)
            .with_init(ProbeInit::Positive { scale: 0.1105 })
            .with_keep(ProbeEpoch::Last)
    }

    /// The rate of an epoch, counted from 0.
    pub(super) fn rate_of(&self, epoch: usize) -> f64 {
        let halvings = self.halvings.iter().filter(|&&after| after <= epoch).count();
        self.rate * 0.5f64.powi(i32::try_from(halvings).unwrap_or(i32::MAX))
    }

    pub(super) fn check(&self) -> Result<(), EvaluationError> {
        let counts = [("classes", self.classes), ("epochs", self.epochs), ("batch", self.batch)];
        for (name, count) in counts {
            require(count > 0, name, "at least 1", count as f64)?;
        }
        require(self.rate.is_finite() && self.rate > 0.0, "rate", "above 0", self.rate)?;
        require((0.0..1.0).contains(&self.dropout), "dropout", "in 0..1", self.dropout)?;
        let (ProbeOptimizer::Sgd { penalty, .. } | ProbeOptimizer::Adam { penalty }) = self.optimizer;
        require(penalty.is_finite() && penalty >= 0.0, "penalty", "0 or more", f64::from(penalty))
    }
}

impl ProbeOptimizer {
    /// SGD with momentum 0.9 and penalty 5·10⁻⁴.
    pub fn thesis() -> Self {
        Self::Sgd { momentum: 0.9, penalty: 5e-4 }
    }
}

fn require(holds: bool, name: &'static str, range: &'static str, got: f64) -> Result<(), EvaluationError> {
    if holds { Ok(()) } else { Err(EvaluationError::Setting { name, range, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_halved_after_the_tenth_epoch() {
        let config = ProbeConfig::thesis();
        let rates = [0, 9, 10, 11, 19].map(|epoch| config.rate_of(epoch) / config.rate);
        assert_eq!(rates, [1.0, 1.0, 0.5, 0.25, 2f64.powi(-10)]);
    }

    #[test]
    fn soft_hebbs_rate_is_halved_seven_times() {
        let config = ProbeConfig::soft_hebb();
        let rates = [9, 10, 16, 17, 44, 45, 49].map(|epoch| config.rate_of(epoch) / config.rate);
        assert_eq!(rates, [1.0, 0.5, 0.5, 0.25, 2f64.powi(-6), 2f64.powi(-7), 2f64.powi(-7)]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |config: ProbeConfig| config.check().unwrap_err().to_string();
        assert_eq!(message(ProbeConfig::new().with_dropout(1.0)), "dropout must be in 0..1, got 1");
        assert_eq!(message(ProbeConfig::new().with_batch(0)), "batch must be at least 1, got 0");
        assert_eq!(message(ProbeConfig::new().with_rate(f64::NAN)), "rate must be above 0, got NaN");
        let penalized = ProbeConfig::new().with_optimizer(ProbeOptimizer::Adam { penalty: -0.5 });
        assert_eq!(message(penalized), "penalty must be 0 or more, got -0.5");
        assert_eq!(ProbeConfig::soft_hebb().check(), Ok(()));
    }

    #[test]
    fn survives_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probe.json");
        for config in [ProbeConfig::thesis(), ProbeConfig::fast_hebb(), ProbeConfig::soft_hebb()] {
            config.save(&path).unwrap();
            assert_eq!(ProbeConfig::load(&path).unwrap(), config);
        }
    }
}
