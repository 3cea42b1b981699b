//! What weights are held to after every step.

use burn::{
    module::Param,
    tensor::{DType, Tensor},
};
use burn_hebbian_core::WeightLayout;
use serde::{Deserialize, Serialize};

use crate::{PlanError, bind::LocalLayer, commit::put};

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

/// As close to zero as a weight of this type comes that keeps its sign: a normal number.
fn near_zero(dtype: DType) -> f64 {
    if dtype == DType::F16 { 6.2e-5 } else { 1e-30 }
}

impl Constraint {
    /// The weights `[groups, before, neurons, after]` as they may be; `before` is what they were before the step, and
    /// `tiny` is [`near_zero`].
    fn hold(
        &self,
        weight: Tensor<4>,
        before: Option<&Tensor<4>>,
        tiny: f64,
        layout: &WeightLayout,
    ) -> Tensor<4> {
        match (*self, before) {
            (Self::UnitNorm, _) => {
                // clamp: an all-zero neuron has no direction.
                let norm = layout.energy(weight.clone()).sqrt().clamp_min(tiny);
                weight / norm
            }
            (Self::NonNegative, _) => weight.clamp_min(0.0),
            (Self::Clip { max }, _) => weight.clamp(-max, max),
            (Self::KeepSigns, Some(before)) => {
                let sign = before.clone().sign();
                (weight * sign.clone()).clamp_min(tiny) * sign
            }
            (Self::KeepSigns, None) => weight,
        }
    }

    pub(crate) fn check(&self, pattern: &str) -> Result<(), PlanError> {
        match *self {
            Self::Clip { max } if !(max as f32).is_normal() || max < 0.0 => {
                Err(PlanError::Clip { pattern: pattern.to_string(), max })
            }
            _ => Ok(()),
        }
    }
}

impl LocalLayer {
    /// Whether its constraints ask for the weight before the step.
    pub(crate) fn keeps_signs(&self) -> bool {
        self.constraints.contains(&Constraint::KeepSigns)
    }

    /// Holds a weight to the constraints of its layer.
    pub(crate) fn constrain<const D: usize>(
        &self,
        param: Param<Tensor<D>>,
        before: Option<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        if self.constraints.is_empty() {
            return param;
        }
        let precise = |weight: Tensor<D>| match weight.dtype() {
            DType::F64 => self.layout.view(weight),
            _ => self.layout.view(weight.cast(DType::F32)),
        };
        let before = before.map(precise);
        param.map(|old| {
            let tiny = near_zero(old.dtype());
            let hold = |weight, constraint: &Constraint| {
                constraint.hold(weight, before.as_ref(), tiny, &self.layout)
            };
            let held = self.constraints.iter().fold(precise(old.clone().inner()), hold);
            put(held, old)
        })
    }
}
