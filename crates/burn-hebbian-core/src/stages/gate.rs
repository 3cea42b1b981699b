//! From the competition's outcome to the post-synaptic coefficient.

use alloc::{boxed::Box, vec};

use burn::tensor::{Tensor, activation::softmax};
use serde::{Deserialize, Serialize};

use crate::{
    RuleError, WeightLayout,
    error::share,
    stages::memory::{Means, Memory, Seen, Stage, patches, per_neuron, sums},
};

/// The post-synaptic coefficient `g` from the competition's outcome `z`, the activity `y` and the similarity `s`.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Gate, Rule, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // y = 2, and z = 1 without competition
/// for (gate, expected) in [
///     (Gate::One, [[2.0, 1.0]]),
///     (Gate::Hebb, [[4.0, 2.0]]),         // y x
///     (Gate::Difference, [[-2.0, -1.0]]), // (1 − y) x
/// ] {
///     let update = layer.update(&Rule::hebb().with_gate(gate), Signals::none()).unwrap();
///     update.into_data().assert_eq(&expected.into(), false);
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Gate {
    /// `g = 1`: the competition acts elsewhere (independent component analysis).
    One,
    /// `g = z`: who wins learns, however strongly it responded.
    Competition,
    /// `g = z · y`: Hebb's product, among the winners.
    #[default]
    Hebb,
    /// `g = z · y · f′(s)`: Hebb's product with the derivative of the activation.
    Derivative,
    /// `g = z − y`: from the activity to the competition's outcome.
    Difference,
    /// `g = z − softmax(s)` over the neurons of the group.
    SoftmaxDifference,
    /// `g = z · y · (y − θ)`: below the threshold a neuron unlearns, above it learns. `θ_k` is the running mean of
    /// `y_k²`, as the last step left it; at first 0. Blank batches do not move it.
    Bcm {
        /// How fast the threshold runs, in 0..=1.
        momentum: f64,
    },
}

impl Gate {
    /// The coefficient, or `None` where it is 1 everywhere; a missing `z` is 1 everywhere.
    ///
    /// `seen.y` and `seen.s` are there for the gates that [read](Self::reads_activity) them, `slope` answers with
    /// `f′(s)`, and `state` is this stage's own.
    pub(crate) fn of(
        &self,
        z: Option<Tensor<4>>,
        seen: &Seen,
        slope: impl FnOnce() -> Tensor<4>,
        state: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Option<Tensor<4>> {
        let times = |z: Option<Tensor<4>>, value: Tensor<4>| match z {
            Some(z) => z * value,
            None => value,
        };
        let minus = |z: Option<Tensor<4>>, value: Tensor<4>| match z {
            Some(z) => z - value,
            None => value.neg().add_scalar(1.0),
        };
        match self {
            Self::One => None,
            Self::Competition => z,
            Self::Hebb => Some(times(z, seen.activity())),
            Self::Derivative => Some(times(z, seen.activity() * slope())),
            Self::Difference => Some(minus(z, seen.activity())),
            Self::SoftmaxDifference => Some(minus(z, softmax(seen.similarity(), 2))),
            Self::Bcm { .. } => {
                let y = seen.activity();
                Some(times(z, y.clone() * (y - per_neuron(state?, layout))))
            }
        }
    }

    /// Whether the gate reads the activity or the similarity.
    pub(crate) fn reads_activity(&self) -> bool {
        !matches!(self, Self::One | Self::Competition)
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        match *self {
            Self::Bcm { momentum } => share("BCM threshold momentum", momentum),
            _ => Ok(()),
        }
    }
}

impl Stage for Gate {
    /// The mean of `y²`.
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        let Self::Bcm { momentum } = *self else { return None };
        let of = |seen: &Seen| {
            let y = seen.activity();
            let count = patches(&y);
            Tensor::cat(vec![sums(y.clone() * y), count], 0)
        };
        Some(Box::new(Means { len: layout.total_neurons(), momentum, of }))
    }
}
