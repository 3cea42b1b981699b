//! `Σ c_k x`, the weight gradient of a convolution of any rank, with or without groups.

use burn::tensor::{Tensor, module::conv2d_weight_backward, ops::PadMode};

use super::window::{Window, pad, strided};

/// `Σ c_k x` over images and positions, `[groups · neurons, channels / groups, kernel…]`.
///
/// `x: [n, channels, …]` is the input of the convolution, `c: [n, groups · neurons, …]` has the shape of its
/// output. A transposed convolution is the adjoint: the same sum, with `c` as the input and `x` as the
/// output.
pub(super) fn correlate(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    if window.groups == 1 { dense(window, x, c) } else { grouped(window, x, c) }
}

/// Burn's 2-D weight gradient, once for every depth of the kernel: for 1-D and 2-D layers once, nothing
/// copied.
fn dense(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    let [_, channels, _, height, width] = x.dims();
    let [_, neurons, depth, ..] = c.dims();
    let [_, rows, columns] = window.kernel;
    // of a weight, the operation reads the shape alone
    let shape = Tensor::zeros([neurons, channels, rows, columns], (&x.device(), x.dtype()));
    let x = pad(x, [window.padding[0], (0, 0), (0, 0)], PadMode::Constant(0.0));
    let c = fold_depth(c);
    let steps = [window.stride[0], 1, 1];
    let tap = |depth_tap: usize| {
        let x = strided(x.clone(), window.offset([depth_tap, 0, 0]), [depth, height, width], steps);
        conv2d_weight_backward(fold_depth(x), shape.clone(), c.clone(), window.options()).unsqueeze_dim(2)
    };
    if window.kernel[0] == 1 {
        return tap(0);
    }
    Tensor::cat((0..window.kernel[0]).map(tap).collect(), 2)
}

/// `[n, channels, depth, height, width]` → `[n · depth, channels, height, width]`.
fn fold_depth(x: Tensor<5>) -> Tensor<4> {
    let [n, channels, depth, height, width] = x.dims();
    let x = if depth == 1 { x } else { x.swap_dims(1, 2) };
    x.reshape([n * depth, channels, height, width])
}

/// One product for every tap of the kernel, all groups at once: what a tap sees is a strided slice.
///
/// Burn's own gradient runs one convolution a group, and a depthwise layer has hundreds of groups.
fn grouped(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
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

/// `[n, groups · members, …]` → `[groups, members, n · positions]`.
///
/// Images join the positions they are summed with: one product a group. Of `x` that costs nothing, a slice
/// has to be made contiguous anyway; of `c` it costs one copy for all taps.
fn by_group(x: Tensor<5>, groups: usize) -> Tensor<3> {
    let [n, all, depth, height, width] = x.dims();
    x.swap_dims(0, 1).reshape([groups, all / groups, n * depth * height * width])
}

/// Every tap of a kernel, row by row.
fn taps([depth, rows, columns]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..depth * rows * columns).map(move |tap| [tap / (rows * columns), tap / columns % rows, tap % columns])
}
