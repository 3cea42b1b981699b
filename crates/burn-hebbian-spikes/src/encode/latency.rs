//! The stronger, the earlier.

use burn::tensor::{Int, Tensor};

use crate::{SpikeError, Train, error::at_least_one};

/// Waves of intensities `[images, ..]`: the strongest spike first, the same number at every step; a spike stays 1 for all later
/// steps.
///
/// Of the `n` positive intensities of an image `⌊n / steps⌋` spike at each step, of equal ones the first; the weakest, `n mod steps` of
/// them, never do. Of an image with fewer positive intensities than steps each spikes at a step of its own; one without
/// stays silent.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{encode::latencies, readout};
/// # let device = Device::flex();
///
/// let intensities = Tensor::<2>::from_data([[0.1, 0.9, 0.0, 0.5, 0.7], [0.0; 5]], &device);
/// let wave = latencies(intensities, 2).unwrap();
/// let first = readout::first_spikes(&wave); // 2: never
/// first.into_data().assert_eq(&[[1.0, 0.0, 2.0, 1.0, 0.0], [2.0; 5]].into(), false);
/// ```
///
/// # Errors
///
/// If there are no steps or no images.
///
/// Source: S. Thorpe, A. Delorme and R. Van Rullen, "Spike-based strategies for rapid processing", *Neural Networks* 14 (2001),
/// doi:10.1016/S0893-6080(01)00083-1; bins as in S. R. Kheradpisheh et al., *Neural Networks* 99 (2018).
pub fn latencies<const X: usize>(intensities: Tensor<X>, steps: usize) -> Result<Train<X>, SpikeError> {
    at_least_one("steps", steps)?;
    let dims = intensities.dims();
    at_least_one("images", dims[0])?;
    let (n, width) = (dims[0], dims[1..].iter().product::<usize>());
    let flat = intensities.clone().reshape([n, width]);
    let order = flat.clone().argsort_descending(1);
    let ranks = order.argsort(1).float().cast(flat.dtype());
    let spiking = flat.greater_elem(0.0);
    let count = spiking.clone().float().cast(intensities.dtype()).sum_dim(1); // [n, 1]
    let per_step = count.div_scalar(steps as f64).floor().clamp_min(1.0);
    // half a rank: a quotient that is whole stays on its side
    let step = (ranks.add_scalar(0.5) / per_step).floor();
    let never = spiking.bool_not();
    let step = step.mask_fill(never, steps as f64).reshape(dims);
    Ok(wave(step, steps))
}

/// Waves from the step of each spike, `[images, ..]`; infinity for none. A spike stays 1 for all later steps.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::encode::at_times;
/// # let device = Device::flex();
///
/// let times = Tensor::<2>::from_data([[1.0, f32::INFINITY]], &device);
/// let wave = at_times(times, 3).unwrap();
/// wave.values().into_data().assert_eq(&[[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]].into(), false);
///
/// let late = Tensor::<2>::from_data([[3.0]], &device);
/// let error = at_times(late, 3).unwrap_err().to_string();
/// assert_eq!(error, "spike times: must be in 0..3, or infinite for no spike, got 3");
/// ```
///
/// # Errors
///
/// If there are no steps or no images, or a time lies outside of the window.
pub fn at_times<const X: usize>(times: Tensor<X>, steps: usize) -> Result<Train<X>, SpikeError> {
    at_least_one("steps", steps)?;
    at_least_one("images", times.dims()[0])?;
    let outside = |time: &f64| !(*time >= 0.0 && (*time < steps as f64 || time.is_infinite()));
    match times.to_data().iter::<f64>().find(outside) {
        Some(time) => Err(SpikeError::Time { steps, time }),
        None => Ok(wave(times, steps)),
    }
}

/// 1 from the step of each spike on.
fn wave<const X: usize>(step: Tensor<X>, steps: usize) -> Train<X> {
    let mut dims = step.dims();
    let (n, width) = (dims[0], dims.iter().product::<usize>());
    let now = Tensor::<1, Int>::arange(0..steps as i64, &step.device());
    let now = now.float().cast(step.dtype()).reshape([steps, 1]).expand([steps, width]);
    let dtype = step.dtype();
    let spiked = now.greater_equal(step.reshape([1, width]).expand([steps, width]));
    dims[0] = steps * n;
    Train::new(spiked.float().cast(dtype).reshape(dims), steps).expect("steps of as many images")
}
