//! What weights stay between.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{RuleError, error::finite};

/// What weights stay between, and whether updates shrink towards it.
///
/// After every step all weights of the layer are held to the bounds, whatever the optimizer, and whether their neurons learned or not.
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{Bounds, DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[0.5, 0.0]], [[2.0, 2.0]], &device); // y x = (2, 2)
/// for (bounds, expected) in [
///     (Bounds::Hard { min: 0.0, max: 1.0 }, [[0.5, 1.0]]), // to 1 at most
///     (Bounds::Soft { min: 0.0, max: 1.0 }, [[0.5, 0.0]]), // times w (1 − w)
/// ] {
///     let update = layer.update(&Rule::hebb().with_bounds(bounds), Signals::none()).unwrap();
///     update.into_data().assert_approx_eq::<f32>(&expected.into(), Tolerance::default());
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Bounds {
    /// Nothing.
    #[default]
    None,
    /// Weights stop at them.
    Hard {
        /// The least weight.
        min: f64,
        /// The largest weight.
        max: f64,
    },
    /// Updates are multiplied by `(w − min)(max − w)`, the stabilizer of first-spike networks.
    Soft {
        /// The least weight.
        min: f64,
        /// The largest weight.
        max: f64,
    },
}

impl Bounds {
    /// Least and largest weight, if there are such.
    pub fn range(&self) -> Option<(f64, f64)> {
        match *self {
            Self::None => None,
            Self::Hard { min, max } | Self::Soft { min, max } => Some((min, max)),
        }
    }

    /// Weights as they may be.
    pub fn hold<const D: usize>(&self, weight: Tensor<D>) -> Tensor<D> {
        match self.range() {
            None => weight,
            Some((min, max)) => weight.clamp(min, max),
        }
    }

    pub(super) fn apply(&self, delta: Tensor<4>, weight: &Tensor<4>) -> Tensor<4> {
        match *self {
            Self::Soft { min, max } => {
                let room = weight.clone().sub_scalar(min) * weight.clone().neg().add_scalar(max);
                delta * room
            }
            _ => delta,
        }
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let Some((min, max)) = self.range() else { return Ok(()) };
        finite("least weight", min)?;
        finite("largest weight", max)?;
        if min < max { Ok(()) } else { Err(RuleError::Bounds { min, max }) }
    }
}
