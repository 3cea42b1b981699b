//! One product for every tap of the kernel, all groups at once: what a tap sees is a strided slice.

use burn::tensor::{Tensor, ops::PadMode};

use super::layout::by_group;
use crate::window::{Window, pad, strided};

/// One product for every tap of the kernel.
pub(super) fn correlate(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    let [_, neurons, positions @ ..] = c.dims();
    let [_, channels, ..] = x.dims();
    let [depth, rows, columns] = window.kernel;
    let x = pad(x, window.padding, PadMode::Constant(0.0));
    let seen = |tap| strided(x.clone(), window.offset(tap), positions, window.stride);
    let seen = taps(window.kernel).map(seen);
    let sums = if neurons == window.groups && channels == window.groups {
        seen.map(|x| depthwise(x, c.clone())).collect()
    } else {
        let c = by_group(c, window.groups);
        seen.map(|x| c.clone().matmul(by_group(x, window.groups).swap_dims(1, 2))).collect()
    };
    Tensor::stack::<4>(sums, 3).reshape([neurons, channels / window.groups, depth, rows, columns])
}

/// `Σ c x` of one channel and one neuron a group, `[groups, 1, 1]`: no matrix to multiply.
fn depthwise(x: Tensor<5>, c: Tensor<5>) -> Tensor<3> {
    let [n, groups, depth, height, width] = c.dims();
    // before the product: contiguous rows multiply faster than a strided slice
    let rows = [n, groups, depth * height * width];
    (c.reshape(rows) * x.reshape(rows)).sum_dim(2).sum_dim(0).swap_dims(0, 1)
}

/// Every tap of a kernel, row by row.
fn taps([depth, rows, columns]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..depth * rows * columns).map(move |tap| [tap / (rows * columns), tap / columns % rows, tap % columns])
}
