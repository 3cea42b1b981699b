//! The code in operations of tensors.

use burn::tensor::Tensor;

/// Halvings of the range of similarities: as many as leave nothing between two numbers of `f32`.
const HALVINGS: usize = 40;

/// `[n, neurons, positions]` → `[n, 2 · neurons, positions]`.
pub(super) fn code(s: Tensor<3>, near: usize) -> Tensor<3> {
    Tensor::cat(vec![largest(s.clone(), near), largest(s.neg(), near)], 1)
}

/// 1 for the largest. The threshold is found by halves: to sort reads back to the host on some backends.
fn largest(s: Tensor<3>, near: usize) -> Tensor<3> {
    let ones = |threshold: &Tensor<3>| s.clone().greater_equal(threshold.clone()).float();
    // at least `near` are from here on, and fewer from there on, or from just above
    let (mut low, mut high) = (s.clone().min_dim(1), s.clone().max_dim(1));
    let enough = |threshold: &Tensor<3>| ones(threshold).sum_dim(1).greater_equal_elem(near as f64);
    low = low.mask_where(enough(&high), high.clone());
    for _ in 0..HALVINGS {
        let middle = low.clone() + (high.clone() - low.clone()).mul_scalar(0.5);
        let enough = enough(&middle);
        high = middle.clone().mask_where(enough.clone(), high);
        low = low.mask_where(enough, middle);
    }
    // NaN stays NaN
    let comparable = s.clone().sum_dim(1).is_nan().float();
    ones(&low) + low.ones_like().mask_fill(comparable.greater_elem(0.5), f64::NAN).sub_scalar(1.0)
}
