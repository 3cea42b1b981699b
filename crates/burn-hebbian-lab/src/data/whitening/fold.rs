//! Filters that whiten what they see.

use burn::tensor::{Tensor, module::conv2d, ops::ConvOptions};

use super::MIN_VARIANCE;

/// Filters on images that answer as the filters which they were [folded](super::PatchZca::fold) from do on whitened
/// patches.
///
/// Without contrast normalization they are an ordinary convolution, `weight` and `bias`. With it the answer is divided by
/// the patch's deviation before the bias is added; a patch's mean is in the weights, which sum to 0.
#[derive(Debug, Clone)]
pub struct FoldedFilters {
    /// `[filters, channels, side, side]`.
    pub weight: Tensor<4>,
    /// `[filters]`.
    pub bias: Tensor<1>,
    /// The constant of the contrast normalization, if there is one.
    pub contrast: Option<f64>,
}

impl FoldedFilters {
    /// Of rows `[filters, channels · side · side]` that see normalized patches.
    pub(super) fn new(
        rows: Tensor<2>,
        [channels, side]: [usize; 2],
        bias: Tensor<1>,
        contrast: Option<f64>,
    ) -> Self {
        let [count, _] = rows.dims();
        let rows = match contrast {
            // v · (x − mean(x)) = (v − mean(v)) · x
            Some(_) => rows.clone() - rows.mean_dim(1),
            None => rows,
        };
        Self { weight: rows.reshape([count, channels, side, side]), bias, contrast }
    }

    /// The answers at every `stride`-th place, without padding: `[n, channels, height, width]` →
    /// `[n, filters, (height − side) / stride + 1, (width − side) / stride + 1]`.
    pub fn forward(&self, images: Tensor<4>, stride: usize) -> Tensor<4> {
        let options = || ConvOptions::new([stride; 2], [0; 2], [1; 2], 1);
        let Some(contrast) = self.contrast else {
            return conv2d(images, self.weight.clone(), Some(self.bias.clone()), options());
        };
        let [_, channels, side, _] = self.weight.dims();
        let values = channels * side * side;
        let average = Tensor::<4>::full([1, channels, side, side], 1.0 / values as f64, &images.device());
        let mean = conv2d(images.clone(), average.clone(), None, options());
        let square = conv2d(images.clone().square(), average, None, options());
        // clamp: rounding leaves variances just below 0 where a patch is blank.
        let variance = (square - mean.square()).clamp_min(0.0).add_scalar(contrast).clamp_min(MIN_VARIANCE);
        let answers = conv2d(images, self.weight.clone(), None, options());
        answers / variance.sqrt() + self.bias.clone().reshape([1, -1, 1, 1])
    }
}
