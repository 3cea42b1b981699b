//! ZCA whitening of whole images.
//!
//! ```text
//! x ← W (x̂ − m),   W = U (S + ε)^(−1/2) Uᵀ,   cov(x̂) = U S Uᵀ
//! ```
//!
//! with `x̂` the image after every channel was brought to mean 0 and deviation 1, `m` the mean of these images,
//! and `ε` the smoothing, which keeps directions of little variance from being blown up.
//!
//! Source: A. J. Bell and T. J. Sejnowski, "The 'independent components' of natural scenes are edge filters",
//! *Vision Research* 37 (1997), doi:10.1016/S0042-6989(97)00121-1.

use burn::tensor::{Device, Tensor, TensorData};
use faer::{Mat, Side};

use super::{ChannelStatistics, Labelled, in_order};

/// Images that are multiplied at a time.
const CHUNK: usize = 1000;

/// A covariance without eigendecomposition.
#[derive(Debug, thiserror::Error)]
#[error("whitening: the covariance of {images} images has no eigendecomposition; are all pixels finite?")]
pub struct WhiteningError {
    images: usize,
}

/// The covariance of images, decomposed once for any smoothing.
#[derive(Debug, Clone)]
pub struct Spectrum {
    statistics: ChannelStatistics,
    /// The mean image, `[1, values]`.
    mean: Tensor<2>,
    /// Eigenvectors as columns, `[values, values]`.
    vectors: Tensor<2>,
    /// The variance along each.
    variances: Vec<f64>,
}

/// A whitening transform.
#[derive(Debug, Clone)]
pub struct Zca {
    statistics: ChannelStatistics,
    mean: Tensor<2>,
    /// `[values, values]`, symmetric.
    matrix: Tensor<2>,
}

impl Spectrum {
    /// Decomposes the covariance of `images`.
    ///
    /// # Errors
    ///
    /// If it has no eigendecomposition, as when a pixel is NaN.
    pub fn fit(images: &Labelled, device: &Device) -> Result<Self, WhiteningError> {
        let statistics = ChannelStatistics::of(images);
        let Moments { mean, covariance } = Moments::of(images, &statistics, device);
        let error = WhiteningError { images: images.len() };
        if covariance.iter().any(|value| !value.is_finite()) {
            return Err(error);
        }
        let n = images.image_len();
        let matrix = Mat::from_fn(n, n, |row, column| f64::from(covariance[row * n + column]));
        let eigen = matrix.self_adjoint_eigen(Side::Lower).map_err(|_| error)?;
        let vectors: Vec<f32> = (0..n * n).map(|index| eigen.U()[(index / n, index % n)] as f32).collect();
        Ok(Self {
            statistics,
            mean,
            vectors: Tensor::from_data(TensorData::new(vectors, [n, n]), device),
            variances: eigen.S().column_vector().iter().copied().collect(),
        })
    }

    /// Mean and deviation of the channels, by which images are standardised before they are whitened.
    pub fn statistics(&self) -> &ChannelStatistics {
        &self.statistics
    }

    /// The transform with smoothing `ε`, in units of the standardised channels' variance, 1.
    pub fn zca(&self, smoothing: f64) -> Zca {
        // clamp: rounding leaves variances just below 0 where the images have none.
        let scale =
            |variance: &f64| (variance.max(0.0) + smoothing).max(f64::MIN_POSITIVE).sqrt().recip() as f32;
        let scales: Vec<f32> = self.variances.iter().map(scale).collect();
        let n = scales.len();
        let scales = Tensor::<2>::from_data(TensorData::new(scales, [1, n]), &self.vectors.device());
        let matrix = (self.vectors.clone() * scales).matmul(self.vectors.clone().transpose());
        Zca { statistics: self.statistics.clone(), mean: self.mean.clone(), matrix }
    }
}

impl Zca {
    /// Whitens images.
    pub fn apply(&self, images: &mut Labelled) {
        self.statistics.standardise(images);
        let n = images.image_len();
        let device = self.matrix.device();
        for chunk in images.values.chunks_mut(CHUNK * n) {
            let rows = TensorData::new(chunk.to_vec(), [chunk.len() / n, n]);
            let centred = Tensor::<2>::from_data(rows, &device) - self.mean.clone();
            let whitened = centred.matmul(self.matrix.clone()).into_data();
            chunk.iter_mut().zip(whitened.iter::<f32>()).for_each(|(value, white)| *value = white);
        }
    }
}

/// Mean and covariance of standardised images.
struct Moments {
    mean: Tensor<2>,
    /// Row by row.
    covariance: Vec<f32>,
}

impl Moments {
    fn of(images: &Labelled, statistics: &ChannelStatistics, device: &Device) -> Self {
        let n = images.image_len();
        let mut products = Tensor::<2>::zeros([n, n], device);
        let mut sum = Tensor::<2>::zeros([1, n], device);
        for chunk in in_order(images.len()).chunks(CHUNK) {
            let mut chunk = images.select(chunk);
            statistics.standardise(&mut chunk);
            let rows = chunk.len();
            let x = Tensor::<2>::from_data(TensorData::new(chunk.values, [rows, n]), device);
            sum = sum + x.clone().sum_dim(0);
            products = products + x.clone().transpose().matmul(x);
        }
        let count = images.len() as f64;
        // clamp: no images have no mean, one image no covariance.
        let mean = sum.clone().div_scalar(count.max(1.0));
        let covariance = (products - sum.transpose().matmul(mean.clone())).div_scalar((count - 1.0).max(1.0));
        Self { mean, covariance: covariance.into_data().iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    /// Images of two channels of 2 × 3 whose pixels depend on their neighbours.
    fn correlated(count: usize) -> Labelled {
        let mut random = StdRng::seed_from_u64(1);
        let mut images = Labelled::with_capacity([2, 2, 3], count);
        for _ in 0..count {
            let noise: Vec<f32> = (0..13).map(|_| random.random_range(0.0..1.0)).collect();
            images.push((0..12).map(|i| noise[i] + 0.7 * noise[i + 1] + 0.1 * i as f32), 0);
        }
        images
    }

    fn whitened(smoothing: f64) -> Labelled {
        let mut images = correlated(500);
        Spectrum::fit(&images, &Device::flex()).unwrap().zca(smoothing).apply(&mut images);
        images
    }

    fn covariance_after(smoothing: f64) -> Vec<f32> {
        let (device, images) = (Device::flex(), whitened(smoothing));
        Moments::of(&images, &identity(&images), &device).covariance
    }

    /// Statistics that standardise nothing: mean 0, deviation 1.
    fn identity(images: &Labelled) -> ChannelStatistics {
        let mut two = Labelled::with_capacity(images.dims, 2);
        (0..2).for_each(|sign| two.push(vec![2.0 * sign as f32 - 1.0; images.image_len()], 0));
        ChannelStatistics::of(&two)
    }

    #[test]
    fn little_smoothing_makes_the_covariance_the_identity() {
        for (index, value) in covariance_after(1e-9).into_iter().enumerate() {
            let expected = if index % 13 == 0 { 1.0 } else { 0.0 };
            assert!((value - expected).abs() < 1e-3, "{index}: {value}");
        }
    }

    #[test]
    fn the_mean_image_becomes_zero() {
        let images = whitened(0.1);
        for value in 0..images.image_len() {
            let sum: f32 = (0..images.len()).map(|index| images.image(index)[value]).sum();
            assert!((sum / images.len() as f32).abs() < 1e-4, "{value}: {sum}");
        }
    }

    #[test]
    fn smoothing_shrinks_variances() {
        let total: f32 = covariance_after(0.1).iter().step_by(13).sum();
        assert!(total < 0.95 * 12.0, "{total}");
    }

    #[test]
    fn images_that_are_not_finite_are_refused() {
        let mut images = correlated(20);
        images.values[7] = f32::NAN;
        let error = Spectrum::fit(&images, &Device::flex()).unwrap_err();
        assert!(error.to_string().contains("20 images"), "{error}");
    }
}
