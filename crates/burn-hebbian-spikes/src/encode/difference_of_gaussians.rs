//! Filters as those of the retina.

use burn::tensor::{Device, Tensor, TensorData, module::conv2d, ops::ConvOptions};

use crate::{
    SpikeError,
    error::{at_least_one, positive},
};

/// The widths of a filter: a Gaussian of the center less one of the surround.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussians {
    /// Pixels a side; of an even size one more.
    pub size: usize,
    /// The standard deviation of the center.
    pub center: f64,
    /// The standard deviation of the surround; smaller than the center's, the filter is an off-center one.
    pub surround: f64,
}

/// Differences of Gaussians: `e^(−d²/2σ₁²)/σ₁² − e^(−d²/2σ₂²)/σ₂²`, free of its mean, with a maximum of 1.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_spikes::encode::{DifferenceOfGaussians, Gaussians};
/// # let device = Device::flex();
///
/// let on = Gaussians { size: 7, center: 1.0, surround: 2.0 };
/// let kernels = DifferenceOfGaussians::new(vec![on]).unwrap().kernels(&device);
/// assert_eq!(kernels.dims(), [1, 1, 7, 7]);
/// assert!(kernels.clone().mean().into_scalar::<f32>().abs() < 1e-6);
/// assert!((kernels.max().into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceOfGaussians {
    filters: Vec<Gaussians>,
    padding: usize,
}

impl DifferenceOfGaussians {
    /// These filters; smaller ones lie in the middle of zeros. Outputs are as large as inputs.
    ///
    /// # Errors
    ///
    /// If there are none, or a size is 0, or a width not positive.
    pub fn new(filters: Vec<Gaussians>) -> Result<Self, SpikeError> {
        at_least_one("differences of Gaussians", filters.len())?;
        for Gaussians { size, center, surround } in &filters {
            at_least_one("size of a filter", *size)?;
            positive("width of the center", *center)?;
            positive("width of the surround", *surround)?;
        }
        let padding = filters.iter().map(|filter| filter.size / 2).max().unwrap_or(0);
        Ok(Self { filters, padding })
    }

    /// With another padding by zeros.
    pub fn with_padding(mut self, padding: usize) -> Self {
        self.padding = padding;
        self
    }

    /// The filters, `[filters, 1, side, side]`.
    pub fn kernels(&self, device: &Device) -> Tensor<4> {
        let half = self.filters.iter().map(|filter| filter.size / 2).max().unwrap_or(0) as i64;
        let side = (2 * half + 1) as usize;
        let values: Vec<f32> = self.filters.iter().flat_map(|filter| filter.values(half)).collect();
        Tensor::from_data(TensorData::new(values, [self.filters.len(), 1, side, side]), device)
    }

    /// The responses to images `[images, channels, height, width]`, `[images, channels · filters, ..]`.
    ///
    /// # Panics
    ///
    /// If the filters do not fit into the images.
    pub fn respond(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, channels, height, width] = images.dims();
        let kernels = self.kernels(&images.device()).cast(images.dtype());
        let options = ConvOptions::new([1, 1], [self.padding; 2], [1, 1], 1);
        let responses = conv2d(images.reshape([n * channels, 1, height, width]), kernels, None, options);
        let [_, filters, height, width] = responses.dims();
        responses.reshape([n, channels * filters, height, width])
    }
}

impl Gaussians {
    /// The filter in the middle of a square that reaches `half` from its center, row by row.
    fn values(&self, half: i64) -> Vec<f32> {
        let own = (self.size / 2) as i64;
        let gaussian = |square: f64, sigma: f64| (-square / (2.0 * sigma * sigma)).exp() / (sigma * sigma);
        let at = |y: i64, x: i64| {
            let square = (x * x + y * y) as f64;
            gaussian(square, self.center) - gaussian(square, self.surround)
        };
        let grid = |half: i64| (-half..=half).flat_map(move |y| (-half..=half).map(move |x| (y, x)));
        let values: Vec<f64> = grid(own).map(|(y, x)| at(y, x)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let most = values.iter().fold(f64::MIN, |most, value| most.max(value - mean));
        // a filter of one pixel, or of equal widths, is 0 everywhere
        let most = if most > 0.0 { most } else { 1.0 };
        grid(half)
            .map(|(y, x)| match y.abs().max(x.abs()) > own {
                true => 0.0,
                false => ((at(y, x) - mean) / most) as f32,
            })
            .collect()
    }
}
