//! Convolutions over one, two and three dimensions.

use burn::{
    module::Param,
    nn::conv::{Conv1d, Conv2d, Conv3d},
    tensor::{Device, Tensor, ops::PadMode},
};
use burn_hebbian_core::WeightLayout;

use super::{
    Geometry,
    correlation::{Task, correlate},
    energy::patch_energy,
    fit::Kind,
    operators::Operators,
    padding::{PaddingMode, crop, fold_reflection, pairs_1d, pairs_2d, pairs_3d},
};
use crate::{
    forms::CorrelationForm,
    window::{Window, flat, pad, spatial, volume},
};

/// A convolution on inputs of one size and rank `X`.
#[derive(Clone)]
pub(crate) struct Convolution<const X: usize> {
    kind: Kind,
    layout: WeightLayout,
    /// What the operators see, after `outside`.
    window: Window,
    /// Padding done before all operators.
    outside: [(usize, usize); 3],
    /// The window with all of its padding.
    padded: Window,
    mode: PadMode,
    operators: Operators<X>,
}

/// Where the neurons of a convolution lie: `[groups · neurons, channels / groups, kernel…]`.
pub(crate) fn layout<const X: usize>(weight: &Param<Tensor<X>>, groups: usize) -> WeightLayout {
    let dims = weight.lazy_shape().dims::<X>();
    WeightLayout { groups, before: 1, neurons: dims[0] / groups, after: dims[1..].iter().product() }
}

/// The geometry of a plain layer on inputs of one size; sizes and pairs of padding are asked of the layer axis by axis.
macro_rules! convolution {
    ($layer:ty, $rank:literal, $kind:ident, $pairs:ident, $sizes:expr) => {
        impl Convolution<$rank> {
            /// The geometry of `conv` on inputs of these dimensions.
            ///
            /// # Panics
            ///
            /// If they do not fit.
            pub(crate) fn new(conv: &$layer, mode: PaddingMode, input: [usize; $rank]) -> Self {
                Self::fitting(conv, mode, input).unwrap_or_else(|misfit| panic!("{misfit}"))
            }

            /// As [`new`](Self::new), or what does not fit.
            pub(crate) fn fitting(
                conv: &$layer,
                mode: PaddingMode,
                input: [usize; $rank],
            ) -> Result<Self, String> {
                let sizes: fn(&$layer) -> [[usize; $rank - 2]; 3] = $sizes;
                let ([kernel, stride, dilation], [_, _, size @ ..]) = (sizes(conv), input);
                Kind::$kind.check_sizes(kernel, stride, dilation)?;
                Kind::$kind.check_weight(&conv.weight.lazy_shape(), kernel, conv.groups)?;
                let padding = $pairs(&conv.padding, size, kernel, stride);
                let window = Window::new(conv.groups, kernel, stride, padding, dilation);
                let layout = layout(&conv.weight, conv.groups);
                let geometry = Self::of(Kind::$kind, layout, window, mode, Operators::<$rank>::BURN);
                geometry.check(input)?;
                Ok(geometry)
            }
        }
    };
}

convolution!(Conv1d, 3, CONV1D, pairs_1d, |conv| [[conv.kernel_size], [conv.stride], [conv.dilation]]);
convolution!(Conv2d, 4, CONV2D, pairs_2d, |conv| [conv.kernel_size, conv.stride, conv.dilation]);
convolution!(Conv3d, 5, CONV3D, pairs_3d, |conv| [conv.kernel_size, conv.stride, conv.dilation]);

impl<const X: usize> Convolution<X> {
    fn of(
        kind: Kind,
        layout: WeightLayout,
        padded: Window,
        mode: PaddingMode,
        operators: Operators<X>,
    ) -> Self {
        let (inside, outside) = if pads_itself(&padded, mode) {
            ([(0, 0); 3], padded.padding)
        } else {
            (padded.padding, [(0, 0); 3])
        };
        let mode = match mode {
            PaddingMode::Zeros => PadMode::Constant(0.0),
            PaddingMode::Reflect => PadMode::Reflect,
        };
        let window = Window { padding: inside, ..padded };
        Self { kind, layout, window, outside, padded, mode, operators }
    }

    /// Refuses inputs that do not fit.
    fn check(&self, input: [usize; X]) -> Result<(), String> {
        let taps: usize = self.window.kernel.iter().product();
        self.kind.check_channels(self.layout.after / taps * self.layout.groups, input)?;
        if matches!(self.mode, PadMode::Reflect) {
            self.kind.check_reflection(&self.padded, input)?;
        }
        self.kind.check_kernel(&self.padded, input)
    }

    /// Dimensions of the output for an input of these.
    fn output_dims(&self, input: [usize; X]) -> [usize; X] {
        let mut dims = input;
        dims[1] = self.layout.total_neurons();
        dims[2..].copy_from_slice(&self.padded.output(spatial(input))[5 - X..]);
        dims
    }

    /// Refuses coefficients that do not have the shape of the output.
    pub(crate) fn check_coefficients(&self, input: [usize; X], coefficients: [usize; X]) {
        self.kind.check_coefficients(self.output_dims(input), coefficients);
    }

    /// The form that [`correlate`](Geometry::correlate) chooses for inputs of these dimensions on a device.
    pub(crate) fn correlation_form(&self, input: [usize; X], device: &Device) -> CorrelationForm {
        let spatial: [usize; 3] = spatial(input);
        let prepared = [0, 1, 2].map(|axis| spatial[axis] + self.outside[axis].0 + self.outside[axis].1);
        let [[d, h, w], [z, y, x]] = [prepared, self.padded.output(spatial)];
        let neurons = self.layout.total_neurons();
        Task::new(&self.window, [input[0], input[1], d, h, w], [input[0], neurons, z, y, x]).cheapest(device)
    }
}

/// Reflection and asymmetric padding are done once for all operators, not inside each of them.
fn pads_itself(window: &Window, mode: PaddingMode) -> bool {
    window.padding.iter().any(|(before, after)| before != after) || mode == PaddingMode::Reflect
}

impl<const X: usize> Geometry<X, X> for Convolution<X> {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn prepare(&self, x: Tensor<X>) -> Tensor<X> {
        pad(x, self.outside, self.mode)
    }

    fn prepared(&self, input: [usize; X], _like: &Tensor<X>) -> [usize; X] {
        let mut dims = input;
        for (axis, (before, after)) in self.outside[5 - X..].iter().enumerate() {
            dims[2 + axis] += before + after;
        }
        dims
    }

    fn prepare_back(&self, dx: Tensor<X>, _input: [usize; X]) -> Tensor<X> {
        match self.mode {
            PadMode::Reflect => fold_reflection(dx, self.outside),
            _ => crop(dx, self.outside),
        }
    }

    fn output(&self, input: [usize; X]) -> Option<[usize; X]> {
        Some(self.output_dims(input))
    }

    fn respond(&self, x: Tensor<X>, w: Tensor<X>) -> Tensor<X> {
        (self.operators.convolve)(x, w, &self.window)
    }

    fn feed_back(&self, dy: Tensor<X>, w: Tensor<X>, input: [usize; X]) -> Tensor<X> {
        let unread = self.window.unread(spatial(input), spatial(dy.dims()));
        (self.operators.transpose)(dy, w, &self.window, unread)
    }

    fn correlate(&self, x: Tensor<X>, c: Tensor<X>, form: Option<CorrelationForm>) -> Tensor<X> {
        flat(correlate(&self.window, volume(x), volume(c), form))
    }

    fn patch_energy(&self, x: Tensor<X>) -> Tensor<4> {
        patch_energy(x, &self.window, self.operators.convolve)
    }

    fn window(&self) -> Option<Window> {
        Some(self.window)
    }
}
