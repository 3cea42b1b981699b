//! Transposed convolutions over one, two and three dimensions.
//!
//! A transposed convolution is the adjoint of the convolution with the same weight and window: that one reads
//! this one's output. Its correlation is therefore the convolution's with the two sides exchanged. Seen from
//! an output position, the input is stuffed with `stride − 1` zeros between its elements, and the patch is
//! what the kernel, mirrored, covers of that: to a rule, stuffed zeros are like zeros of the padding.

use burn::{
    module::Param,
    nn::conv::{ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    tensor::{
        Tensor,
        module::{conv_transpose1d, conv_transpose2d, conv_transpose3d},
    },
};
use burn_hebbian_core::WeightLayout;

use super::{
    Geometry,
    correlation::correlate,
    energy::patch_energy,
    window::{Window, flat, trailing, volume},
};

/// A transposed convolution on inputs of rank `X`.
pub(crate) struct Transposed<const X: usize> {
    layout: WeightLayout,
    window: Window,
    /// Additional elements at the end of every output axis.
    padding_out: [usize; 3],
    /// Burn's operator.
    transpose: fn(Tensor<X>, Tensor<X>, &Window, [usize; 3]) -> Tensor<X>,
}

/// Where the neurons of a transposed convolution lie: `[channels, neurons, kernel…]`, channels in groups.
pub(crate) fn layout<const X: usize>(weight: &Param<Tensor<X>>, groups: usize) -> WeightLayout {
    let dims = weight.lazy_shape().dims::<X>();
    WeightLayout { groups, before: dims[0] / groups, neurons: dims[1], after: dims[2..].iter().product() }
}

impl Transposed<3> {
    /// The geometry of `conv`.
    pub(crate) fn new(conv: &ConvTranspose1d) -> Self {
        let padding = [(conv.padding, conv.padding)];
        Self {
            layout: layout(&conv.weight, conv.groups),
            window: Window::new(conv.groups, [conv.kernel_size], [conv.stride], padding, [conv.dilation]),
            padding_out: trailing([conv.padding_out], 0),
            transpose: |x, w, window, out| conv_transpose1d(x, w, None, window.transposed_options(out)),
        }
    }
}

impl Transposed<4> {
    /// The geometry of `conv`.
    pub(crate) fn new(conv: &ConvTranspose2d) -> Self {
        let padding = conv.padding.map(|padding| (padding, padding));
        Self {
            layout: layout(&conv.weight, conv.groups),
            window: Window::new(conv.groups, conv.kernel_size, conv.stride, padding, conv.dilation),
            padding_out: trailing(conv.padding_out, 0),
            transpose: |x, w, window, out| conv_transpose2d(x, w, None, window.transposed_options(out)),
        }
    }
}

impl Transposed<5> {
    /// The geometry of `conv`.
    pub(crate) fn new(conv: &ConvTranspose3d) -> Self {
        let padding = conv.padding.map(|padding| (padding, padding));
        Self {
            layout: layout(&conv.weight, conv.groups),
            window: Window::new(conv.groups, conv.kernel_size, conv.stride, padding, conv.dilation),
            padding_out: trailing(conv.padding_out, 0),
            transpose: |x, w, window, out| conv_transpose3d(x, w, None, window.transposed_options(out)),
        }
    }
}

impl<const X: usize> Geometry<X, X> for Transposed<X> {
    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn respond(&self, x: Tensor<X>, w: Tensor<X>) -> Tensor<X> {
        (self.transpose)(x, w, &self.window, self.padding_out)
    }

    /// Exchanged sides. What of `c` no kernel reaches (`padding_out`) is never read.
    fn correlate(&self, x: Tensor<X>, c: Tensor<X>) -> Tensor<X> {
        flat(correlate(&self.window, volume(c), volume(x)))
    }

    fn patch_energy(&self, x: Tensor<X>) -> Tensor<4> {
        patch_energy(x, &self.window, |x, ones, window| (self.transpose)(x, ones, window, self.padding_out))
    }
}
