//! Burn's own weight gradient.

use burn::tensor::{Tensor, module::conv2d_weight_backward, ops::PadMode};

use crate::{
    untuned,
    window::{Window, pad, strided},
};

/// Burn's 2-D weight gradient, once for every depth of the kernel: for 1-D and 2-D layers once, nothing
/// copied.
///
/// It is a convolution of `x` with `c` as its weight. With groups it is one convolution a group.
pub(super) fn correlate(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    let [_, channels, _, height, width] = x.dims();
    let [_, neurons, depth, ..] = c.dims();
    let [_, rows, columns] = window.kernel;
    // of a weight, the operation reads the shape alone
    let shape = [neurons, channels / window.groups, rows, columns];
    if window.kernel[0] == 1 && depth == 1 && window.padding[0] == (0, 0) && window.stride[0] == 1 {
        let [x, c] = [&x, &c].map(|values| fold_depth(values.clone()));
        if let Some(gradient) = untuned::weight_gradient(&x, &c, window, shape) {
            return gradient.unsqueeze_dim(2);
        }
    }
    let shape = Tensor::zeros(shape, (&x.device(), x.dtype()));
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
