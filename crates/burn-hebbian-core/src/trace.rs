//! Traces: what is left of spikes, step by step.

use alloc::{vec, vec::Vec};

use burn::tensor::{Tensor, TensorData};
use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::{
    RuleError,
    error::{at_least_one, finite, positive},
    precision::whole,
};

/// A trace of spikes, `x ← λ x + a s` or, where a spike sets it, `x ← λ x (1 − s) + s`; at first 0.
///
/// The spike of a step is in the trace of that step.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::{Jump, Trace};
/// # let device = Device::flex();
///
/// // one neuron over four steps
/// let spikes = Tensor::<2>::from_data([[1.0], [0.0], [1.0], [0.0]], &device);
/// let trace = Trace::linear(2.0); // halves at every step
/// let added = trace.along_time(spikes.clone(), 4);
/// added.into_data().assert_eq(&[[1.0], [0.5], [1.25], [0.625]].into(), false);
/// let set = trace.with_jump(Jump::Set).along_time(spikes, 4);
/// set.into_data().assert_eq(&[[1.0], [0.5], [1.0], [0.5]].into(), false);
/// ```
///
/// Source: A. Morrison, M. Diesmann and W. Gerstner, "Phenomenological models of synaptic plasticity based on spike timing",
/// *Biol. Cybern.* 98 (2008), doi:10.1007/s00422-008-0233-1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The time constant τ, in steps.
    pub tau: f64,
    /// The factor of a step.
    pub decay: Decay,
    /// What a spike does.
    pub jump: Jump,
}

/// The factor `λ` by which a trace shrinks in a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// `1 − 1/τ`, one step of Euler's method; τ is at least 1.
    Linear,
    /// `e^(−1/τ)`.
    #[default]
    Exponential,
}

/// What a spike does to a trace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jump {
    /// Adds so much: all earlier spikes count.
    Add(f64),
    /// Sets it to 1: the last spike counts.
    Set,
}

impl Trace {
    /// `x ← (1 − 1/τ) x + s`.
    pub fn linear(tau: f64) -> Self {
        Self { tau, decay: Decay::Linear, jump: Jump::Add(1.0) }
    }

    /// `x ← e^(−1/τ) x + s`.
    pub fn exponential(tau: f64) -> Self {
        Self { tau, decay: Decay::Exponential, jump: Jump::Add(1.0) }
    }

    /// With another effect of a spike.
    pub fn with_jump(mut self, jump: Jump) -> Self {
        self.jump = jump;
        self
    }

    /// The factor of a step.
    pub fn factor(&self) -> f64 {
        match self.decay {
            Decay::Linear => 1.0 - self.tau.recip(),
            Decay::Exponential => Float::exp(-self.tau.recip()),
        }
    }

    /// The trace after a step, from the trace before it and the spikes in it.
    pub fn step<const D: usize>(&self, trace: Tensor<D>, spikes: Tensor<D>) -> Tensor<D> {
        let left = trace.mul_scalar(self.factor());
        match self.jump {
            Jump::Add(1.0) => left + spikes,
            Jump::Add(amount) => left + spikes.mul_scalar(amount),
            Jump::Set => left * spikes.clone().neg().add_scalar(1.0) + spikes,
        }
    }

    /// The traces of whole trains: `[steps · presentations, ..]`, time outermost, as they are after each step.
    ///
    /// # Panics
    ///
    /// If the images are no whole number of such trains.
    pub fn along_time<const D: usize>(&self, spikes: Tensor<D>, steps: usize) -> Tensor<D> {
        match self.jump {
            Jump::Add(amount) => filter(spikes, steps, self.response(steps, amount), false),
            Jump::Set => self.step_by_step(spikes, steps),
        }
    }

    /// The transpose of [`along_time`](Self::along_time), for traces that spikes add to: what later steps will see of a step,
    /// `Σ_{u ≥ t} a λ^(u−t) s_u`.
    ///
    /// `Σ_t corr(trace(x)_t, s_t) = Σ_t corr(x_t, ahead(s)_t)`: traces of an input need not be computed.
    ///
    /// # Panics
    ///
    /// If a spike sets the trace, or the images are no whole number of such trains.
    pub fn ahead<const D: usize>(&self, spikes: Tensor<D>, steps: usize) -> Tensor<D> {
        match self.jump {
            Jump::Add(amount) => filter(spikes, steps, self.response(steps, amount), true),
            Jump::Set => panic!("trace: one that spikes set has no transpose"),
        }
    }

    /// Whether traces of a sum are the sum of the traces.
    pub fn is_linear(&self) -> bool {
        matches!(self.jump, Jump::Add(_))
    }

    /// What is left of a spike after 0, 1, … steps.
    fn response(&self, steps: usize, amount: f64) -> Vec<f64> {
        let factor = self.factor();
        let powers = core::iter::successors(Some(amount), |left| Some(left * factor));
        powers.take(steps).collect()
    }

    fn step_by_step<const D: usize>(&self, spikes: Tensor<D>, steps: usize) -> Tensor<D> {
        let width = presentations(spikes.dims()[0], steps);
        let mut traces: Vec<Tensor<D>> = Vec::with_capacity(steps);
        for t in 0..steps {
            let now = spikes.clone().narrow(0, t * width, width);
            let before = traces.last().cloned().unwrap_or_else(|| now.zeros_like());
            traces.push(self.step(before, now));
        }
        Tensor::cat(traces, 0)
    }

    pub(crate) fn check(&self, name: &'static str) -> Result<(), RuleError> {
        match self.decay {
            Decay::Linear => at_least_one(name, self.tau)?,
            Decay::Exponential => positive(name, self.tau)?,
        }
        match self.jump {
            Jump::Add(amount) => finite("trace jump", amount),
            Jump::Set => Ok(()),
        }
    }
}

fn presentations(images: usize, steps: usize) -> usize {
    assert!(
        steps > 0 && images > 0 && images.is_multiple_of(steps),
        "trains of {steps} steps: {images} images are no whole number of them"
    );
    images / steps
}

/// Every train filtered by a causal response, or by its transpose: one product over all trains at once.
fn filter<const D: usize>(spikes: Tensor<D>, steps: usize, response: Vec<f64>, ahead: bool) -> Tensor<D> {
    let dims = spikes.dims();
    presentations(dims[0], steps);
    let spikes = whole(spikes);
    if steps == 1 {
        return spikes.mul_scalar(response[0]);
    }
    let mut matrix = vec![0.0_f64; steps * steps];
    for to in 0..steps {
        for from in 0..=to {
            let at = if ahead { from * steps + to } else { to * steps + from };
            matrix[at] = response[to - from];
        }
    }
    let matrix = TensorData::new(matrix, [steps, steps]);
    let matrix = Tensor::<2>::from_data(matrix, (&spikes.device(), spikes.dtype()));
    let width = dims.iter().product::<usize>() / steps;
    matrix.matmul(spikes.reshape([steps, width])).reshape(dims)
}
