//! Each neuron's own rate.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{RuleError, WeightLayout, error::positive};

/// Each neuron's own rate, beside the optimizer's.
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
