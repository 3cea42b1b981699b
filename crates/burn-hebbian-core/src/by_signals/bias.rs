//! A bias that learns as a weight from an input of 1 does.

use alloc::vec;

use burn::tensor::Tensor;

use crate::WeightLayout;

/// Coefficients `[n, groups, neurons, positions]` summed over patches, with a count of one value behind.
pub(super) fn statistics(c: Tensor<4>, count: Tensor<1>) -> Tensor<1> {
    let [_, groups, neurons, _] = c.dims();
    let sums: Tensor<2> = c.sum_dims_squeeze(&[0, 3]);
    Tensor::cat(vec![sums.reshape([groups * neurons]), count], 0)
}

/// The sums of all neurons, divided by the count that follows them.
pub(super) fn mean(statistics: Tensor<1>, layout: &WeightLayout) -> Tensor<1> {
    let neurons = layout.total_neurons();
    // clamp: where nothing was counted, the sums are 0 too
    let count = statistics.clone().narrow(0, neurons, 1).clamp_min(f32::MIN_POSITIVE);
    statistics.narrow(0, 0, neurons) / count
}
