//! From intensities to spikes.

mod difference_of_gaussians;
mod latency;
mod local_normalization;
mod rate;

pub use difference_of_gaussians::{DifferenceOfGaussians, Gaussians};
pub use latency::{at_times, latencies};
pub use local_normalization::local_normalization;
pub use rate::{bernoulli, poisson};

use burn::tensor::Tensor;

use crate::{SpikeError, Train, error::at_least_one};

/// The encoder of first-spike networks: differences of Gaussians, a threshold, local normalization, latencies.
///
/// ```
/// # use burn::tensor::{Device, Distribution, Tensor};
/// use burn_hebbian_spikes::encode::FirstSpikeEncoder;
/// # let device = Device::flex();
///
/// let images = Tensor::random([2, 1, 14, 12], Distribution::Default, &device); // 0..1
/// let wave = FirstSpikeEncoder::on_off(15).unwrap().encode(images).unwrap();
/// assert_eq!(wave.values().dims(), [15 * 2, 2, 14, 12]); // on and off center
/// ```
///
/// Source: S. R. Kheradpisheh et al., *Neural Networks* 99 (2018), doi:10.1016/j.neunet.2017.12.005.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstSpikeEncoder {
    /// The filters.
    pub filters: DifferenceOfGaussians,
    /// What intensities are multiplied by before.
    pub scale: f64,
    /// Responses below it are 0.
    pub threshold: f64,
    /// The radius of the window of local normalization.
    pub radius: usize,
    /// The number of steps.
    pub steps: usize,
}

impl FirstSpikeEncoder {
    /// With filters, in so many steps; thresholds and radius as published, for intensities in 0..=1.
    ///
    /// # Errors
    ///
    /// If there are no steps.
    pub fn new(filters: DifferenceOfGaussians, steps: usize) -> Result<Self, SpikeError> {
        at_least_one("steps", steps)?;
        Ok(Self { filters, scale: 255.0, threshold: 50.0, radius: 8, steps })
    }

    /// With an on-center and an off-center filter of 7 × 7 pixels, as published for digits.
    ///
    /// # Errors
    ///
    /// If there are no steps.
    pub fn on_off(steps: usize) -> Result<Self, SpikeError> {
        let filters = [
            Gaussians { size: 7, center: 1.0, surround: 2.0 },
            Gaussians { size: 7, center: 2.0, surround: 1.0 },
        ];
        Self::new(DifferenceOfGaussians::new(filters.to_vec())?, steps)
    }

    /// With another threshold.
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// With another radius of local normalization.
    pub fn with_radius(mut self, radius: usize) -> Self {
        self.radius = radius;
        self
    }

    /// With filters that reach so far over the border.
    pub fn with_padding(mut self, padding: usize) -> Self {
        self.filters = self.filters.with_padding(padding);
        self
    }

    /// What is left of the responses of the filters above the threshold, `[images, channels · filters, height, width]`.
    ///
    /// # Panics
    ///
    /// If the filters do not fit into the images.
    pub fn filtered(&self, images: Tensor<4>) -> Tensor<4> {
        let responses = self.filters.respond(images.mul_scalar(self.scale));
        let weak = responses.clone().lower_elem(self.threshold);
        responses.mask_fill(weak, 0.0)
    }

    /// The same, normalized.
    ///
    /// # Panics
    ///
    /// If the filters do not fit into the images.
    pub fn normalized(&self, images: Tensor<4>) -> Tensor<4> {
        local_normalization(self.filtered(images), self.radius)
    }

    /// The waves of images `[images, channels, height, width]`, cumulative: a spike stays 1.
    ///
    /// # Errors
    ///
    /// If there are no images, or they are not finite.
    ///
    /// # Panics
    ///
    /// If the filters do not fit into the images.
    pub fn encode(&self, images: Tensor<4>) -> Result<Train<4>, SpikeError> {
        latencies(self.normalized(images), self.steps)
    }
}
