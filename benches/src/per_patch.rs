//! The soft winner-take-all update as it was before FastHebb: one difference `x − w` per patch and neuron.
//!
//! It needs a `[patches, neurons, fan-in]` temporary; it exists to be measured.

use burn::tensor::{Tensor, activation::softmax, module::unfold4d, ops::UnfoldOptions};

/// Temperature of [`swta`], as in the preset.
const TEMPERATURE: f64 = 0.02;

/// `ΔW` of SWTA with a weighted mean, `[neurons, fan-in]`, for an unpadded convolution of stride 1.
pub fn swta(x: Tensor<4>, weight: Tensor<4>) -> Tensor<2> {
    let [neurons, channels, height, width] = weight.dims();
    let fan_in = channels * height * width;
    let w: Tensor<2> = weight.reshape([neurons, fan_in]);
    let columns = unfold4d(x, [height, width], UnfoldOptions::new([1, 1], [0, 0], [1, 1]));
    let [n, _, positions] = columns.dims();
    let patches: Tensor<2> = columns.swap_dims(1, 2).reshape([n * positions, fan_in]);
    let z = softmax(raised_cosine(patches.clone(), w.clone()).div_scalar(TEMPERATURE), 1);
    let mass = z.clone().sum_dim(0).clamp_min(f32::MIN_POSITIVE).transpose();
    let difference: Tensor<3> = patches.unsqueeze_dim::<3>(1) - w.unsqueeze_dim(0); // [patches, k, fan-in]
    let coefficients: Tensor<3> = (z.clone() * z).unsqueeze_dim(2);
    (coefficients * difference).sum_dim(0).squeeze_dim::<2>(0) / mass
}

/// `((cos + 1) / 2)²` of every patch with every neuron.
pub(crate) fn raised_cosine(patches: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
    let norm = |rows: Tensor<2>| rows.powi_scalar(2).sum_dim(1).clamp_min(1e-30).sqrt();
    let cosine = patches.clone().matmul(w.clone().transpose()) / norm(patches) / norm(w).transpose();
    cosine.add_scalar(1.0).div_scalar(2.0).powi_scalar(2)
}
