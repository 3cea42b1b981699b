//! Whitening of patches.

use std::path::Path;

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData},
};

use super::{
    FoldedFilters, MIN_VARIANCE, WhiteningError, WhiteningFileError,
    eigen::{Eigen, Moments},
    file::{self, Stored},
};
use burn_hebbian_train::SplitMix;

use crate::data::Labeled;

/// Patches that are multiplied at a time.
const CHUNK: usize = 10_000;

/// What the file of a [`PatchZca`] says that it is.
const KIND: &str = "zca of patches";

/// How a whitening of patches is fitted.
///
/// With a contrast constant `c` every patch is first brought to `x̂ = (x − mean(x)) / √(var(x) + c)`, mean and variance
/// over all its channels and pixels (the variance by the number of values, not one less). The paper has `c = 10` for
/// pixels in 0..=255, which is `10 / 255²` for pixels in 0..=1, and smoothing `ε = 0.1`.
///
/// Source: A. Coates, H. Lee and A. Y. Ng, "An analysis of single-layer networks in unsupervised feature learning",
/// AISTATS (2011), PMLR 15:215–223.
#[derive(Config, Debug, PartialEq)]
pub struct PatchWhiteningConfig {
    /// Height and width of a patch.
    pub side: usize,
    /// Patches that it is fitted on, from random places of random images.
    #[config(default = 100_000)]
    pub patches: usize,
    /// The constant `c` of the patches' contrast normalization, if there is to be one.
    #[config(default = "None")]
    pub contrast: Option<f64>,
    /// The seed of the places.
    #[config(default = 0)]
    pub seed: u64,
}

/// The covariance of patches, decomposed once for any smoothing.
#[derive(Debug, Clone)]
pub struct PatchSpectrum {
    space: PatchSpace,
    eigen: Eigen,
}

/// A whitening transform of patches.
#[derive(Debug, Clone)]
pub struct PatchZca {
    space: PatchSpace,
    /// The mean patch, `[1, values]`.
    mean: Tensor<2>,
    /// `[values, values]`, symmetric.
    matrix: Tensor<2>,
}

/// What a patch is: planes of rows, as in a filter `[·, channels, side, side]`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PatchSpace {
    channels: usize,
    side: usize,
    contrast: Option<f64>,
}

impl PatchWhiteningConfig {
    /// Decomposes the covariance of random patches of `images`.
    ///
    /// # Errors
    ///
    /// If there are no images or no patches, images are smaller than a patch, a patch has more than 16,384 values, the
    /// contrast constant is negative, or the covariance has no eigendecomposition, as when a pixel is NaN.
    pub fn fit(&self, images: &Labeled, device: &Device) -> Result<PatchSpectrum, WhiteningError> {
        self.check(images)?;
        let space = PatchSpace { channels: images.dims[0], side: self.side, contrast: self.contrast };
        let eigen = Eigen::of(self.moments(&space, images, device));
        let error = WhiteningError::Covariance { samples: self.patches, what: "patches" };
        Ok(PatchSpectrum { space, eigen: eigen.ok_or(error)? })
    }

    fn check(&self, images: &Labeled) -> Result<(), WhiteningError> {
        let [_, height, width] = images.dims;
        let side = self.side;
        if images.is_empty() || side == 0 || side > height.min(width) {
            return Err(WhiteningError::Patches { side, images: images.len(), height, width });
        }
        super::check("patches", self.patches, [images.dims[0], side, side])?;
        match self.contrast {
            // not `contrast < 0.0`: NaN is no constant either
            Some(contrast) if !(0.0..f64::INFINITY).contains(&contrast) => {
                Err(WhiteningError::Contrast { contrast })
            }
            _ => Ok(()),
        }
    }

    fn moments(&self, space: &PatchSpace, images: &Labeled, device: &Device) -> Moments {
        let mut random = SplitMix::new(self.seed);
        let chunks = (0..self.patches).step_by(CHUNK).map(|first| {
            let rows = CHUNK.min(self.patches - first);
            let values = (0..rows).flat_map(|_| space.random_patch(images, &mut random)).collect();
            space.normalized(Tensor::from_data(TensorData::new(values, [rows, space.len()]), device))
        });
        Moments::of(space.len(), chunks, device)
    }
}

impl PatchSpace {
    /// Values of a patch.
    fn len(&self) -> usize {
        self.channels * self.side * self.side
    }

    /// A patch from anywhere.
    fn random_patch(&self, images: &Labeled, random: &mut SplitMix) -> Vec<f32> {
        let [_, height, width] = images.dims;
        let image = images.image(random.below(images.len()));
        let top = random.below(height - self.side + 1);
        let left = random.below(width - self.side + 1);
        let row = |index: usize| index / self.side * height + top + index % self.side;
        let rows =
            (0..self.channels * self.side).map(|index| &image[row(index) * width + left..][..self.side]);
        rows.flatten().copied().collect()
    }

    /// Patches `[n, values]` after their contrast normalization, if there is one.
    fn normalized(&self, patches: Tensor<2>) -> Tensor<2> {
        let Some(contrast) = self.contrast else { return patches };
        let centered = patches.clone() - patches.mean_dim(1);
        let variance = centered.clone().square().mean_dim(1);
        centered / variance.add_scalar(contrast).clamp_min(MIN_VARIANCE).sqrt()
    }
}

impl PatchSpectrum {
    /// Directions of variance among the patches; with contrast normalization at least one has none.
    pub fn rank(&self) -> usize {
        self.eigen.rank()
    }

    /// The transform with smoothing `ε`, in units of the patches' variance; without any, directions beyond the
    /// [rank](Self::rank) become 0.
    ///
    /// # Panics
    ///
    /// If the smoothing is negative or not finite.
    pub fn zca(&self, smoothing: f64) -> PatchZca {
        PatchZca { space: self.space, mean: self.eigen.mean.clone(), matrix: self.eigen.whitener(smoothing) }
    }
}

impl PatchZca {
    /// Whitens patches `[n, channels · side · side]`, each as planes of rows.
    pub fn whiten(&self, patches: Tensor<2>) -> Tensor<2> {
        (self.space.normalized(patches) - self.mean.clone()).matmul(self.matrix.clone())
    }

    /// Whitens every patch of images: `[n, channels, height, width]` →
    /// `[n, channels · side · side, height − side + 1, width − side + 1]`, a whitened patch at every place.
    pub fn apply(&self, images: Tensor<4>) -> Tensor<4> {
        let PatchSpace { channels, side, .. } = self.space;
        let values = self.space.len();
        let each = Tensor::<2>::eye(values, &self.matrix.device());
        self.fold(each.reshape([values, channels, side, side]), None).forward(images, 1)
    }

    /// Filters `[filters, channels, side, side]`, and a bias for each, that were learned on whitened patches, as filters on
    /// the images themselves.
    ///
    /// ```text
    /// w · W (x̂ − m) + b = (w W) · x̂ + (b − (w W) · m)
    /// ```
    ///
    /// # Panics
    ///
    /// If the filters are of another size than the patches.
    pub fn fold(&self, filters: Tensor<4>, bias: Option<Tensor<1>>) -> FoldedFilters {
        let PatchSpace { channels, side, contrast } = self.space;
        let [count, ..] = filters.dims();
        assert_eq!(
            filters.dims(),
            [count, channels, side, side],
            "folding: filters [filters, channels, side, side] of the size of the patches"
        );
        let rows = filters.reshape([count, self.space.len()]).matmul(self.matrix.clone());
        let offset = rows.clone().matmul(self.mean.clone().transpose()).reshape([count]).neg();
        let bias = match bias {
            Some(bias) => offset + bias,
            None => offset,
        };
        FoldedFilters::new(rows, [channels, side], bias, contrast)
    }

    /// Writes it to one file, in the format safetensors.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), WhiteningFileError> {
        let PatchSpace { channels, side, contrast } = self.space;
        let tensors = [("mean", self.mean.to_data()), ("matrix", self.matrix.to_data())];
        let contrast = contrast.map_or("none".to_string(), |constant| constant.to_string());
        let facts = [("channels", channels.to_string()), ("side", side.to_string()), ("contrast", contrast)];
        file::save(path, KIND, &tensors, &facts)
    }

    /// Reads a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or holds something else.
    pub fn load(path: &Path, device: &Device) -> Result<Self, WhiteningFileError> {
        let stored = Stored::open(path, KIND)?;
        let number = |key| stored.fact(key, "a number", |text| text.parse().ok());
        let contrast = stored.fact("contrast", "a number or none", |text| match text {
            "none" => Some(None),
            number => number.parse().ok().map(Some),
        });
        let space = PatchSpace { channels: number("channels")?, side: number("side")?, contrast: contrast? };
        let (mean, matrix) = stored.transform(device)?;
        stored.values("mean", &[1, space.len()])?;
        Ok(Self { space, mean, matrix })
    }
}

#[cfg(test)]
mod tests;
