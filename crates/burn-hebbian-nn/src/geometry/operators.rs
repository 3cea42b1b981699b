//! Convolutions and their adjoints, by the rank of their inputs.

use burn::tensor::{
    Tensor,
    module::{conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d},
};

use crate::{
    untuned,
    window::{Window, spatial},
};

/// A convolution and the transposed convolution with the same weight and window, its adjoint: Burn's own, on GPUs without
/// its tuner.
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
                convolve: |x, w, window| {
                    untuned::convolve(&x, &w, window)
                        .unwrap_or_else(|| $convolve(x, w, None, window.options()))
                },
                transpose: |x, w, window, out| {
                    let own = untuned::feed_back(&x, &w, window, transposed(x.dims(), w.dims(), window, out));
                    own.unwrap_or_else(|| $transpose(x, w, None, window.transposed_options(out)))
                },
            };
        }
    };
}

operators!(3, conv1d, conv_transpose1d);
operators!(4, conv2d, conv_transpose2d);
operators!(5, conv3d, conv_transpose3d);

/// Dimensions of the output of a transposed convolution.
fn transposed<const X: usize>(x: [usize; X], w: [usize; X], window: &Window, out: [usize; 3]) -> [usize; X] {
    let (span, size) = (window.span(), spatial(x));
    let mut dims = x;
    dims[1] = w[1] * window.groups;
    for axis in 5 - X..3 {
        let (before, after) = window.padding[axis];
        let reach = (size[axis] - 1) * window.stride[axis] + span[axis] + out[axis];
        dims[axis + X - 3] = reach - before - after;
    }
    dims
}
