//! Weight vectors `[neurons, fan-in]` by themselves.

use burn::tensor::Tensor;

/// Length 1 each.
fn directions(vectors: Tensor<2>) -> Tensor<2> {
    // clamp: an all-zero vector has no direction.
    vectors.clone() / norms(vectors).clamp_min(1e-12).unsqueeze_dim(1)
}

/// Cosines of each of `a` with each of `b`, `[a, b]`.
pub(crate) fn cosines(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    directions(a).matmul(directions(b).transpose())
}

/// The cosine of each of `a` with that of `b` in the same row.
pub(crate) fn row_cosines(a: Tensor<2>, b: Tensor<2>) -> Tensor<1> {
    (directions(a) * directions(b)).sum_dim(1).squeeze_dim(1)
}

/// The length of each.
pub(crate) fn norms(vectors: Tensor<2>) -> Tensor<1> {
    powers(vectors, 2.0).sqrt()
}

/// `Σ |w|^p` of each neuron.
pub(crate) fn powers(vectors: Tensor<2>, p: f64) -> Tensor<1> {
    vectors.abs().powf_scalar(p).sum_dim(1).squeeze_dim(1)
}

/// Mean, smallest and largest.
pub(crate) fn spread(values: Tensor<1>) -> [f64; 3] {
    [values.clone().mean(), values.clone().min(), values.max()].map(scalar)
}

/// A tensor of one number.
pub(crate) fn scalar(value: Tensor<1>) -> f64 {
    f64::from(value.into_scalar::<f32>())
}

/// The mean magnitude off the diagonal of a square matrix.
pub(crate) fn off_diagonal(matrix: Tensor<2>) -> f64 {
    let [n, _] = matrix.dims();
    let off = matrix.clone() * (Tensor::eye(n, &matrix.device()).neg().add_scalar(1.0));
    // clamp: a single neuron has no others.
    scalar(off.abs().sum()) / (n * (n - 1)).max(1) as f64
}
