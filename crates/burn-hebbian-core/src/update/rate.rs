//! Each neuron's own rate.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{RuleError, WeightLayout, error::positive};

/// Each neuron's own rate, beside the optimizer's.
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{DenseView, Rate, Rule, Signals};
/// # let device = Device::flex();
///
/// // norm 5 and y = 5: y x = (5, 5), by √(5 − 1) = 2
/// let rule = Rule::hebb().with_rate(Rate::NormDeviation { power: 0.5 });
/// let layer = DenseView::from_data([[5.0, 0.0]], [[1.0, 1.0]], &device);
/// let update = layer.update(&rule, Signals::none()).unwrap();
/// update.into_data().assert_approx_eq::<f32>(&[[10.0, 10.0]].into(), Tolerance::default());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Rate {
    /// 1.
    #[default]
    One,
    /// `(|‖w_k‖ − 1| + 1e-10)^q`: neurons of unit norm have converged (Journé et al. 2023).
    NormDeviation {
        /// The power `q`, positive.
        power: f64,
    },
}

impl Rate {
    pub(super) fn apply(&self, delta: Tensor<4>, weight: &Tensor<4>, layout: &WeightLayout) -> Tensor<4> {
        match *self {
            Self::One => delta,
            Self::NormDeviation { power } => {
                let norm = layout.energy(weight.clone()).sqrt();
                delta * norm.sub_scalar(1.0).abs().add_scalar(1e-10).powf_scalar(power)
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        match *self {
            Self::One => Ok(()),
            Self::NormDeviation { power } => positive("norm deviation power", power),
        }
    }
}
