//! Intensities relative to what is around them.

use burn::tensor::{Tensor, module::avg_pool2d, ops::AvgPoolOptions};

/// Intensities `[images, channels, height, width]` divided by the mean over the window of `2 radius + 1` pixels a side around them, each
/// channel by itself, zeros outside the image.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::encode::local_normalization;
/// # let device = Device::flex();
///
/// let one = Tensor::from_data([[[[0.0, 0.0], [0.0, 2.0]]]], &device);
/// let normalized = local_normalization(one, 1); // 2, by 2/9
/// assert!((normalized.max().into_scalar::<f32>() - 9.0).abs() < 1e-5);
/// ```
pub fn local_normalization(intensities: Tensor<4>, radius: usize) -> Tensor<4> {
    let side = 2 * radius + 1;
    let options = AvgPoolOptions::new([side; 2]).with_stride([1; 2]).with_padding([radius; 2]);
    let mean = avg_pool2d(intensities.clone(), options.with_count_include_pad(true));
    // where all is 0 nothing is divided by 0
    intensities / mean.add_scalar(1e-12)
}
