//! What weights are held to after every step.

use serde::{Deserialize, Serialize};

use crate::PlanError;

/// What the weights of a local layer are held to after every step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Constraint {
    /// `‖w_k‖ = 1` for every neuron; an all-zero neuron stays so.
    UnitNorm,
    /// `w ≥ 0`: what is below becomes 0.
    NonNegative,
    /// Dale's principle: a weight keeps its sign. What would cross zero stops just before it (at ±1e-30, in `f16` at
    /// ±6.2e-5), so that its sign is remembered; a weight of 0 stays 0.
    KeepSigns,
    /// `|w| ≤ max`.
    Clip {
        /// The bound, positive.
        max: f64,
    },
}

impl Constraint {
    pub(crate) fn check(&self, pattern: &str) -> Result<(), PlanError> {
        match *self {
            Self::Clip { max } if !(max as f32).is_normal() || max < 0.0 => {
                Err(PlanError::Clip { pattern: pattern.to_string(), max })
            }
            _ => Ok(()),
        }
    }
}
