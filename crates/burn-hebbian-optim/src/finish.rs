//! From sums to the gradient that the optimizer descends: once, after all summing.

use std::{collections::HashMap, sync::Arc};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::{GradientsParams, MultiGradientsParams},
    tensor::{DType, Tensor},
};

use crate::{
    UpdateError,
    assignment::{Assignment, LocalLayer, Role},
    monitor::Flag,
    packing::Parts,
    plan::Plan,
};

/// Gradients of one device or of several.
pub(crate) trait Gradients {
    /// Takes a parameter's gradient, summed over devices.
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>>;

    /// Puts a gradient back where the optimizer will look for it.
    fn put<const D: usize>(&mut self, id: ParamId, gradient: Tensor<D>);
}

impl Gradients for GradientsParams {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.remove(id)
    }

    fn put<const D: usize>(&mut self, id: ParamId, gradient: Tensor<D>) {
        self.register(id, gradient);
    }
}

impl Gradients for MultiGradientsParams {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.remove(id).map(|(gradient, _)| gradient)
    }

    fn put<const D: usize>(&mut self, id: ParamId, gradient: Tensor<D>) {
        let device = gradient.device();
        let place = self.grads.iter_mut().find(|(_, other)| *other == device);
        let (grads, _) = place.expect("a summed gradient lies on the device of one of its summands");
        grads.register(id, gradient);
    }
}

impl Plan {
    /// Turns the sums of all micro-batches into gradients for Burn's optimizers: divides by the mass, mixes with the
    /// backprop gradient and flips the sign to descent; and moves the rules' state one step on.
    ///
    /// Called by [`step`](Self::step); by hand for optimizers of your own.
    ///
    /// # Errors
    ///
    /// If an update is not finite, if a gradient under a local weight holds no sums, or if the plan does not fit the
    /// model. Nothing has been applied then, and a clone of the model, which shares its tensors, is what it was.
    pub fn finish<M: Module>(
        &self,
        model: M,
        mut grads: GradientsParams,
    ) -> Result<(M, GradientsParams), UpdateError> {
        let (model, _) = self.finish_in(model, &mut grads)?;
        Ok((model, grads))
    }

    /// As [`finish`](Self::finish), for the gradients of several devices; sums add up over devices.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn finish_multi<M: Module>(
        &self,
        model: M,
        mut grads: MultiGradientsParams,
    ) -> Result<(M, MultiGradientsParams), UpdateError> {
        let (model, _) = self.finish_in(model, &mut grads)?;
        Ok((model, grads))
    }

    /// Finishes the sums in place; the model with its rules' next state, and what the plan assigned.
    pub(crate) fn finish_in<M: Module, G: Gradients>(
        &self,
        model: M,
        grads: &mut G,
    ) -> Result<(M, Arc<Assignment>), UpdateError> {
        let assignment = self.assign(&model)?;
        let mut finisher = Finisher {
            assignment: &assignment,
            grads,
            flags: (self.check_every != Some(0)).then(Vec::new),
            states: HashMap::new(),
            statistics: HashMap::new(),
            error: None,
        };
        model.visit(&mut finisher);
        let Finisher { flags, states, error, .. } = finisher;
        error.map_or(Ok(()), Err)?;
        self.monitor.record(flags.unwrap_or_default(), self.check_every)?;
        let model = if states.is_empty() { model } else { model.map(&mut Committer { states }) };
        Ok((model, assignment))
    }
}

struct Finisher<'a, G> {
    assignment: &'a Assignment,
    grads: &'a mut G,
    /// None if nobody will look.
    flags: Option<Vec<Flag>>,
    /// What the next state of each rule is made from, by the id of the state.
    states: HashMap<ParamId, NextState>,
    /// The statistics of the layers whose rules learn the bias, by path.
    statistics: HashMap<String, Tensor<1>>,
    error: Option<UpdateError>,
}

struct NextState {
    layer: Arc<LocalLayer>,
    statistics: Option<Tensor<1>>,
}

impl<G: Gradients> ModuleVisitor for Finisher<'_, G> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let layer = match self.assignment.role(param.id) {
            Some(Role::Local(layer)) => layer,
            Some(Role::Bias(layer)) => return self.finish_bias(layer, param),
            _ => return,
        };
        let Some(packed) = self.grads.take::<D>(param.id) else { return };
        if packed.dims() != layer.packed_dims::<D>() {
            self.error.get_or_insert(not_sums(layer, &packed));
            return;
        }
        let weight = param.val().inner().to_device(&packed.device());
        let dtype = weight.dtype();
        let weight = layer.layout.view(weight.cast(packed.dtype()));
        let parts = layer.unpack(packed);
        if let Some(statistics) = parts.statistics.clone().filter(|_| layer.rule.learns_bias()) {
            self.statistics.insert(layer.path.clone(), statistics);
        }
        if let Some(state) = layer.state {
            let statistics = parts.statistics.clone();
            self.states.insert(state, NextState { layer: layer.clone(), statistics });
        }
        let gradient = descent(layer, parts, &weight).cast(dtype);
        self.note(layer, &gradient);
        self.grads.put::<D>(param.id, gradient.reshape(param.lazy_shape()));
    }
}

impl<G: Gradients> Finisher<'_, G> {
    fn note<const D: usize>(&mut self, layer: &LocalLayer, gradient: &Tensor<D>) {
        if let Some(flags) = &mut self.flags {
            flags.push(Flag::new(layer.path.clone(), gradient));
        }
    }

    /// The gradient of a bias; its layer's weight was visited before it.
    fn finish_bias<const D: usize>(&mut self, layer: &LocalLayer, param: &Param<Tensor<D>>) {
        let Some(statistics) = self.statistics.remove(&layer.path) else { return };
        let (bias, dims) = (param.val().inner().to_device(&statistics.device()), param.lazy_shape());
        let dtype = bias.dtype();
        let bias = bias.cast(statistics.dtype()).reshape([layer.layout.total_neurons()]);
        let delta = layer.rule.bias_update(bias, Some(statistics), &layer.layout);
        let gradient = delta.mul_scalar(-layer.local_share).cast(dtype);
        self.note(layer, &gradient);
        self.grads.put::<D>(param.id, gradient.reshape(dims));
    }
}

/// Writes the rules' next states into the model.
struct Committer {
    states: HashMap<ParamId, NextState>,
}

impl ModuleMapper for Committer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(NextState { layer, statistics }) = self.states.remove(&param.id) else { return param };
        param.map(|state| {
            let (dims, dtype, autodiff) = (state.dims(), state.dtype(), state.is_autodiff());
            let state: Tensor<1> = state.inner().reshape([dims.iter().product::<usize>()]).cast(DType::F32);
            let statistics = statistics.map(|sums| sums.to_device(&state.device()));
            let next = layer.rule.next_state(state, statistics, &layer.layout).reshape(dims).cast(dtype);
            if autodiff { next.autodiff() } else { next }
        })
    }
}

/// `α_local · (−ΔW) + α_backprop · ∂L/∂W`: the one place where ascent becomes descent.
fn descent(layer: &LocalLayer, parts: Parts, weight: &Tensor<4>) -> Tensor<4> {
    let delta = layer.rule.finish().apply(parts.numerator, parts.mass, weight, &layer.layout);
    let local = delta.mul_scalar(-layer.local_share);
    match parts.gradient {
        None => local,
        Some(gradient) => local + gradient.mul_scalar(layer.backprop_share),
    }
}

fn not_sums<const D: usize>(layer: &Arc<LocalLayer>, packed: &Tensor<D>) -> UpdateError {
    UpdateError::NotSums {
        layer: layer.path.clone(),
        expected: layer.packed_dims::<D>().to_vec(),
        got: packed.dims().to_vec(),
    }
}
