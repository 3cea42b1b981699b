//! What weights are held to after every step.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::{DType, Tensor},
};
use burn_hebbian_core::WeightLayout;
use serde::{Deserialize, Serialize};

use crate::{PlanError, assignment::Assignment, plan::Plan};

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
            Self::Clip { max } if !(max.is_finite() && max > 0.0) => {
                Err(PlanError::Clip { pattern: pattern.to_string(), max })
            }
            _ => Ok(()),
        }
    }
}

impl Plan {
    /// Holds the local weights of `model` to the plan's constraints, `before` being the model before the step.
    ///
    /// Called by [`step`](Self::step); by hand for optimizers of your own.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    pub fn constrain<M: Module>(&self, before: &M, model: M) -> Result<M, PlanError> {
        let assignment = self.assign(&model)?;
        let signs = Before::of(before, &assignment);
        Ok(signs.constrain(model, &assignment))
    }
}

/// The weights before a step, of the layers whose constraints ask for them.
#[derive(Default)]
pub(crate) struct Before(HashMap<ParamId, Tensor<4>>);

impl Before {
    pub(crate) fn of<M: Module>(model: &M, assignment: &Assignment) -> Self {
        let mut recall = Recall { assignment, weights: HashMap::new() };
        let asked = |constraints: &[Constraint]| constraints.contains(&Constraint::KeepSigns);
        if assignment.local_layers().any(|(_, layer)| asked(&layer.constraints)) {
            model.visit(&mut recall);
        }
        Self(recall.weights)
    }

    pub(crate) fn constrain<M: Module>(self, model: M, assignment: &Assignment) -> M {
        if assignment.local_layers().all(|(_, layer)| layer.constraints.is_empty()) {
            return model;
        }
        model.map(&mut Hold { assignment, before: self })
    }
}

struct Recall<'a> {
    assignment: &'a Assignment,
    weights: HashMap<ParamId, Tensor<4>>,
}

impl ModuleVisitor for Recall<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(layer) = self.assignment.local(param.id) else { return };
        if layer.constraints.contains(&Constraint::KeepSigns) {
            self.weights.insert(param.id, layer.layout.view(param.val().inner().cast(DType::F32)));
        }
    }
}

struct Hold<'a> {
    assignment: &'a Assignment,
    before: Before,
}

impl ModuleMapper for Hold<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(layer) = self.assignment.local(param.id) else { return param };
        if layer.constraints.is_empty() {
            return param;
        }
        let before = self.before.0.get(&param.id);
        param.map(|weight| {
            let (dims, dtype, autodiff) = (weight.dims(), weight.dtype(), weight.is_autodiff());
            let weight = layer.layout.view(weight.inner().cast(DType::F32));
            let held = layer.constraints.iter().fold(weight, |weight, constraint| {
                constraint.hold(weight, before, near_zero(dtype), &layer.layout)
            });
            let held = held.reshape(dims).cast(dtype);
            if autodiff { held.autodiff() } else { held }
        })
    }
}
