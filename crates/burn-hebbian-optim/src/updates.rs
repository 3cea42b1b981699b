//! What a step is made of: sums of local layers, gradients, and how running statistics are to move.

use std::{collections::HashMap, sync::Arc};

use burn::optim::GradientsParams;
use burn_hebbian_core::Sums;

use crate::{
    BoundPlan, UpdateError,
    bind::{Assignment, LocalLayer, Parameter},
    ranks::by_rank,
    running::Shifts,
};

/// What one or several forward passes taught: all that a step needs.
///
/// Passes over parts of a batch [add up](Self::merge) exactly, whatever the rule divides by; gradients of backprop add up as
/// they are, as in Burn.
#[must_use = "nothing is learnt until `step` gets the updates"]
#[derive(Debug)]
pub struct Updates {
    pub(crate) plan: BoundPlan,
    pub(crate) assignment: Arc<Assignment>,
    /// Packed sums, gradients and shifts, by the ids of the parameters.
    pub(crate) grads: GradientsParams,
    pub(crate) demands: Demands,
}

/// What a step insists on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demands {
    /// That every local layer has sums.
    pub(crate) sums: bool,
    /// That every parameter that learns by backprop has a gradient.
    pub(crate) gradients: bool,
}

impl Updates {
    pub(crate) fn pack(
        plan: BoundPlan,
        assignment: Arc<Assignment>,
        mut sums: HashMap<usize, Sums>,
        shifts: Shifts,
        mut grads: GradientsParams,
        backward: bool,
    ) -> Self {
        for (place, layer) in assignment.learning() {
            let weight = &assignment.parameters[layer.weight];
            let sums = sums.remove(&place);
            by_rank!(weight.shape.len(), D => {
                let gradient = grads.remove::<D>(weight.id).filter(|_| layer.mixes_backprop());
                if sums.is_some() || gradient.is_some() {
                    grads.register::<D>(weight.id, layer.pack(sums, gradient));
                }
            });
        }
        for (id, shift) in shifts.packed() {
            let Some(parameter) = assignment.running(id) else { continue };
            by_rank!(parameter.shape.len(), D => {
                let mut dims = [1; D];
                dims[0] = shift.dims()[0];
                grads.register::<D>(id, shift.reshape(dims));
            });
        }
        Self { plan, assignment, grads, demands: Demands { sums: true, gradients: backward } }
    }

    /// Both together, as those of one batch.
    ///
    /// # Errors
    ///
    /// If they are of two models or two bindings of a plan.
    pub fn merge(mut self, mut other: Self) -> Result<Self, UpdateError> {
        if !self.plan.is_same(&other.plan) || self.assignment.key != other.assignment.key {
            return Err(UpdateError::Foreign { what: "updates to merge".to_string() });
        }
        for parameter in &self.assignment.parameters {
            by_rank!(parameter.shape.len(), D => {
                let Some(more) = other.grads.remove::<D>(parameter.id) else { continue };
                let sum = match self.grads.remove::<D>(parameter.id) {
                    Some(known) => known + more,
                    None => more,
                };
                self.grads.register::<D>(parameter.id, sum);
            });
        }
        let Demands { sums, gradients } = self.demands;
        self.demands =
            Demands { sums: sums && other.demands.sums, gradients: gradients || other.demands.gradients };
        Ok(self)
    }

    /// Lets the step leave out local layers that no pass has reached, and parameters without a gradient; without this such
    /// a step is refused, but for what the plan calls [optional](crate::Entry::optional).
    pub fn partial(mut self) -> Self {
        self.demands = Demands { sums: false, gradients: false };
        self
    }

    /// As Burn's gradients, for trainers that hand these to
    /// [`BoundPlan::optimize`]: burn-train's do, and add them up over micro-batches and devices.
    ///
    /// Sums of local layers in them have shapes of their own: an optimizer of Burn's refuses them.
    pub fn into_grads(self) -> GradientsParams {
        self.grads
    }

    /// The paths of the parameters that anything is in them for, in the model's order.
    pub fn parameters(&self) -> Vec<&str> {
        let holds = |parameter: &&Parameter| by_rank!(parameter.shape.len(), D => self.grads.get::<D>(parameter.id).is_some());
        self.assignment.parameters.iter().filter(holds).map(|parameter| parameter.path.as_str()).collect()
    }

    /// The local layers that the passes have reached, in the model's order.
    pub fn reached(&self) -> Vec<&str> {
        let held = self.parameters();
        let reached =
            |layer: &LocalLayer| held.contains(&self.assignment.parameters[layer.weight].path.as_str());
        let layers = self.assignment.learning().filter(|(_, layer)| reached(layer));
        layers.map(|(_, layer)| layer.path.as_str()).collect()
    }
}
