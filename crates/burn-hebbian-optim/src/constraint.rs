//! What weights are held to after every step.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
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
    /// Dale's principle: a weight keeps the sign it had before training. What would cross zero stops just before it,
    /// at ±1e-30; a weight of 0 stays 0.
    KeepSigns,
    /// `|w| ≤ max`.
    Clip {
        /// The bound, positive.
        max: f64,
    },
}

/// As close to zero as a weight that keeps its sign comes.
const NEAR_ZERO: f64 = 1e-30;

impl Constraint {
    /// The weights `[groups, before, neurons, after]` as they may be; `before` is what they were before the step.
    fn hold(&self, weight: Tensor<4>, before: Option<&Tensor<4>>, layout: &WeightLayout) -> Tensor<4> {
        match (*self, before) {
            (Self::UnitNorm, _) => {
                // clamp: an all-zero neuron has no direction.
                let norm = layout.energy(weight.clone()).sqrt().clamp_min(NEAR_ZERO);
                weight / norm
            }
            (Self::NonNegative, _) => weight.clamp_min(0.0),
            (Self::Clip { max }, _) => weight.clamp(-max, max),
            (Self::KeepSigns, Some(before)) => {
                let sign = before.clone().sign();
                (weight * sign.clone()).clamp_min(NEAR_ZERO) * sign
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
            self.weights.insert(param.id, layer.layout.view(param.val().inner()));
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
            let (dims, autodiff) = (weight.dims(), weight.is_autodiff());
            let held =
                layer.constraints.iter().fold(layer.layout.view(weight.inner()), |weight, constraint| {
                    constraint.hold(weight, before, &layer.layout)
                });
            let held = held.reshape(dims);
            if autodiff { held.autodiff() } else { held }
        })
    }
}
