//! What is read of spikes.

use burn::tensor::{Int, Tensor};

use crate::{SpikeError, Train};

/// The number of spikes of each neuron, `[images, ..]`.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{Train, readout};
/// # let device = Device::flex();
///
/// let spikes = Tensor::<2>::from_data([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], &device);
/// let train = Train::new(spikes, 3).unwrap();
/// readout::counts(&train).into_data().assert_eq(&[[2.0, 0.0]].into(), false);
/// readout::first_spikes(&train).into_data().assert_eq(&[[1.0, 3.0]].into(), false); // 3: never
/// ```
pub fn counts<const X: usize>(spikes: &Train<X>) -> Tensor<X> {
    over_time(spikes, |values| values.sum_dim(0))
}

/// The step of each neuron's first spike, `[images, ..]`; the number of steps where there is none.
pub fn first_spikes<const X: usize>(spikes: &Train<X>) -> Tensor<X> {
    let steps = spikes.steps() as f64;
    over_time(spikes, |values| values.cumsum(0).clamp_max(1.0).sum_dim(0).neg().add_scalar(steps))
}

/// The largest value of each neuron over time, `[images, ..]`: of potentials, what read-outs of first-spike networks take.
pub fn largest<const X: usize>(potentials: &Train<X>) -> Tensor<X> {
    over_time(potentials, |values| values.max_dim(0))
}

/// Classes of the neurons that decided, one an image, −1 where none did; `neurons` are numbers of neurons, −1 for none, and
/// `classes` has the class of each.
///
/// # Errors
///
/// If there are no classes.
pub fn decisions(neurons: Tensor<1, Int>, classes: &[usize]) -> Result<Tensor<1, Int>, SpikeError> {
    if classes.is_empty() {
        return Err(SpikeError::Zero { name: "classes of neurons" });
    }
    let classes: Vec<i64> = classes.iter().map(|class| *class as i64).collect();
    let classes = Tensor::<1, Int>::from_data(classes.as_slice(), &neurons.device());
    let silent = neurons.clone().lower_elem(0);
    Ok(classes.select(0, neurons.clamp_min(0)).mask_fill(silent, -1))
}

/// The reward of each image as a third factor, `[images, 1]`: 1 for a right decision, −1 for a wrong one, 0 for none.
///
/// ```
/// # use burn::tensor::{Device, Int, Tensor};
/// use burn_hebbian_spikes::readout::{decisions, rewards};
/// # let device = Device::flex();
///
/// // two neurons a class; neuron 3 decided, neuron 0, and none
/// let neurons = Tensor::<1, Int>::from_data([3, 0, -1], &device);
/// let decided = decisions(neurons, &[0, 0, 1, 1]).unwrap();
/// let rewards = rewards(decided, Tensor::from_data([1, 1, 1], &device));
/// rewards.into_data().assert_eq(&[[1.0], [-1.0], [0.0]].into(), false);
/// ```
pub fn rewards(decisions: Tensor<1, Int>, labels: Tensor<1, Int>) -> Tensor<2> {
    let silent = decisions.clone().lower_elem(0);
    let right = decisions.equal(labels).float();
    right.mul_scalar(2.0).sub_scalar(1.0).mask_fill(silent, 0.0).unsqueeze_dim(1)
}

/// What `reduce` makes of `[steps, images · ..]`, `[1, images · ..]`.
fn over_time<const X: usize>(train: &Train<X>, reduce: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Tensor<X> {
    let values = train.values();
    let mut dims = values.dims();
    dims[0] = train.images();
    let width = dims.iter().product();
    reduce(values.reshape([train.steps(), width])).reshape(dims)
}
