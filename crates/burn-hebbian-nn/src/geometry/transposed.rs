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

use super::{Geometry, correlation::correlate, energy::patch_energy, fit::Kind, operators::Operators};
use crate::{
    forms::CorrelationForm,
    window::{Window, flat, spatial, trailing, volume},
};

/// A transposed convolution on inputs of rank `X`.
#[derive(Clone)]
pub(crate) struct Transposed<const X: usize> {
    kind: Kind,
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

/// The geometry of a plain layer on inputs of one size; sizes are asked of the layer axis by axis.
macro_rules! transposed {
    ($layer:ty, $rank:literal, $kind:ident, $sizes:expr) => {
        impl Transposed<$rank> {
            /// The geometry of `conv` on inputs of these dimensions.
            ///
            /// # Panics
            ///
            /// If they do not fit.
            pub(crate) fn new(conv: &$layer, input: [usize; $rank]) -> Self {
                Self::fitting(conv, input).unwrap_or_else(|misfit| panic!("{misfit}"))
            }

            /// As [`new`](Self::new), or what does not fit.
            pub(crate) fn fitting(conv: &$layer, input: [usize; $rank]) -> Result<Self, String> {
                let sizes: fn(&$layer) -> [[usize; $rank - 2]; 5] = $sizes;
                let [kernel, stride, dilation, padding, padding_out] = sizes(conv);
                let kind = Kind::$kind;
                kind.check_sizes(kernel, stride, dilation)?;
                kind.check_weight(&conv.weight.lazy_shape(), kernel, conv.groups)?;
                let (layout, padding) =
                    (layout(&conv.weight, conv.groups), padding.map(|padding| (padding, padding)));
                let window = Window::new(conv.groups, kernel, stride, padding, dilation);
                let padding_out = trailing(padding_out, 0);
                kind.check_channels(layout.before * layout.groups, input)?;
                kind.check_transposed(&window, padding_out, input)?;
                Ok(Self { kind, layout, window, padding_out, operators: Operators::<$rank>::BURN })
            }
        }
    };
}

transposed!(ConvTranspose1d, 3, CONV_TRANSPOSE1D, |conv| {
    [conv.kernel_size, conv.stride, conv.dilation, conv.padding, conv.padding_out].map(|size| [size])
});
transposed!(ConvTranspose2d, 4, CONV_TRANSPOSE2D, |conv| {
    [conv.kernel_size, conv.stride, conv.dilation, conv.padding, conv.padding_out]
});
transposed!(ConvTranspose3d, 5, CONV_TRANSPOSE3D, |conv| {
    [conv.kernel_size, conv.stride, conv.dilation, conv.padding, conv.padding_out]
});

impl<const X: usize> Transposed<X> {
    /// Refuses coefficients that do not have the shape of the output.
    pub(crate) fn check_coefficients(&self, input: [usize; X], coefficients: [usize; X]) {
        let (size, span): ([usize; 3], _) = (spatial(input), self.window.span());
        let mut output = input;
        output[1] = self.layout.total_neurons();
        for axis in 5 - X..3 {
            let reach = (size[axis] - 1) * self.window.stride[axis] + span[axis] + self.padding_out[axis];
            output[axis + X - 3] = reach - 2 * self.window.padding[axis].0;
        }
        self.kind.check_coefficients(output, coefficients);
    }
}

impl<const X: usize> Geometry<X, X> for Transposed<X> {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn output(&self, input: [usize; X]) -> Option<[usize; X]> {
        let (span, size): (_, [usize; 3]) = (self.window.span(), spatial(input));
        let mut dims = input;
        dims[1] = self.layout.total_neurons();
        for axis in 5 - X..3 {
            let reach = (size[axis] - 1) * self.window.stride[axis] + span[axis] + self.padding_out[axis];
            dims[axis + X - 3] = reach - 2 * self.window.padding[axis].0;
        }
        Some(dims)
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
