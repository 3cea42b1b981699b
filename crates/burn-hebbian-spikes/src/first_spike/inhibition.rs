//! One map a position.

use burn::tensor::{Bool, Int, Tensor};

use crate::{SpikeError, Train};

/// What is known of first spikes, `[images, neurons, positions]` each.
pub(super) struct First {
    /// For how many steps the neuron has spiked at the end: the more, the earlier; 0 for never.
    pub(super) lead: Tensor<3>,
    /// The potential at the first spike; 0 for never.
    pub(super) potential: Tensor<3>,
}

impl First {
    pub(super) fn of<const X: usize>(potentials: &Train<X>, wave: &Train<X>) -> Result<Self, SpikeError> {
        wave.check_alike(potentials)?;
        let (steps, images) = (wave.steps(), wave.images());
        let dims = wave.values().dims();
        let positions = dims[2..].iter().product();
        let four = [steps, images, dims[1], positions];
        let wave = wave.values().inner().reshape(four);
        let lead = wave.clone().sum_dim(0).reshape([images, dims[1], positions]);
        let first = wave.clone().narrow(0, 0, 1);
        let before = match steps {
            1 => first.zeros_like(),
            _ => Tensor::cat(vec![first.zeros_like(), wave.clone().narrow(0, 0, steps - 1)], 0),
        };
        let at_first = potentials.values().inner().reshape(four) * (wave - before);
        Ok(Self { lead, potential: at_first.sum_dim(0).reshape([images, dims[1], positions]) })
    }
}

/// Along `axis`: the earliest, of these the one of the largest potential, of these the first; its index, and whether there is one.
pub(super) fn earliest<const D: usize>(
    lead: Tensor<D>,
    potential: Tensor<D>,
    axis: usize,
) -> (Tensor<D, Int>, Tensor<D, Bool>) {
    let first = lead.clone().max_dim(axis);
    let there = first.clone().greater_elem(0.0);
    let late = lead.clone().not_equal(first.expand(lead.dims()));
    let index = potential.mask_fill(late, f64::NEG_INFINITY).argmax(axis);
    (index, there)
}

/// Where a neuron survives point-wise inhibition, `[images, ..]`, 1 or 0: at each position the neuron that spikes first, of several
/// the one with the largest potential then, of several the first.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{Train, first_spike::{fire, inhibit}};
/// # let device = Device::flex();
///
/// // two maps over two positions; both spike at the first, the second alone at the other
/// let potentials = Tensor::<3>::from_data([[[3.0, 1.0], [4.0, 3.0]]], &device);
/// let potentials = Train::new(potentials, 1).unwrap();
/// let kept = inhibit(&potentials, &fire(&potentials, 2.0)).unwrap();
/// kept.into_data().assert_eq(&[[[0.0, 0.0], [1.0, 1.0]]].into(), false);
/// ```
///
/// # Errors
///
/// If potentials and wave are not of the same steps and images.
pub fn inhibit<const X: usize>(potentials: &Train<X>, wave: &Train<X>) -> Result<Tensor<X>, SpikeError> {
    let mut dims = wave.values().dims();
    dims[0] = wave.images();
    let First { lead, potential } = First::of(potentials, wave)?;
    let [_, neurons, _] = lead.dims();
    let dtype = lead.dtype();
    let (index, there) = earliest(lead.clone(), potential, 1);
    let neuron = Tensor::<1, Int>::arange(0..neurons as i64, &lead.device()).reshape([1, neurons, 1]);
    let kept = neuron.expand(lead.dims()).equal(index.expand(lead.dims()));
    Ok(kept.bool_and(there.expand(lead.dims())).float().cast(dtype).reshape(dims))
}

/// A wave under point-wise inhibition by itself, as between layers while the later one learns: of neurons that spike at the same
/// step the first survives.
///
/// # Errors
///
/// None but of [`inhibit`].
pub fn inhibited<const X: usize>(wave: &Train<X>) -> Result<Train<X>, SpikeError> {
    let kept = inhibit(wave, wave)?;
    Ok(wave.map(|values| values * kept.repeat_dim(0, wave.steps())))
}
