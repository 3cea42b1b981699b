//! Leaky and perfect integrate-and-fire neurons.

use burn::{
    module::Module,
    tensor::{Bool, Tensor},
};

use super::{Comparison, LifConfig, Refractory, Reset, ResetAt};
use crate::{SpikeError, Train};

/// Integrate-and-fire neurons, made by a [`LifConfig`]; for inputs of any rank.
///
/// It has no parameters and keeps no state: both are in no record.
#[derive(Module, Debug)]
pub struct Lif {
    #[module(skip)]
    config: LifConfig,
    decays: Option<Tensor<1>>,
}

impl LifConfig {
    /// The neuron.
    ///
    /// # Errors
    ///
    /// A [`SpikeError`] that states the offending value: a threshold that is not above what neurons rest at or are reset to spikes
    /// without input, for ever.
    pub fn init(&self) -> Result<Lif, SpikeError> {
        self.check()?;
        Ok(Lif::new(self.clone()))
    }
}

/// What neurons carry from step to step, of the shape of their input.
#[derive(Debug, Clone)]
pub struct LifState<const D: usize> {
    /// The potential.
    pub potential: Tensor<D>,
    /// The synaptic current, if there is one.
    pub current: Option<Tensor<D>>,
    /// What is left of the refractory time, if there is one.
    pub refractory: Option<Tensor<D>>,
}

/// What neurons did over time.
#[derive(Debug, Clone)]
pub struct Recorded<const D: usize> {
    /// 1 where they spiked.
    pub spikes: Train<D>,
    /// The potentials after each step.
    pub potentials: Train<D>,
    /// The state after the last step.
    pub state: LifState<D>,
}

impl Lif {
    pub(super) fn new(config: LifConfig) -> Self {
        Self { config, decays: None }
    }

    /// Its configuration.
    pub fn config(&self) -> &LifConfig {
        &self.config
    }

    /// With a decay of each neuron, along axis 1 of its input, in the place of the configuration's.
    pub fn with_decays(mut self, decays: Tensor<1>) -> Self {
        self.decays = Some(decays);
        self
    }

    /// The state of neurons at rest, for inputs of this shape.
    pub fn init_state<const D: usize>(&self, like: &Tensor<D>) -> LifState<D> {
        let full = |value: f64| Tensor::full(like.dims(), value, (&like.device(), like.dtype()));
        LifState {
            potential: full(self.config.rest),
            current: self.config.current_decay.map(|_| full(0.0)),
            refractory: (self.config.refractory != Refractory::None).then(|| full(0.0)),
        }
    }

    /// The potential that a step compares with the threshold.
    pub fn charge<const D: usize>(&self, input: Tensor<D>, state: &LifState<D>) -> Tensor<D> {
        self.integrate(input, state, None).0
    }

    /// Spikes and the state after a step.
    pub fn step<const D: usize>(&self, input: Tensor<D>, state: LifState<D>) -> (Tensor<D>, LifState<D>) {
        self.step_above(input, state, None)
    }

    /// A step with something on top of the threshold of each neuron, along axis 1.
    ///
    /// # Panics
    ///
    /// If there is not one value for each of them.
    pub fn step_above<const D: usize>(
        &self,
        input: Tensor<D>,
        state: LifState<D>,
        raised: Option<Tensor<1>>,
    ) -> (Tensor<D>, LifState<D>) {
        let raised = raised.map(|raised| per_neuron("thresholds", raised, &input));
        let (u, current, was_over) = self.integrate(input, &state, raised.as_ref());
        let fired = self.fire(u.clone(), raised.as_ref());
        let reset = self.reset(u, fired.clone().detach(), was_over, raised.as_ref());
        let (spikes, potential, refractory) = self.rest_after(fired, reset, &state);
        (spikes, LifState { potential, current, refractory })
    }

    /// Whole trains, from rest or from a state.
    pub fn run<const D: usize>(
        &self,
        inputs: &Train<D>,
        state: Option<LifState<D>>,
    ) -> (Train<D>, LifState<D>) {
        self.run_above(inputs, state, None)
    }

    /// Whole trains with something on top of the threshold of each neuron, along axis 1.
    ///
    /// # Panics
    ///
    /// If there is not one value for each of them.
    pub fn run_above<const D: usize>(
        &self,
        inputs: &Train<D>,
        state: Option<LifState<D>>,
        raised: Option<Tensor<1>>,
    ) -> (Train<D>, LifState<D>) {
        let mut state = state.unwrap_or_else(|| self.init_state(&inputs.at(0)));
        let mut spikes = Vec::with_capacity(inputs.steps());
        for t in 0..inputs.steps() {
            let (fired, next) = self.step_above(inputs.at(t), state, raised.clone());
            spikes.push(fired);
            state = next;
        }
        (Train::of_steps(spikes), state)
    }

    /// Whole trains, from rest or from a state, with the potentials.
    pub fn record<const D: usize>(&self, inputs: &Train<D>, state: Option<LifState<D>>) -> Recorded<D> {
        let mut state = state.unwrap_or_else(|| self.init_state(&inputs.at(0)));
        let (mut spikes, mut potentials) = (Vec::new(), Vec::new());
        for t in 0..inputs.steps() {
            let (fired, next) = self.step(inputs.at(t), state);
            spikes.push(fired);
            potentials.push(next.potential.clone());
            state = next;
        }
        Recorded { spikes: Train::of_steps(spikes), potentials: Train::of_steps(potentials), state }
    }

    /// The potential with the input, the current after the step, and where the potential was above the threshold before it, if a
    /// reset asks for that.
    #[allow(clippy::type_complexity)]
    fn integrate<const D: usize>(
        &self,
        input: Tensor<D>,
        state: &LifState<D>,
        raised: Option<&Tensor<D>>,
    ) -> (Tensor<D>, Option<Tensor<D>>, Option<Tensor<D>>) {
        let LifConfig { gain, reset, reset_at, .. } = self.config;
        let input = match (self.config.refractory, &state.refractory) {
            (Refractory::BlockInput { .. }, Some(left)) => {
                input.mask_fill(left.clone().greater_elem(0.0), 0.0)
            }
            _ => input,
        };
        let (input, current) = match (self.config.current_decay, &state.current) {
            (Some(decay), Some(current)) => {
                let current = current.clone() + input;
                (current.clone(), Some(current.mul_scalar(decay)))
            }
            _ => (input, None),
        };
        let input = if gain == 1.0 { input } else { input.mul_scalar(gain) };
        let kept = state.potential.clone();
        let was_over = match (reset, reset_at) {
            (Reset::None, _) | (_, ResetAt::Step) | (Reset::To(_), ResetAt::Carried) => None,
            _ => Some(indicator(self.over(kept.clone(), raised), &kept)),
        };
        let u = match (reset, &was_over) {
            (Reset::Subtract, Some(was_over)) => {
                self.leak(kept) + input - was_over.clone() * self.threshold(was_over, raised)
            }
            (Reset::To(value), Some(was_over)) => {
                self.leak(kept.mask_fill(was_over.clone().greater_elem(0.0), value)) + input
            }
            _ => self.leak(kept) + input,
        };
        (u, current, was_over)
    }

    /// The potential after the step, without what a refractory time does.
    fn reset<const D: usize>(
        &self,
        u: Tensor<D>,
        fired: Tensor<D>,
        was_over: Option<Tensor<D>>,
        raised: Option<&Tensor<D>>,
    ) -> Tensor<D> {
        match (self.config.reset, self.config.reset_at) {
            (Reset::None, _) | (_, ResetAt::NextStep) => u,
            (Reset::To(value), _) => u.mask_fill(fired.greater_elem(0.0), value),
            (Reset::Subtract, _) => {
                let off = match was_over {
                    Some(was_over) => fired - was_over,
                    None => fired,
                };
                u - off.clone() * self.threshold(&off, raised)
            }
        }
    }

    /// Spikes, potential and what is left of the refractory time.
    fn rest_after<const D: usize>(
        &self,
        fired: Tensor<D>,
        reset: Tensor<D>,
        state: &LifState<D>,
    ) -> (Tensor<D>, Tensor<D>, Option<Tensor<D>>) {
        let Some(left) = state.refractory.clone() else { return (fired, reset, None) };
        let spiked = |spikes: &Tensor<D>| spikes.clone().detach().greater_elem(0.0);
        match self.config.refractory {
            Refractory::None => (fired, reset, None),
            Refractory::Freeze { steps } => {
                let rests = left.clone().greater_elem(0.0);
                let spikes = fired.mask_fill(rests.clone(), 0.0);
                let potential = reset.mask_where(rests.clone(), state.potential.clone());
                let left = (left.clone() - indicator(rests, &left)).clamp_min(0.0);
                let left = left.mask_fill(spiked(&spikes), steps);
                (spikes, potential, Some(left))
            }
            Refractory::BlockInput { duration, step } => {
                let left = left.sub_scalar(step).mask_fill(spiked(&fired), duration);
                (fired, reset, Some(left))
            }
        }
    }

    fn leak<const D: usize>(&self, potential: Tensor<D>) -> Tensor<D> {
        let LifConfig { decay, rest, .. } = self.config;
        let by = |potential: Tensor<D>| match &self.decays {
            Some(decays) => {
                let decays = per_neuron("decays", decays.clone(), &potential);
                potential * decays
            }
            None => potential.mul_scalar(decay),
        };
        match (self.decays.is_some(), rest) {
            (false, _) if decay == 1.0 => potential,
            (_, 0.0) => by(potential),
            _ => by(potential.sub_scalar(rest)).add_scalar(rest),
        }
    }

    fn fire<const D: usize>(&self, u: Tensor<D>, raised: Option<&Tensor<D>>) -> Tensor<D> {
        let spikes = indicator(self.over(u.clone(), raised), &u);
        match &self.config.surrogate {
            Some(surrogate) if u.is_autodiff() => {
                let threshold = self.threshold(&u, raised);
                surrogate.attach(spikes, u - threshold)
            }
            _ => spikes,
        }
    }

    fn over<const D: usize>(&self, u: Tensor<D>, raised: Option<&Tensor<D>>) -> Tensor<D, Bool> {
        match (self.config.comparison, raised) {
            (Comparison::Above, None) => u.greater_elem(self.config.threshold),
            (Comparison::From, None) => u.greater_equal_elem(self.config.threshold),
            (Comparison::Above, Some(_)) => u.clone().greater(self.threshold(&u, raised)),
            (Comparison::From, Some(_)) => u.clone().greater_equal(self.threshold(&u, raised)),
        }
    }

    /// The threshold as it broadcasts over the neurons.
    fn threshold<const D: usize>(&self, like: &Tensor<D>, raised: Option<&Tensor<D>>) -> Tensor<D> {
        match raised {
            Some(raised) => raised.clone().add_scalar(self.config.threshold).expand(like.dims()),
            None => Tensor::full([1; D], self.config.threshold, (&like.device(), like.dtype())),
        }
    }
}

/// One value a neuron as it broadcasts over `like`, whose axis 1 is that of the neurons.
pub(super) fn per_neuron<const D: usize>(what: &str, values: Tensor<1>, like: &Tensor<D>) -> Tensor<D> {
    let (neurons, got) = (like.dims()[1], values.dims()[0]);
    assert!(got == neurons, "neurons: {what} of {got} neurons for an input of {neurons}");
    let mut dims = [1; D];
    dims[1] = neurons;
    values.cast(like.dtype()).reshape(dims)
}

/// 1 where it is true and 0 elsewhere.
pub(super) fn indicator<const D: usize>(mask: Tensor<D, Bool>, like: &Tensor<D>) -> Tensor<D> {
    mask.float().cast(like.dtype())
}
