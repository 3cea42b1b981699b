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

/// One product of matrices for every tap of the kernel, all groups at once: what a tap sees is a strided
/// slice.
///
/// Burn's own gradient runs one convolution a group, and a depthwise layer has hundreds of groups.
fn grouped(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    let [_, neurons, positions @ ..] = c.dims();
    let [_, channels, ..] = x.dims();
    let [depth, rows, columns] = window.kernel;
    let groups = window.groups;
    // Images join the positions they are summed with, one product a group: the copy that this needs of c is
    // made once, and of x it is the copy that makes a slice contiguous, which is needed anyway.
    let x = pad(x, window.padding, PadMode::Constant(0.0)).swap_dims(0, 1); // [channels, n, …]
    let c = by_group(c.swap_dims(0, 1), groups); // [g, k, n · p]
    let seen = |tap| by_group(strided(x.clone(), window.offset(tap), positions, window.stride), groups);
    let taps = taps(window.kernel).map(|tap| product(c.clone(), seen(tap))).collect();
    Tensor::stack::<4>(taps, 3).reshape([neurons, channels / groups, depth, rows, columns])
}

/// `[groups · members, n, …]` → `[groups, members, n · positions]`.
fn by_group(x: Tensor<5>, groups: usize) -> Tensor<3> {
    let [all, n, depth, height, width] = x.dims();
    x.reshape([groups, all / groups, n * depth * height * width])
}

/// `c xᵀ` of every group, `[groups, neurons, channels]`.
fn product(c: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
    let one_by_one = c.dims()[1] == 1 && x.dims()[1] == 1;
    // a depthwise layer has no matrix to multiply
    if one_by_one { (c * x).sum_dim(2) } else { c.matmul(x.swap_dims(1, 2)) }
}

/// Every tap of a kernel, row by row.
fn taps([depth, rows, columns]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..depth * rows * columns).map(move |tap| [tap / (rows * columns), tap / columns % rows, tap % columns])
}
