//! A bias that learns by the rule.

use alloc::{boxed::Box, vec, vec::Vec};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    Activity, Competition, RuleError, WeightLayout,
    stages::memory::{Cursor, Memory, Seen, Stage, patches, per_neuron, sums},
};

/// What the rule makes of the layer's bias.
///
/// ```
/// # use burn::tensor::{Device, Tensor, Tolerance};
/// use burn_hebbian_core::{Bias, Competition, DenseView, LayerView, Rule, Signals};
/// # let device = Device::flex();
///
/// let softmax = Competition::Softmax { temperature: 1.0 };
/// let rule = Rule::oja().with_competition(softmax).with_bias(Bias::LogPrior);
/// // at shares of 1/2 the first neuron wins the only patch: B = (1 − 1/2) / (1/2) = 1, and −1 for the second
/// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[99.0, 0.0]], &device);
/// let bias = rule.initial_bias(&layer.layout()).unwrap();
/// let layer = layer.with_bias(Tensor::from_data(bias.as_slice(), &device));
/// let update = layer.step(&rule, Signals::none()).unwrap().bias.unwrap();
/// update.into_data().assert_approx_eq::<f32>(&[1.0, -1.0].into(), Tolerance::default());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Bias {
    /// It is no part of the similarity and stays as it is.
    #[default]
    Frozen,
    /// It is the log prior of a mixture model: `u_k = w_k · x + b_k` stands in the place of the similarity, in the decay
    /// too, and with `t = 1 / T` of the softmax and `M` patches
    ///
    /// ```text
    /// B_k = (Σ z_k − M e^{t b_k}) / e^{t b_k}     Δb_k = B_k / (t · max |B|)
    /// ```
    ///
    /// so that with the plain softmax `e^{t b_k}` converges to the share of patches that neuron `k` wins. Starts at `ln(1/K) / t`.
    /// The share of a neuron that never wins falls to `e^−60` and no further; blank batches move no bias.
    ///
    /// Source: T. Moraitis et al., "SoftHebb: Bayesian inference in unsupervised Hebbian soft winner-take-all
    /// networks", *Neuromorph. Comput. Eng.* 2 (2022), doi:10.1088/2634-4386/aca710.
    LogPrior,
}

/// The least `t b`, a share of 1e-26: below `e^−88` its inverse is infinite in `f32`, and `0 · ∞` wins are NaN.
const LEAST_LOG_SHARE: f64 = -60.0;

impl Bias {
    /// The similarities with the bias added, if it is part of them.
    ///
    /// # Panics
    ///
    /// If the layer has no bias.
    pub(crate) fn shift(&self, s: Tensor<4>, activity: &Activity) -> Tensor<4> {
        match self {
            Self::Frozen => s,
            Self::LogPrior => {
                let bias =
                    activity.bias().expect("a plan refuses layers without the bias that a rule learns");
                let bias = per_neuron(bias, &activity.layout()).cast(s.dtype());
                s + bias
            }
        }
    }

    /// `Δb` (ascent) of `groups · neurons` values, from the stage's own statistics.
    pub(crate) fn update(
        &self,
        bias: Tensor<1>,
        statistics: Tensor<1>,
        temperature: f64,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        let dims = [layout.groups, layout.neurons];
        let mut statistics = Cursor::new(statistics);
        let wins = statistics.take(layout.total_neurons()).reshape(dims);
        let patches = statistics.take(1).reshape([1, 1]);
        let log_share = bias.reshape(dims).div_scalar(temperature);
        let excess = wins * log_share.clone().clamp_min(LEAST_LOG_SHARE).neg().exp() - patches;
        let lost = log_share.lower_equal_elem(LEAST_LOG_SHARE);
        // clamp: where every neuron wins its share, B is zero and stays so.
        let largest = excess.clone().abs().max_dim(1).clamp_min(1e-30);
        let update = (excess / largest).mul_scalar(temperature);
        let update = update.clone().mask_where(lost, update.clamp_min(0.0));
        update.reshape([layout.total_neurons()])
    }

    pub(crate) fn check(&self, competition: &Competition) -> Result<(), RuleError> {
        if *self == Self::LogPrior && competition.temperature().is_none() {
            return Err(RuleError::Stages(
                "the bias `log_prior` is that of a softmax: it needs the competition `softmax` or `signed_softmax`",
            ));
        }
        Ok(())
    }
}

impl Stage for Bias {
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        match self {
            Self::Frozen => None,
            Self::LogPrior => Some(Box::new(Wins { neurons: layout.total_neurons() })),
        }
    }
}

/// No state: what a step's update is made of.
struct Wins {
    neurons: usize,
}

impl Memory for Wins {
    fn initial(&self) -> Vec<f32> {
        Vec::new()
    }

    fn statistics_len(&self) -> usize {
        self.neurons + 1
    }

    fn statistics(&self, seen: &Seen, _state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        let z = seen.outcome();
        let patches = patches(&z);
        Some(Tensor::cat(vec![sums(z), patches], 0))
    }
}
