//! Transposed convolutions over one, two and three dimensions.
//!
//! A transposed convolution is the adjoint of the convolution with the same weight and window: that one reads
//! this one's output. Its correlation is therefore the convolution's with the two sides exchanged. Seen from
//! an output position, the input is stuffed with `stride − 1` zeros between its elements, and the patch is
//! what the kernel, mirrored, covers of that: to a rule, stuffed zeros are like zeros of the padding.

use burn::{
    module::Param,
    nn::conv::{ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    tensor::Tensor,
};
use burn_hebbian_core::WeightLayout;

use super::{
    Geometry,
    correlation::correlate,
    energy::patch_energy,
    operators::Operators,
    window::{Window, flat, trailing, volume},
};
use crate::forms::CorrelationForm;

/// A transposed convolution on inputs of rank `X`.
#[derive(Clone)]
pub(crate) struct Transposed<const X: usize> {
    layout: WeightLayout,
    window: Window,
    /// Additional elements at the end of every output axis.
    padding_out: [usize; 3],
    operators: Operators<X>,
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
            operators: Operators::<3>::BURN,
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
            operators: Operators::<4>::BURN,
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
            operators: Operators::<5>::BURN,
        }
    }
}

impl<const X: usize> Geometry<X, X> for Transposed<X> {
    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn respond(&self, x: Tensor<X>, w: Tensor<X>) -> Tensor<X> {
        (self.operators.transpose)(x, w, &self.window, self.padding_out)
    }

    /// The convolution. Where `padding_out` adds as much as a stride, it reads positions that no input wrote.
    fn feed_back(&self, dy: Tensor<X>, w: Tensor<X>, input: [usize; X]) -> Tensor<X> {
        let dx = (self.operators.convolve)(dy, w, &self.window);
        if dx.dims() == input { dx } else { dx.slice(input.map(|length| 0..length)) }
    }

    /// Exchanged sides. What of `c` no kernel reaches (`padding_out`) is never read.
    fn correlate(&self, x: Tensor<X>, c: Tensor<X>, form: Option<CorrelationForm>) -> Tensor<X> {
        flat(correlate(&self.window, volume(c), volume(x), form))
    }

    fn patch_energy(&self, x: Tensor<X>) -> Tensor<4> {
        let transpose = self.operators.transpose;
        patch_energy(x, &self.window, |x, ones, window| transpose(x, ones, window, self.padding_out))
    }
}
