//! The rule of layers that learn from states that are handed to them.

use burn::tensor::Tensor;

use super::bias::mean;
use crate::{Activity, Factors, Finish, LocalRule, Reduction, WeightLayout};

/// The rule of layers that learn from states that somebody else settles: contrastive Hebbian learning, equilibrium
/// propagation, dual propagation.
///
/// ```text
/// ΔW = 1/N Σ_phases k · corr(s_below, U s)     Δb = 1/N Σ_phases k · Σ_positions U s
/// ```
///
/// with the states on both sides of the layer in each phase, the weight `k` of the phase, `U` the transpose of a pooling
/// above the layer, and `N` images, each of which counts once however many phases there are. The bias learns too, if the layer
/// has one. Forward passes teach such a layer nothing.
///
/// ```
/// use burn_hebbian_core::{GivenStates, LocalRule};
///
/// assert!(GivenStates.learns_from_given_states());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenStates;

impl LocalRule for GivenStates {
    fn factors(&self, activity: &Activity) -> Factors {
        Factors::new(activity.dot().zeros_like())
    }

    fn finish(&self) -> Finish {
        Finish::new(Reduction::Mean)
    }

    /// Sums of the bias, and the images.
    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        layout.total_neurons() + 1
    }

    fn learns_bias(&self) -> bool {
        true
    }

    fn needs_bias(&self) -> bool {
        false
    }

    fn learns_from_given_states(&self) -> bool {
        true
    }

    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        statistics.map_or_else(|| bias.zeros_like(), |statistics| mean(statistics, layout))
    }
}
