//! Synaptic scaling of whole neurons.

use burn::tensor::Tensor;

/// Weights `[neurons, inputs]` multiplied so that the magnitudes of each neuron sum up to `norm`; a neuron without weights stays so.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::stdp::normalized;
/// # let device = Device::flex();
///
/// let weight = Tensor::<2>::from_data([[1.0, 3.0], [0.0, 0.0]], &device);
/// normalized(weight, 2.0).into_data().assert_eq(&[[0.5, 1.5], [0.0, 0.0]].into(), false);
/// ```
///
/// Source: P. U. Diehl and M. Cook, *Front. Comput. Neurosci.* 9 (2015), doi:10.3389/fncom.2015.00099, whose 784 inputs sum up to 78.4.
pub fn normalized(weight: Tensor<2>, norm: f64) -> Tensor<2> {
    let sum = weight.clone().abs().sum_dim(1);
    // clamp: a neuron without weights has nothing to divide
    weight * (sum.clamp_min(1e-30).recip().mul_scalar(norm))
}
