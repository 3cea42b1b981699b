//! From the competition's outcome to the post-synaptic coefficient.

use burn::tensor::{Tensor, activation::softmax};
use serde::{Deserialize, Serialize};

use crate::Activation;

/// The post-synaptic coefficient `g` from the competition's outcome `z`, the activity `y` and the similarity `s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
}

impl Gate {
    /// The coefficient, or `None` where it is 1 everywhere; a missing `z` is 1 everywhere.
    ///
    /// `y` and `s` are there for the gates that [read](Self::reads_activity) them.
    pub(crate) fn of(
        &self,
        z: Option<Tensor<4>>,
        y: Option<&Tensor<4>>,
        s: Option<&Tensor<4>>,
        f: &Activation,
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
            Self::Hebb => Some(times(z, y?.clone())),
            Self::Derivative => Some(times(z, y?.clone() * f.derivative(s?.clone()))),
            Self::Difference => Some(minus(z, y?.clone())),
            Self::SoftmaxDifference => Some(minus(z, softmax(s?.clone(), 2))),
        }
    }

    /// Whether the gate reads the activity or the similarity.
    pub(crate) fn reads_activity(&self) -> bool {
        !matches!(self, Self::One | Self::Competition)
    }
}
