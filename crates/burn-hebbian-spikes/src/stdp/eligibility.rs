//! What STDP would do, until a reward says whether it does.

use burn::tensor::Tensor;
use burn_hebbian_core::{Jump, Trace};

use crate::{SpikeError, error::positive};

/// Eligibility traces of weights, `e ← e^(−1/τ) e + Δ/τ`, that a reward turns into updates; of the shape of the weight, carried
/// from step to step.
///
/// The reward of a step meets what the steps before it made eligible: the first step changes nothing.
///
/// It lies beside a layer, for updates that are made by hand. In a plan the trace is the momentum of the layer's optimizer, with
/// checkpoints and replicas: the velocity of SGD with a momentum of `e^(−1/τ)` and no dampening is `τ e`, and a step at the rate
/// `reward / τ`, with the reward that follows it, changes weights by the reward times the trace.
///
/// ```
/// # use burn::optim::{SgdConfig, momentum::MomentumConfig};
/// # use burn_hebbian_core::Rule;
/// # use burn_hebbian_optim::{Entry, Plan};
/// # let tau = 25.0_f64;
/// let momentum = MomentumConfig::new().with_momentum((-1.0 / tau).exp()).with_dampening(0.0);
/// let stdp = Entry::local("hidden", Rule::stdp(10.0, 10.0, 0.01, 0.012));
/// let plan = Plan::new().with(stdp.by(SgdConfig::new().with_momentum(Some(momentum))));
/// // in each step: optim.step(reward / tau, model, updates)
/// # let _ = plan;
/// ```
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::stdp::Eligibility;
/// # let device = Device::flex();
///
/// let eligibility = Eligibility::new(2.0, &Tensor::<2>::zeros([1, 1], &device)).unwrap();
/// let (update, eligibility) = eligibility.step(Tensor::from_data([[4.0]], &device), 1.0);
/// assert_eq!(update.into_scalar::<f32>(), 0.0);
/// let (update, _) = eligibility.step(Tensor::from_data([[0.0]], &device), -0.5);
/// assert_eq!(update.into_scalar::<f32>(), -1.0); // −0.5 · 4/2
/// ```
///
/// Source: R. V. Florian, "Reinforcement learning through modulation of spike-timing-dependent synaptic plasticity", *Neural
/// Comput.* 19 (2007), doi:10.1162/neco.2007.19.6.1468.
#[derive(Debug, Clone)]
pub struct Eligibility<const W: usize> {
    filter: Trace,
    trace: Tensor<W>,
    /// What the last step made eligible.
    last: Tensor<W>,
}

impl<const W: usize> Eligibility<W> {
    /// Traces of time constant `tau`, in steps, for a weight like this.
    ///
    /// # Errors
    ///
    /// If the time constant is not positive.
    pub fn new(tau: f64, like: &Tensor<W>) -> Result<Self, SpikeError> {
        positive("time constant of eligibility", tau)?;
        let filter = Trace::exponential(tau).with_jump(Jump::Add(tau.recip()));
        let zeros = like.clone().inner().zeros_like();
        Ok(Self { filter, trace: zeros.clone(), last: zeros })
    }

    /// The update by a reward, and the traces after the step, in which STDP would have changed weights by `delta`.
    ///
    /// # Panics
    ///
    /// If `delta` is of another shape.
    pub fn step(self, delta: Tensor<W>, reward: f64) -> (Tensor<W>, Self) {
        let trace = self.filter.step(self.trace, self.last);
        let update = trace.clone().mul_scalar(reward);
        (update, Self { filter: self.filter, trace, last: delta.inner() })
    }

    /// The traces.
    pub fn trace(&self) -> Tensor<W> {
        self.trace.clone()
    }
}
