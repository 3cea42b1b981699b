//! Synaptic scaling: every neuron's weights grow until it is as active as it should be.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{RuleError, error::finite, error::positive};

/// Whether a neuron's weights are scaled towards a mean activity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Homeostasis {
    /// No.
    #[default]
    None,
    /// Adds `rate · (target − y_k) w_k` for every patch: all weights of a neuron by the same factor, up if it is less
    /// active than `target`, down if more.
    ///
    /// Source: G. G. Turrigiano, "The self-tuning neuron: synaptic scaling of excitatory synapses", *Cell* 135 (2008),
    /// doi:10.1016/j.cell.2008.10.008; as a rule beside Hebbian learning: M. C. W. van Rossum, G. Q. Bi and
    /// G. G. Turrigiano, *J. Neurosci.* 20 (2000), eq. 9.
    Scaling {
        /// The mean activity each neuron should have.
        target: f64,
        /// How fast, against the rest of the rule; positive.
        rate: f64,
    },
}

impl Homeostasis {
    /// The growth of every patch, `rate · (target − y)`, from activities `[n, groups, neurons, positions]`.
    pub(crate) fn growth(&self, y: Option<&Tensor<4>>) -> Option<Tensor<4>> {
        match *self {
            Self::None => None,
            Self::Scaling { target, rate } => Some(y?.clone().neg().add_scalar(target).mul_scalar(rate)),
        }
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        match *self {
            Self::None => Ok(()),
            Self::Scaling { target, rate } => {
                finite("homeostasis target", target)?;
                positive("homeostasis rate", rate)
            }
        }
    }
}
