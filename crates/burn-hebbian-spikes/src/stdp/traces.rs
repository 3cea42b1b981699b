//! Traces of both sides, step by step or over whole trains.

use burn::tensor::Tensor;
use burn_hebbian_core::{Pairs, Span};
use burn_hebbian_nn::Synapses;

use crate::{SpikeError, Train};

/// The traces of both sides after a step, of the shapes of input and neurons; carried from step to step.
#[derive(Debug, Clone)]
pub struct Traces<const X: usize> {
    /// Of the input's spikes.
    pub pre: Tensor<X>,
    /// Of the neurons' spikes.
    pub post: Tensor<X>,
}

impl<const X: usize> Traces<X> {
    /// Traces of nothing, for spikes of these shapes.
    pub fn zeros(pre: &Tensor<X>, post: &Tensor<X>) -> Self {
        let [pre, post] = [pre, post].map(|like| like.clone().inner().zeros_like());
        Self { pre, post }
    }

    /// The traces after a step; the spikes of the step are in them.
    pub fn step(self, rule: &Pairs, pre: Tensor<X>, post: Tensor<X>) -> Self {
        Self { pre: rule.pre.step(self.pre, pre.inner()), post: rule.post.step(self.post, post.inner()) }
    }

    /// The traces of whole trains, after each step.
    ///
    /// # Errors
    ///
    /// If the trains are not of the same steps and images.
    pub fn along(rule: &Pairs, pre: &Train<X>, post: &Train<X>) -> Result<Self, SpikeError> {
        pre.check_alike(post)?;
        let along = |trace: &burn_hebbian_core::Trace, train: &Train<X>| {
            trace.along_time(train.values().inner(), train.steps())
        };
        Ok(Self { pre: along(&rule.pre, pre), post: along(&rule.post, post) })
    }
}

/// Teaches a layer one step of STDP, and answers with the traces after it: for weights that change at every step.
///
/// The layer's rule is to be [`Timing::Pairs`](burn_hebbian_core::Timing::Pairs) of the same `rule`. `target` is taken off the input's
/// trace, so that inputs that were silent depress.
///
/// ```
/// # use burn::{nn::{Initializer, LinearConfig}, optim::SgdConfig, tensor::{Device, Tensor, Tolerance}};
/// # use burn_hebbian_core::{Pairs, Rule, Signals, Timing};
/// # use burn_hebbian_nn::Local;
/// # use burn_hebbian_optim::Plan;
/// use burn_hebbian_spikes::stdp::{Traces, learn_step};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
///
/// let pairs = Pairs::new(10.0, 20.0, 0.2, 0.1);
/// let half = LinearConfig::new(1, 1).with_bias(false).with_initializer(Initializer::Constant { value: 0.5 });
/// let layer = Local::new(half.init(&device)).with_rule(Rule::stdp(10.0, 20.0, 0.2, 0.1));
/// let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new())?;
///
/// // the input spikes a step before the neuron
/// let spike = |spikes: f32| Tensor::<2>::from_data([[spikes]], &device);
/// let mut traces = Traces::zeros(&spike(0.0), &spike(0.0));
/// for (pre, post) in [(1.0, 0.0), (0.0, 1.0)] {
///     let learn = |layer: &Local<_>| learn_step(layer, &pairs, traces.clone(), spike(pre), spike(post), 0.0);
///     let (next, seen) = optim.observe(&layer, Signals::none(), learn)?;
///     layer = optim.step(1.0, layer, seen.local_only())?;
///     traces = next;
/// }
/// let grown = layer.layer().weight.val().into_scalar::<f32>();
/// assert!((grown - (0.5 + 0.2 * f32::exp(-0.1))).abs() < 1e-6);
/// # Ok(()) }
/// ```
///
/// # Panics
///
/// If the shapes do not fit.
pub fn learn_step<const X: usize>(
    synapses: &impl Synapses<X>,
    rule: &Pairs,
    traces: Traces<X>,
    pre: Tensor<X>,
    post: Tensor<X>,
    target: f64,
) -> Traces<X> {
    let traces = traces.step(rule, pre.clone(), post.clone());
    teach(synapses, &traces, pre, post, 1, target);
    traces
}

/// Teaches a layer whole trains by its own rule of STDP, its weights being fixed meanwhile: one correlation over time × images,
/// or one for each side where the rule depends on the weights.
///
/// A rule whose input's trace spikes set is refused by the observer: see [`learn_traces`].
///
/// # Errors
///
/// If the trains are not of the same steps and images.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn learn<const X: usize>(
    synapses: &impl Synapses<X>,
    pre: &Train<X>,
    post: &Train<X>,
) -> Result<(), SpikeError> {
    pre.check_alike(post)?;
    synapses.learn_from(pre.values(), post.values(), pre.span());
    Ok(())
}

/// Teaches a layer whole trains by the traces of a rule, its weights being fixed meanwhile: for traces that spikes set, and for those
/// that `target` is taken off.
///
/// The layer's rule is to be [`Timing::Pairs`](burn_hebbian_core::Timing::Pairs) of the same `rule`.
///
/// # Errors
///
/// If the trains are not of the same steps and images.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn learn_traces<const X: usize>(
    synapses: &impl Synapses<X>,
    rule: &Pairs,
    pre: &Train<X>,
    post: &Train<X>,
    target: f64,
) -> Result<(), SpikeError> {
    let traces = Traces::along(rule, pre, post)?;
    teach(synapses, &traces, pre.values(), post.values(), pre.steps(), target);
    Ok(())
}

/// Both sides, one after the other.
fn teach<const X: usize>(
    synapses: &impl Synapses<X>,
    traces: &Traces<X>,
    pre: Tensor<X>,
    post: Tensor<X>,
    steps: usize,
    target: f64,
) {
    let before = traces.pre.clone();
    let before = if target == 0.0 { before } else { before.sub_scalar(target) };
    synapses.learn_from(before, post, Span::potentiation(steps));
    synapses.learn_from(pre, traces.post.clone(), Span::depression(steps));
}
