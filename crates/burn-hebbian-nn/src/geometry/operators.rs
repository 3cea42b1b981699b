//! Burn's convolutions and their adjoints, by the rank of their inputs.

use burn::tensor::{
    Tensor,
    module::{conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d},
};

use super::window::Window;

/// A convolution and the transposed convolution with the same weight and window, its adjoint.
#[derive(Clone, Copy)]
pub(super) struct Operators<const X: usize> {
    pub(super) convolve: fn(Tensor<X>, Tensor<X>, &Window) -> Tensor<X>,
    /// With so many additional elements at the end of every output axis.
    pub(super) transpose: fn(Tensor<X>, Tensor<X>, &Window, [usize; 3]) -> Tensor<X>,
}

macro_rules! operators {
    ($rank:literal, $convolve:ident, $transpose:ident) => {
        impl Operators<$rank> {
            pub(super) const BURN: Self = Self {
                convolve: |x, w, window| $convolve(x, w, None, window.options()),
                transpose: |x, w, window, out| $transpose(x, w, None, window.transposed_options(out)),
            };
        }
    };
}

operators!(3, conv1d, conv_transpose1d);
operators!(4, conv2d, conv_transpose2d);
operators!(5, conv3d, conv_transpose3d);
