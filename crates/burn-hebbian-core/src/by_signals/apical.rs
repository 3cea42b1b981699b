//! Neurons that learn by a signal alone.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::bias::{mean, statistics};
use crate::{Activation, Activity, Factors, Finish, LocalRule, Reduction, RuleError, Signals, WeightLayout};

/// Neurons that learn by a signal from above, and by the slope of their own activation: `ΔW = reduce Σ m f′(a) x` and
/// `Δb = reduce Σ m f′(a)`, with the drive `a = W x + b` and the signal `m` of the layer's
/// [apical signal](Signals::with_apical) or third factor, for each image, neuron and position.
///
/// Whatever makes the signal: a fixed random matrix times the output's error ([direct feedback alignment][dfa]), a learned
/// projection, the layer above. With the gradient of a loss for the layer's output it is backprop of that layer.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::{Activation, Apical, DenseView, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[2.0, -3.0]], &device); // a = (2, −3)
/// let signals = Signals::none().with_third_factor(Tensor::from_data([[0.5, 0.5]], &device));
/// let update = layer.update(&Apical::new(Activation::Relu), signals).unwrap();
/// update.into_data().assert_eq(&[[1.0, -1.5], [0.0, 0.0]].into(), false);
/// ```
///
/// Source: A. Nøkland, "Direct feedback alignment provides learning in deep neural networks", *NeurIPS* (2016).
///
/// [dfa]: https://arxiv.org/abs/1609.01596
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Apical {
    /// The activation whose slope counts; it need not be the layer's output function, but is meant to be.
    pub activation: Activation,
    /// The mean over patches, or their sum.
    pub reduction: Reduction,
}

impl Apical {
    /// The mean over patches.
    pub fn new(activation: Activation) -> Self {
        Self { activation, reduction: Reduction::Mean }
    }

    /// With another reduction; a weighted one is refused.
    pub fn with_reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    /// The coefficients `m f′(a)`, `[n, groups, neurons, positions]`, of drives in this shape and a signal that broadcasts to
    /// it.
    pub fn coefficients(&self, drive: Tensor<4>, signal: Tensor<4>) -> Tensor<4> {
        self.activation.derivative(drive) * signal
    }
}

impl LocalRule for Apical {
    fn factors(&self, activity: &Activity) -> Factors {
        let signal = activity.third_factor().expect("signals are checked before a pass");
        let c = self.coefficients(activity.drive(), signal);
        let [n, _, _, positions] = c.dims();
        let patches = Tensor::full([1], (n * positions) as f64, (&c.device(), c.dtype()));
        Factors::new(c.clone()).with_statistics(statistics(c, patches))
    }

    fn finish(&self) -> Finish {
        Finish::new(self.reduction)
    }

    fn adds_up(&self) -> bool {
        true
    }

    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        layout.total_neurons() + 1
    }

    fn learns_bias(&self) -> bool {
        true
    }

    fn needs_bias(&self) -> bool {
        false
    }

    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        match (statistics, self.reduction) {
            (None, _) => bias.zeros_like(),
            (Some(statistics), Reduction::Sum) => statistics.narrow(0, 0, layout.total_neurons()),
            (Some(statistics), _) => mean(statistics, layout),
        }
    }

    fn check_signals(&self, signals: &Signals, layout: &WeightLayout) -> Result<(), RuleError> {
        if !signals.modulate() {
            return Err(RuleError::SignalMissing { rule: "apical learning" });
        }
        signals.check_third_factor(layout)
    }

    fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        signals.check_third_factor_images(images)
    }

    fn check(&self, _layout: &WeightLayout) -> Result<(), RuleError> {
        if self.reduction == Reduction::Weighted {
            return Err(RuleError::Stages(
                "apical learning takes a sum or a mean: its coefficients have signs",
            ));
        }
        if matches!(self.activation, Activation::AdaptiveScore { .. }) {
            return Err(RuleError::Stages("apical learning keeps no statistics for an adaptive score"));
        }
        self.activation.check()
    }
}
