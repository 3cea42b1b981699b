//! Who learns.

use burn::tensor::{Bool, Int, Tensor};

use super::inhibition::{First, earliest};
use crate::{SpikeError, Train, error::at_least_one};

/// Up to `k` winners of each image, in the order in which they won; −1 where there was none.
#[derive(Debug, Clone)]
pub struct Winners {
    /// Their maps, `[images, k]`.
    pub neurons: Tensor<2, Int>,
    /// Their positions, row by row, `[images, k]`.
    pub positions: Tensor<2, Int>,
    /// The steps of their spikes, `[images, k]`.
    pub steps: Tensor<2, Int>,
    maps: usize,
    spatial: Vec<usize>,
}

/// Up to `k` winners of each image, one after the other: the neuron that spikes first, of several the one with the largest potential
/// then, of several the first. Each winner takes its own map out of the running and, if `radius` is not 0, in all maps what is no
/// farther than that along every axis.
///
/// `kept` is where neurons may win, as [`inhibit`](super::inhibit) answers; everywhere without it.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{Train, first_spike::{fire, winners}};
/// # let device = Device::flex();
///
/// // two maps over three positions
/// let potentials = Tensor::<3>::from_data([[[5.0, 1.0, 3.0], [4.0, 4.5, 2.5]]], &device);
/// let potentials = Train::new(potentials, 1).unwrap();
/// let wave = fire(&potentials, 2.0);
/// let all = winners(&potentials, &wave, None, 2, 0).unwrap();
/// all.positions.into_data().assert_eq(&[[0_i64, 1]].into(), false); // the second map wins elsewhere
/// let apart = winners(&potentials, &wave, None, 2, 1).unwrap();
/// apart.positions.into_data().assert_eq(&[[0_i64, 2]].into(), false);
/// ```
///
/// # Errors
///
/// If `k` is 0, or potentials and wave are not of the same steps and images.
pub fn winners<const X: usize>(
    potentials: &Train<X>,
    wave: &Train<X>,
    kept: Option<Tensor<X>>,
    k: usize,
    radius: usize,
) -> Result<Winners, SpikeError> {
    at_least_one("winners of an image", k)?;
    let First { lead, potential } = First::of(potentials, wave)?;
    let [images, maps, positions] = lead.dims();
    let spatial = wave.values().dims()[2..].to_vec();
    let lead = match kept {
        Some(kept) => lead * kept.inner().reshape([images, maps, positions]),
        None => lead,
    };
    let cells = Cells::new(maps, &spatial, &lead);
    let mut lead = lead.reshape([images, maps * positions]);
    let potential = potential.reshape([images, maps * positions]);
    let mut found = [const { Vec::new() }; 3];
    for _ in 0..k {
        let (cell, there) = earliest(lead.clone(), potential.clone(), 1);
        let step = lead.clone().max_dim(1).neg().add_scalar(wave.steps() as f64).int();
        let cell: Tensor<1, Int> = cell.reshape([images]);
        lead = lead.mask_fill(cells.taken_by(cell.clone(), radius), 0.0);
        let [map, position] = cells.parts(cell);
        for (found, value) in found.iter_mut().zip([map, position, step.reshape([images])]) {
            let none = there.clone().bool_not().reshape([images]);
            found.push(value.mask_fill(none, -1).unsqueeze_dim::<2>(1));
        }
    }
    let [neurons, positions, steps] = found.map(|found| Tensor::cat(found, 1));
    Ok(Winners { neurons, positions, steps, maps, spatial })
}

/// Where the cells of `[maps, positions]` lie.
struct Cells {
    maps: Tensor<1, Int>,
    positions: Tensor<1, Int>,
    /// The coordinates of each cell, axis by axis.
    coordinates: Vec<Tensor<1, Int>>,
}

impl Cells {
    fn new(maps: usize, spatial: &[usize], like: &Tensor<3>) -> Self {
        let positions: usize = spatial.iter().product();
        let device = like.device();
        let ints = |of: &dyn Fn(usize) -> usize| {
            let values: Vec<i64> = (0..maps * positions).map(|cell| of(cell) as i64).collect();
            Tensor::<1, Int>::from_data(values.as_slice(), &device)
        };
        let axis = |axis: usize| {
            let inner: usize = spatial[axis + 1..].iter().product();
            ints(&|cell| cell % positions / inner % spatial[axis])
        };
        Self {
            maps: ints(&|cell| cell / positions),
            positions: ints(&|cell| cell % positions),
            coordinates: (0..spatial.len()).map(axis).collect(),
        }
    }

    /// Map and position of cells.
    fn parts(&self, cells: Tensor<1, Int>) -> [Tensor<1, Int>; 2] {
        [&self.maps, &self.positions].map(|of| of.clone().select(0, cells.clone()))
    }

    /// The cells that a winner of each image takes out of the running, `[images, cells]`.
    fn taken_by(&self, winners: Tensor<1, Int>, radius: usize) -> Tensor<2, Bool> {
        let (images, cells) = (winners.dims()[0], self.maps.dims()[0]);
        let pair = |of: &Tensor<1, Int>| {
            let own = of.clone().select(0, winners.clone()).reshape([images, 1]).expand([images, cells]);
            (of.clone().reshape([1, cells]).expand([images, cells]), own)
        };
        let (maps, own) = pair(&self.maps);
        let taken = maps.equal(own);
        if radius == 0 || self.coordinates.is_empty() {
            return taken;
        }
        let near = self.coordinates.iter().map(|coordinates| {
            let (at, own) = pair(coordinates);
            (at - own).abs().lower_equal_elem(radius as i64)
        });
        taken.bool_or(near.reduce(Tensor::bool_and).expect("there is an axis"))
    }
}

impl Winners {
    /// Winners an image has at most.
    pub fn k(&self) -> usize {
        self.neurons.dims()[1]
    }

    /// Map and coordinates of each winner, `[images, k, 1 + axes]`.
    pub fn coordinates(&self) -> Tensor<3, Int> {
        let [images, k] = self.neurons.dims();
        let none = self.positions.clone().lower_elem(0);
        let mut parts = vec![self.neurons.clone()];
        let mut inner: usize = self.spatial.iter().product();
        for length in &self.spatial {
            inner /= length;
            let at: Vec<i64> =
                (0..self.spatial.iter().product()).map(|p: usize| (p / inner % length) as i64).collect();
            let at = Tensor::<1, Int>::from_data(at.as_slice(), &self.neurons.device());
            let flat = self.positions.clone().clamp_min(0).reshape([images * k]);
            parts.push(at.select(0, flat).reshape([images, k]).mask_fill(none.clone(), -1));
        }
        let parts = parts.into_iter().map(|part| part.unsqueeze_dim::<3>(2)).collect();
        Tensor::cat(parts, 2)
    }

    /// The wave as each winner found it at its spike, `[k · images, ..]`: what the layer learns from.
    ///
    /// # Panics
    ///
    /// If the wave is of other images.
    pub fn inputs<const X: usize>(&self, wave: &Train<X>) -> Tensor<X> {
        let ([images, k], device) = (self.neurons.dims(), wave.device());
        assert!(wave.images() == images, "winners of {images} images, a wave of {}", wave.images());
        let image = Tensor::<1, Int>::arange(0..images as i64, &device).repeat_dim(0, k);
        // of no winner any step: nothing is learned from it
        let step = self.steps.clone().clamp_min(0).transpose().reshape([images * k]);
        wave.values().inner().select(0, step.mul_scalar(images as i64) + image)
    }

    /// 1 for each winner and 0 elsewhere, `[k · images, neurons, ..]`.
    ///
    /// # Panics
    ///
    /// If the layer has another number of axes.
    pub fn responses<const X: usize>(&self, like: &Tensor<X>) -> Tensor<X> {
        let ([images, k], positions) = (self.neurons.dims(), self.spatial.iter().product::<usize>());
        assert!(
            X == self.spatial.len() + 2,
            "winners over {} axes, a layer of {}",
            self.spatial.len(),
            X - 2
        );
        let width = self.maps * positions;
        // of no winner a negative cell, which nothing is equal to
        let cell = self.neurons.clone().mul_scalar(positions as i64) + self.positions.clone();
        let cell = cell.transpose().reshape([images * k, 1]).expand([images * k, width]);
        let cells = Tensor::<1, Int>::arange(0..width as i64, &like.device());
        let hit = cells.reshape([1, width]).expand([images * k, width]).equal(cell);
        let mut dims = [images * k; X];
        dims[1] = self.maps;
        dims[2..].copy_from_slice(&self.spatial);
        hit.float().cast(like.dtype()).reshape(dims)
    }
}
