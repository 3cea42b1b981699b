//! The stronger, the more often.

use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    SpikeError, Train,
    error::{at_least_one, positive},
};

/// Trains in which every step spikes by itself with the probability that the intensity is.
///
/// The same seed gives the same trains on every device.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{encode::bernoulli, readout};
/// # let device = Device::flex();
///
/// let train = bernoulli(Tensor::<2>::from_data([[0.0, 0.25, 1.0]], &device), 400, 7).unwrap();
/// let counts: Vec<f32> = readout::counts(&train).into_data().iter().collect();
/// assert_eq!((counts[0], counts[2]), (0.0, 400.0));
/// assert!((counts[1] - 100.0).abs() < 4.0 * 75.0_f32.sqrt()); // four standard deviations
/// ```
///
/// # Errors
///
/// If there are no steps or no images, or an intensity is not in 0..=1.
pub fn bernoulli<const X: usize>(
    intensities: Tensor<X>,
    steps: usize,
    seed: u64,
) -> Result<Train<X>, SpikeError> {
    check("spike probability", &intensities, 1.0)?;
    draw(intensities, steps, seed)
}

/// Poisson trains: a step of `dt` seconds spikes with the probability `1 − e^(−rate · dt)` that a process of this rate, intensity times
/// `most` spikes a second, has an event in it.
///
/// The same seed gives the same trains on every device.
///
/// # Errors
///
/// If there are no steps or no images, an intensity is not in 0..=1, or rate or step are not positive.
pub fn poisson<const X: usize>(
    intensities: Tensor<X>,
    steps: usize,
    most: f64,
    dt: f64,
    seed: u64,
) -> Result<Train<X>, SpikeError> {
    positive("largest rate", most)?;
    positive("length of a step", dt)?;
    check("intensity of a rate", &intensities, 1.0)?;
    draw(intensities.mul_scalar(-most * dt).exp().neg().add_scalar(1.0), steps, seed)
}

fn check<const X: usize>(name: &'static str, values: &Tensor<X>, most: f64) -> Result<(), SpikeError> {
    at_least_one("images", values.dims()[0])?;
    match values.to_data().iter::<f64>().find(|value| !(0.0..=most).contains(value)) {
        Some(value) => Err(SpikeError::Intensity { name, most, value }),
        None => Ok(()),
    }
}

fn draw<const X: usize>(probabilities: Tensor<X>, steps: usize, seed: u64) -> Result<Train<X>, SpikeError> {
    at_least_one("steps", steps)?;
    let mut dims = probabilities.dims();
    dims[0] *= steps;
    let mut random = StdRng::seed_from_u64(seed);
    let draws: Vec<f32> = (0..dims.iter().product()).map(|_| random.random::<f32>()).collect();
    let draws = Tensor::<X>::from_data(TensorData::new(draws, dims), &probabilities.device());
    let dtype = probabilities.dtype();
    let spikes = draws.cast(dtype).lower(probabilities.repeat_dim(0, steps));
    Train::new(spikes.float().cast(dtype), steps)
}
