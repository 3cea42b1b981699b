//! From sums to the gradients that an optimizer descends: once, after all summing, before anything is changed.

use std::{collections::HashMap, sync::Arc};

use burn::{
    module::{ModuleVisitor, Param, ParamId},
    optim::{GradientsParams, MultiGradientsParams},
    tensor::Tensor,
};
use burn_hebbian_core::{Scale, Sums};
use burn_hebbian_nn::internals::Descent;

use crate::{
    Plan, UpdateError,
    bind::{Assignment, LocalLayer, Parameter, Role},
    commit::Commit,
    monitor::Flag,
    packing::Parts,
    running::mean_shift,
    updates::{Demands, Learned},
};

/// Gradients of one device or of several.
pub(crate) trait Gradients {
    /// Takes a parameter's gradient, summed over devices.
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>>;

    /// Takes what the local layer at `place`, whose weight has this id, is to learn by.
    fn take_parts<const D: usize>(
        &mut self,
        _place: usize,
        layer: &LocalLayer,
        id: ParamId,
    ) -> Result<Option<Parts>, UpdateError> {
        let Some(packed) = self.take::<D>(id) else { return Ok(None) };
        let expected = layer.packed_dims::<D>();
        if packed.dims() != expected {
            return Err(not_sums(layer, &expected, &packed.dims()));
        }
        Ok(Some(layer.unpack(packed)))
    }

    /// How many there are, as far as that can be said.
    fn left(&self) -> usize;
}

impl Gradients for GradientsParams {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.remove(id)
    }

    fn left(&self) -> usize {
        self.len()
    }
}

impl Gradients for MultiGradientsParams {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.remove(id).map(|(gradient, _)| gradient)
    }

    fn left(&self) -> usize {
        self.grads.iter().map(|(grads, _)| grads.len()).sum()
    }
}

impl Gradients for Learned {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.grads.remove(id)
    }

    fn take_parts<const D: usize>(
        &mut self,
        place: usize,
        layer: &LocalLayer,
        id: ParamId,
    ) -> Result<Option<Parts>, UpdateError> {
        let gradient = self.grads.remove::<D>(id).filter(|_| layer.mixes_backprop());
        let sums = self.sums.take(place);
        if let Some(Sums { numerator, mass, statistics, .. }) = &sums {
            let len = |part: &Option<Tensor<1>>| part.as_ref().map_or(0, |part| part.dims()[0]);
            let (expected, got) = (layer.lengths(), [numerator.count(), len(mass), len(statistics)]);
            let fits = |(expected, got): (&usize, &usize)| expected == got;
            if !expected.iter().zip(&got).all(fits) {
                return Err(not_sums(layer, &expected, &got));
            }
        }
        Ok(layer.parts(sums, gradient))
    }

    fn left(&self) -> usize {
        self.sums.left() + self.grads.len()
    }
}

/// Visits a model with what its step was taught, and makes of it what the step will do.
///
/// The first error is kept; a model that gave one is to be left as it is.
pub(crate) struct Finisher<'a, G> {
    assignment: &'a Assignment,
    demands: Demands,
    /// The plan, if the optimizer that steps is the one that it gives.
    plan: Option<&'a Plan>,
    grads: &'a mut G,
    /// The number of the next parameter.
    next: usize,
    /// None if nobody will look.
    flags: Option<Vec<Flag>>,
    finished: GradientsParams,
    commit: Commit,
    /// Statistics of the layers whose rules learn the bias or keep state, by place.
    statistics: HashMap<usize, Option<Tensor<1>>>,
    error: Option<UpdateError>,
}

/// What a step will do.
pub(crate) struct Finished {
    pub(crate) grads: GradientsParams,
    pub(crate) commit: Commit,
    pub(crate) flags: Vec<Flag>,
}

impl<'a, G: Gradients> Finisher<'a, G> {
    pub(crate) fn new(
        assignment: &'a Arc<Assignment>,
        demands: Demands,
        plan: Option<&'a Plan>,
        grads: &'a mut G,
    ) -> Self {
        Self {
            assignment,
            demands,
            plan,
            grads,
            next: 0,
            flags: (assignment.check_every > 0).then(Vec::new),
            finished: GradientsParams::new(),
            commit: Commit::new(assignment.clone()),
            statistics: HashMap::new(),
            error: None,
        }
    }

    pub(crate) fn finish(mut self) -> Result<Finished, UpdateError> {
        if self.next < self.assignment.parameters.len() {
            self.fail(|| UpdateError::Foreign { what: "a model with fewer parameters".to_string() });
        }
        if self.grads.left() > 0 {
            let left = self.grads.left();
            self.fail(|| UpdateError::Foreign {
                what: format!("{left} gradient(s) of parameters that the model does not have"),
            });
        }
        let Self { finished, commit, flags, error, .. } = self;
        match error {
            Some(error) => Err(error),
            None => Ok(Finished { grads: finished, commit, flags: flags.unwrap_or_default() }),
        }
    }

    fn fail(&mut self, error: impl FnOnce() -> UpdateError) {
        if self.error.is_none() {
            self.error = Some(error());
        }
    }

    fn note<const D: usize>(&mut self, values: &Tensor<D>) {
        if let Some(flags) = &mut self.flags {
            flags.push(Flag::new(self.next, values));
        }
    }

    /// The gradient of a local weight.
    fn weight<const D: usize>(&mut self, place: usize, param: &Param<Tensor<D>>) {
        let Some(layer) = self.assignment.layer(place) else { return };
        let parts = match self.grads.take_parts::<D>(place, layer, param.id) {
            Ok(Some(parts)) => parts,
            Ok(None) => {
                if self.demands.sums && !layer.optional {
                    self.fail(|| unreached(layer));
                }
                return;
            }
            Err(error) => return self.fail(|| error),
        };
        self.statistics.insert(place, parts.statistics.clone());
        if let Some(descent) = self.descent(layer, param, &parts) {
            if let Some(flags) = &mut self.flags {
                flags.push(Flag::known(self.next, descent.flag()));
            }
            return self.commit.descend(self.next, descent);
        }
        let (device, precise) = parts.numerator.options();
        let weight = param.base().inner().to_device(&device);
        let dtype = weight.dtype();
        let weight = layer.layout.view(weight.cast(precise));
        let gradient = gradient(layer, parts, &weight).cast(dtype);
        self.note(&gradient);
        self.finished.register::<D>(param.id, gradient.reshape(param.lazy_shape()));
    }

    /// The step of a weight in one pass: of a layer that learns by its rule alone, by plain SGD, on the CPU.
    fn descent<const D: usize>(
        &self,
        layer: &LocalLayer,
        param: &Param<Tensor<D>>,
        parts: &Parts,
    ) -> Option<Descent> {
        let entry = self.assignment.parameters[self.next].entry;
        let has_sgd = |plan: &Plan| entry.is_none_or(|entry| plan.entries()[entry].optimizer().is_none());
        let finish = layer.rule.finish();
        if !self.plan.is_some_and(has_sgd) || parts.gradient.is_some() || !finish.is_elementwise() {
            return None;
        }
        let scale = if finish.scale == Scale::None { 1.0 } else { finish.scale.factor(&layer.layout) };
        let factors = [scale as f32, -layer.local_share as f32];
        let divisor = finish.divisor(parts.mass.clone());
        Descent::of(&param.base().inner(), &parts.numerator, divisor.as_ref(), factors, &layer.layout)
    }

    /// The gradient of a bias; its layer's weight was visited before it.
    fn bias<const D: usize>(&mut self, place: usize, param: &Param<Tensor<D>>) {
        let Some(layer) = self.assignment.layer(place) else { return };
        let Some(Some(statistics)) = self.statistics.get(&place).cloned() else { return };
        let (bias, dims) = (param.val().inner().to_device(&statistics.device()), param.lazy_shape());
        let dtype = bias.dtype();
        let bias = bias.cast(statistics.dtype()).reshape([layer.layout.total_neurons()]);
        let delta = layer.rule.bias_update(bias, Some(statistics), &layer.layout);
        let gradient = delta.mul_scalar(-layer.local_share).cast(dtype);
        self.note(&gradient);
        self.finished.register::<D>(param.id, gradient.reshape(dims));
    }

    /// The next state of a rule; its layer's weight was visited before it.
    fn state<const D: usize>(&mut self, place: usize, param: &Param<Tensor<D>>) {
        let (Some(layer), Some(statistics)) = (self.assignment.layer(place), self.statistics.remove(&place))
        else {
            return;
        };
        let state = param.val().inner();
        let state: Tensor<1> = state.reshape([param.lazy_shape().num_elements()]);
        let statistics = statistics.map(|sums| sums.to_device(&state.device()));
        let dtype = statistics.as_ref().map_or(state.dtype(), |sums| sums.dtype());
        let next = layer.rule.next_state(state.cast(dtype), statistics, &layer.layout);
        self.note(&next);
        self.commit.put(self.next, next);
    }

    /// A running statistic after the step.
    fn running<const D: usize>(&mut self, parameter: &Parameter, param: &Param<Tensor<D>>) {
        let Some(packed) = self.grads.take::<D>(param.id) else { return };
        let known = param.val().inner();
        let len = param.lazy_shape().num_elements();
        if packed.dims()[0] != len + 1 {
            return self
                .fail(|| UpdateError::Foreign { what: format!("a gradient for `{}`", parameter.path) });
        }
        let shift = mean_shift(packed.reshape([len + 1])).to_device(&known.device()).cast(known.dtype());
        let moved: Tensor<1> = known.reshape([len]) + shift;
        self.note(&moved);
        self.commit.put(self.next, moved);
    }

    fn backprop<const D: usize>(&mut self, parameter: &Parameter, param: &Param<Tensor<D>>) {
        match self.grads.take::<D>(param.id) {
            Some(gradient) => {
                self.note(&gradient);
                self.finished.register::<D>(param.id, gradient);
            }
            None if self.demands.gradients && !parameter.optional => {
                self.fail(|| UpdateError::NoGradient { parameter: parameter.path.clone() });
            }
            None => {}
        }
    }
}

impl<G: Gradients> ModuleVisitor for Finisher<'_, G> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let assignment = self.assignment;
        match assignment.parameters.get(self.next) {
            Some(parameter) if parameter.id == param.id => match parameter.role {
                Role::Local(place) => self.weight(place, param),
                Role::Bias(place) => {
                    drop(self.grads.take::<D>(param.id));
                    self.bias(place, param);
                }
                Role::State(place) => self.state(place, param),
                Role::Running { .. } => self.running(parameter, param),
                Role::Backprop => self.backprop(parameter, param),
                Role::Frozen => drop(self.grads.take::<D>(param.id)),
            },
            Some(parameter) => {
                self.fail(|| UpdateError::Foreign {
                    what: format!("a model with another parameter `{}`", parameter.path),
                });
            }
            None => self.fail(|| UpdateError::Foreign { what: "a model with more parameters".to_string() }),
        }
        self.next += 1;
    }
}

/// `α_local · (−ΔW) + α_backprop · ∂L/∂W`: the one place where ascent becomes descent.
fn gradient(layer: &LocalLayer, parts: Parts, weight: &Tensor<4>) -> Tensor<4> {
    let numerator = layer.layout.view(parts.numerator.into_values());
    let delta = layer.rule.finish().apply(numerator, parts.mass, weight, &layer.layout);
    let local = delta.mul_scalar(-layer.local_share);
    match parts.gradient {
        None => local,
        Some(gradient) => local + gradient.mul_scalar(layer.backprop_share),
    }
}

/// A layer that learned nothing, and what would have taught it.
fn unreached(layer: &LocalLayer) -> UpdateError {
    let path = layer.path.clone();
    let waits = |what, call| UpdateError::Untaught { layer: path.clone(), what, call };
    if layer.rule.learns_from_given_states() {
        return waits(
            "given states",
            "`teach` of a method of `burn_hebbian::feedback` (or its `learn`, which is the whole pass), or the layer's `observe_at`,",
        );
    }
    match layer.rule.learns_from_spikes() {
        true => {
            waits("spikes", "`Synapses::learn_from` or what calls it (`FirstSpikes::learn`, `stdp::learn`)")
        }
        false => UpdateError::Unreached { layer: path },
    }
}

fn not_sums(layer: &LocalLayer, expected: &[usize], got: &[usize]) -> UpdateError {
    UpdateError::NotSums { layer: layer.path.clone(), expected: expected.to_vec(), got: got.to_vec() }
}
