//! Whitening of whole images.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::{
    WhiteningError, WhiteningFileError,
    eigen::{Eigen, Moments},
    file::{self, Stored},
};
use crate::data::{ChannelStatistics, Labeled, in_order};

/// Images that are multiplied at a time.
const CHUNK: usize = 1000;

/// What the file of a [`Zca`] says that it is.
const KIND: &str = "zca of images";

/// The covariance of images, decomposed once for any smoothing.
#[derive(Debug, Clone)]
pub struct Spectrum {
    statistics: ChannelStatistics,
    eigen: Eigen,
}

/// A whitening transform of images.
#[derive(Debug, Clone)]
pub struct Zca {
    statistics: ChannelStatistics,
    /// The mean image, `[1, values]`.
    mean: Tensor<2>,
    /// `[values, values]`, symmetric.
    matrix: Tensor<2>,
}

impl Spectrum {
    /// Decomposes the covariance of `images`.
    ///
    /// # Errors
    ///
    /// If there are no images, an image has more than 16,384 values, for which [patches](super::PatchWhiteningConfig) are
    /// the way out, or the covariance has no eigendecomposition, as when a pixel is NaN.
    pub fn fit(images: &Labeled, device: &Device) -> Result<Self, WhiteningError> {
        super::check("images", images.len(), images.dims)?;
        let statistics = ChannelStatistics::of(images);
        let eigen = Eigen::of(moments(images, &statistics, device));
        let error = WhiteningError::Covariance { samples: images.len(), what: "images" };
        Ok(Self { statistics, eigen: eigen.ok_or(error)? })
    }

    /// Mean and deviation of the channels, by which images are standardized before they are whitened.
    pub fn statistics(&self) -> &ChannelStatistics {
        &self.statistics
    }

    /// Directions of variance among the images; at most one less than there are images.
    pub fn rank(&self) -> usize {
        self.eigen.rank()
    }

    /// The transform with smoothing `ε`, in units of the standardized channels' variance, 1; without any, directions beyond
    /// the [rank](Self::rank) become 0.
    ///
    /// # Panics
    ///
    /// If the smoothing is negative or not finite.
    pub fn zca(&self, smoothing: f64) -> Zca {
        Zca {
            statistics: self.statistics.clone(),
            mean: self.eigen.mean.clone(),
            matrix: self.eigen.whitener(smoothing),
        }
    }
}

impl Zca {
    /// Whitens images of the size that it was fitted on.
    pub fn apply(&self, images: &mut Labeled) {
        self.statistics.standardize(images);
        let n = images.image_len();
        let device = self.matrix.device();
        for chunk in images.values.chunks_mut(CHUNK * n) {
            let rows = TensorData::new(chunk.to_vec(), [chunk.len() / n, n]);
            let centered = Tensor::<2>::from_data(rows, &device) - self.mean.clone();
            let whitened = centered.matmul(self.matrix.clone()).into_data();
            chunk.iter_mut().zip(whitened.iter::<f32>()).for_each(|(value, white)| *value = white);
        }
    }

    /// Writes it to one file, in the format safetensors.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), WhiteningFileError> {
        let statistics = [self.statistics.mean(), self.statistics.inverse_deviation()];
        let [mean, scale] = statistics.map(|values| TensorData::new(values.to_vec(), [values.len()]));
        let tensors = [
            ("channel_mean", mean),
            ("channel_scale", scale),
            ("mean", self.mean.to_data()),
            ("matrix", self.matrix.to_data()),
        ];
        file::save(path, KIND, &tensors, &[])
    }

    /// Reads a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or holds something else.
    pub fn load(path: &Path, device: &Device) -> Result<Self, WhiteningFileError> {
        let stored = Stored::open(path, KIND)?;
        let mean = stored.vector("channel_mean")?;
        let scale = stored.values("channel_scale", &[mean.len()])?;
        let (mean_image, matrix) = stored.transform(device)?;
        Ok(Self { statistics: ChannelStatistics::from_parts(mean, scale), mean: mean_image, matrix })
    }
}

/// The moments of standardized images.
fn moments(images: &Labeled, statistics: &ChannelStatistics, device: &Device) -> Moments {
    let n = images.image_len();
    let order = in_order(images.len());
    let chunks = order.chunks(CHUNK).map(|chunk| {
        let mut chunk = images.select(chunk);
        statistics.standardize(&mut chunk);
        let rows = chunk.len();
        Tensor::from_data(TensorData::new(chunk.values, [rows, n]), device)
    });
    Moments::of(n, chunks, device)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::data::whitening::eigen::tests::assert_identity;

    /// Images of two channels of 2 × 3 whose pixels depend on their neighbors.
    fn correlated(count: usize) -> Labeled {
        let mut random = StdRng::seed_from_u64(1);
        let mut images = Labeled::with_capacity([2, 2, 3], count);
        for _ in 0..count {
            let noise: Vec<f32> = (0..13).map(|_| random.random_range(0.0..1.0)).collect();
            images.push((0..12).map(|i| noise[i] + 0.7 * noise[i + 1] + 0.1 * i as f32), 0);
        }
        images
    }

    fn whitened(smoothing: f64) -> Labeled {
        let mut images = correlated(500);
        Spectrum::fit(&images, &Device::flex()).unwrap().zca(smoothing).apply(&mut images);
        images
    }

    fn covariance_after(smoothing: f64) -> Vec<f32> {
        let nothing = ChannelStatistics::from_parts(vec![0.0; 2], vec![1.0; 2]);
        moments(&whitened(smoothing), &nothing, &Device::flex()).covariance
    }

    #[test]
    fn little_smoothing_makes_the_covariance_the_identity() {
        assert_identity(&covariance_after(1e-9), 1e-3);
    }

    /// Five images of twelve pixels have four directions; along these they are white.
    #[test]
    fn few_images_are_whitened_without_smoothing() {
        for count in [1, 2, 5] {
            let mut images = correlated(count);
            let spectrum = Spectrum::fit(&images, &Device::flex()).unwrap();
            assert_eq!(spectrum.rank(), count - 1);
            for smoothing in [0.0, 1e-12] {
                let mut whitened = images.clone();
                spectrum.zca(smoothing).apply(&mut whitened);
                assert!(
                    whitened.values.iter().all(|value| value.abs() < 4.0),
                    "{count}: {:?}",
                    whitened.values
                );
            }
            spectrum.zca(0.0).apply(&mut images);
            let nothing = ChannelStatistics::from_parts(vec![0.0; 2], vec![1.0; 2]);
            let total: f32 = moments(&images, &nothing, &Device::flex()).covariance.iter().step_by(13).sum();
            assert!((total - (count - 1) as f32).abs() < 1e-2, "{count} images: {total}");
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
    fn a_saved_transform_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zca.safetensors");
        let zca = Spectrum::fit(&correlated(50), &Device::flex()).unwrap().zca(0.1);
        zca.save(&path).unwrap();
        let loaded = Zca::load(&path, &Device::flex()).unwrap();
        let [mut one, mut other] = [correlated(7), correlated(7)];
        zca.apply(&mut one);
        loaded.apply(&mut other);
        assert_eq!(one, other);
        assert_ne!(one, correlated(7));
    }

    #[test]
    fn images_too_large_for_a_covariance_are_refused() {
        let mut images = Labeled::with_capacity([3, 224, 224], 1);
        images.push(vec![0.5; 3 * 224 * 224], 0);
        let error = Spectrum::fit(&images, &Device::flex()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "whitening: images of 3 × 224 × 224 are 150528 values, a covariance of 90.6 GB and several times that to \
             decompose it, expected at most 16384 values: whiten smaller patches (`PatchWhiteningConfig`), or smaller \
             images (`ImageSize::Resized`)"
        );
    }

    #[test]
    fn no_images_are_refused() {
        for dims in [[2, 2, 3], [0, 0, 0]] {
            let nothing = Labeled::with_capacity(dims, 0);
            let error = Spectrum::fit(&nothing, &Device::flex()).unwrap_err();
            assert_eq!(error.to_string(), "whitening: no images to fit it on");
        }
    }

    #[test]
    fn images_that_are_not_finite_are_refused() {
        let mut images = correlated(20);
        images.values[7] = f32::NAN;
        let error = Spectrum::fit(&images, &Device::flex()).unwrap_err();
        assert!(error.to_string().contains("20 images"), "{error}");
    }
}
