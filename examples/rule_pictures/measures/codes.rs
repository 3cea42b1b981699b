//! Outputs `[patches, neurons]` as codes.

use burn::tensor::Tensor;

use super::vectors::{off_diagonal, scalar};

/// The mean of `1 − mean y / max y` over neurons: near 1 if a neuron answers few patches alone.
pub(crate) fn selectivity(outputs: Tensor<2>) -> f64 {
    // clamp: a silent neuron has no largest answer.
    let largest = outputs.clone().max_dim(0).clamp_min(1e-12);
    1.0 - scalar((outputs.mean_dim(0) / largest).mean())
}

/// The mean excess kurtosis over neurons: 0 for a Gaussian, above for what is sparse.
pub(crate) fn kurtosis(outputs: Tensor<2>) -> f64 {
    let centered = outputs.clone() - outputs.mean_dim(0);
    let square = centered.clone() * centered;
    let fourth = (square.clone() * square.clone()).mean_dim(0);
    // clamp: a constant output has no shape.
    let variance = square.mean_dim(0).clamp_min(1e-12);
    scalar((fourth / (variance.clone() * variance)).mean()) - 3.0
}

/// The mean magnitude of the correlation between two neurons.
pub(crate) fn correlation(outputs: Tensor<2>) -> f64 {
    let centered = outputs.clone() - outputs.mean_dim(0);
    let products = centered.clone().transpose().matmul(centered.clone());
    // clamp: a constant output correlates with nothing.
    let deviations = (centered.clone() * centered).sum_dim(0).clamp_min(1e-12).sqrt(); // [1, neurons]
    off_diagonal(products / (deviations.clone().transpose().matmul(deviations)))
}
