//! Neurons whose thresholds their own spikes raise.

use burn::{
    module::Module,
    tensor::{Distribution, Tensor},
};

use super::{Lif, LifState, lif::indicator};
use crate::{SpikeError, error::finite};

/// Integrate-and-fire neurons with an adaptive threshold `θ`, one value a neuron, shared by all images: it decays at every step,
/// and each image in which the neuron spikes adds to it.
///
/// In a step the threshold decays, the potential leaks, the input is added and compared with threshold + `θ`, and `θ` grows. Unlike
/// the rest of the state it is kept from stimulus to stimulus.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::neuron::{AdaptiveLif, LifConfig, Reset};
/// # let device = Device::flex();
///
/// let lif = LifConfig::perfect().with_reset(Reset::To(0.0)).init().unwrap();
/// let neuron = AdaptiveLif::new(lif, 0.5, 1.0).unwrap();
/// let input = Tensor::<2>::from_data([[1.25]], &device);
/// let (mut state, mut theta) = (neuron.lif().init_state(&input), Tensor::zeros([1], &device));
/// let mut spikes = Vec::new();
/// for _ in 0..3 {
///     let adapted = neuron.step(input.clone(), state, theta, true);
///     (state, theta) = (adapted.state, adapted.theta);
///     spikes.push(adapted.spikes.into_scalar::<f32>());
/// }
/// assert_eq!(spikes, [1.0, 0.0, 1.0]); // 1.25 > 1, then 1.25 and 2.5 against 1.5
/// ```
///
/// Source: P. U. Diehl and M. Cook, *Front. Comput. Neurosci.* 9 (2015), doi:10.3389/fncom.2015.00099.
#[derive(Module, Debug)]
pub struct AdaptiveLif {
    lif: Lif,
    increase: f64,
    decay: f64,
}

/// What a step of [`AdaptiveLif`] comes to.
#[derive(Debug, Clone)]
pub struct Adapted<const D: usize> {
    /// 1 where a neuron spiked.
    pub spikes: Tensor<D>,
    /// The state after the step.
    pub state: LifState<D>,
    /// The adaptive part of the thresholds after the step, one a neuron.
    pub theta: Tensor<1>,
}

impl AdaptiveLif {
    /// Neurons whose thresholds grow by `increase` with every spike, and are multiplied by `decay` at every step.
    ///
    /// # Errors
    ///
    /// If these are not finite, or `decay` is not in 0..=1.
    pub fn new(lif: Lif, increase: f64, decay: f64) -> Result<Self, SpikeError> {
        finite("threshold increase", increase)?;
        if !(0.0..=1.0).contains(&decay) {
            return Err(SpikeError::Intensity { name: "threshold decay", most: 1.0, value: decay });
        }
        Ok(Self { lif, increase, decay })
    }

    /// The neurons without the adaptive part of their threshold.
    pub fn lif(&self) -> &Lif {
        &self.lif
    }

    /// A step; the thresholds move if it `learns`.
    ///
    /// # Panics
    ///
    /// If `theta` does not have one value for each neuron, on axis 1 of the input.
    pub fn step<const D: usize>(
        &self,
        input: Tensor<D>,
        state: LifState<D>,
        theta: Tensor<1>,
        learns: bool,
    ) -> Adapted<D> {
        let theta = if learns { theta.mul_scalar(self.decay) } else { theta };
        let (spikes, state) = self.lif.step_above(input, state, Some(theta.clone()));
        let theta = match learns {
            true => theta + spikes_of_each(spikes.clone().detach()).mul_scalar(self.increase),
            false => theta,
        };
        Adapted { spikes, state, theta }
    }
}

/// The number of spikes of each neuron, `[images, neurons, ..]` → `[neurons]`.
fn spikes_of_each<const D: usize>(spikes: Tensor<D>) -> Tensor<1> {
    let dims = spikes.dims();
    let positions = dims[2..].iter().product();
    spikes.reshape([dims[0], dims[1], positions]).sum_dims(&[0, 2]).reshape([dims[1]])
}

/// Of the neurons of each image that spiked one, drawn at random; none where none did.
///
/// Drawn by the device, whose seed it follows. Neurons that are not drawn stay reset: what they did is what
/// [`AdaptiveLif::step`] says.
pub fn one_spike<const D: usize>(spikes: Tensor<D>) -> Tensor<D> {
    let dims = spikes.dims();
    let neurons = dims[1..].iter().product();
    let flat: Tensor<2> = spikes.clone().reshape([dims[0], neurons]);
    let draw = Tensor::random(flat.dims(), Distribution::Uniform(0.5, 1.0), (&flat.device(), flat.dtype()));
    let drawn = (flat.clone() * draw).argmax(1); // [images, 1]
    let index = Tensor::arange(0..neurons as i64, &flat.device()).reshape([1, neurons]);
    (indicator(index.equal(drawn), &flat) * flat).reshape(dims)
}
