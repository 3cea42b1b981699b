//! Spikes of potentials.

use burn::tensor::Tensor;

use crate::Train;

/// The wave of neurons that spike once their potential is above a threshold: 1 from there on.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{Train, first_spike::fire};
/// # let device = Device::flex();
///
/// let potentials = Tensor::<2>::from_data([[1.0, 0.5], [2.5, 1.0], [2.0, 2.0]], &device);
/// let wave = fire(&Train::new(potentials, 3).unwrap(), 2.0);
/// wave.values().into_data().assert_eq(&[[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]].into(), false);
/// ```
pub fn fire<const X: usize>(potentials: &Train<X>, threshold: f64) -> Train<X> {
    potentials.map(|values| {
        let over = values.clone().greater_elem(threshold).float().cast(values.dtype());
        stay(over, potentials.steps())
    })
}

/// The wave of neurons without a threshold: at the last step those spike whose potential is positive then.
pub fn fire_last<const X: usize>(potentials: &Train<X>) -> Train<X> {
    let last = potentials.at(potentials.steps() - 1);
    let over = last.clone().greater_elem(0.0).float().cast(last.dtype());
    let mut steps = vec![over.zeros_like(); potentials.steps() - 1];
    steps.push(over);
    Train::of_steps(steps)
}

/// What was 1 stays 1.
fn stay<const X: usize>(spikes: Tensor<X>, steps: usize) -> Tensor<X> {
    let dims = spikes.dims();
    let width = dims.iter().product::<usize>() / steps;
    spikes.reshape([steps, width]).cumsum(0).clamp_max(1.0).reshape(dims)
}
