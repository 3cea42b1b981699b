//! `‖x‖²` of every patch.

use burn::tensor::Tensor;

use crate::window::Window;

/// The sum of `x²` over every patch, `[n, groups, 1, positions]`: the layer's own operator with weights of
/// one.
///
/// One channel a group, groups in the batch, so that one operator without groups serves them all.
pub(super) fn patch_energy<const X: usize>(
    x: Tensor<X>,
    window: &Window,
    operator: impl FnOnce(Tensor<X>, Tensor<X>, &Window) -> Tensor<X>,
) -> Tensor<4> {
    let groups = window.groups;
    let mut dims = x.dims();
    let n = dims[0];
    (dims[0], dims[1]) = (n * groups, dims[1] / groups);
    let squares = (x.clone() * x).reshape(dims).sum_dim(1);
    let mut kernel = [1; X];
    kernel[2..].copy_from_slice(&window.kernel[5 - X..]);
    let ones = Tensor::ones(kernel, (&squares.device(), squares.dtype()));
    let energy = operator(squares, ones, &window.ungrouped());
    let positions: usize = energy.dims()[2..].iter().product();
    energy.reshape([n, groups, 1, positions])
}
