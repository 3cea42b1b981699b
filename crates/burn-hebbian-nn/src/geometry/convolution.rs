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
    operators::Operators,
    window::{Window, flat, pad, spatial, volume},
};
use crate::{
    forms::CorrelationForm,
    padding::{PaddingMode, pairs_1d, pairs_2d, pairs_3d},
};

/// A convolution on inputs of one size and rank `X`.
#[derive(Clone)]
pub(crate) struct Convolution<const X: usize> {
    layout: WeightLayout,
    /// What the operators see, after `outside`.
    window: Window,
    /// Padding done before all operators.
    outside: [(usize, usize); 3],
    mode: PadMode,
    operators: Operators<X>,
}

/// Where the neurons of a convolution lie: `[groups · neurons, channels / groups, kernel…]`.
pub(crate) fn layout<const X: usize>(weight: &Param<Tensor<X>>, groups: usize) -> WeightLayout {
    let dims = weight.lazy_shape().dims::<X>();
    WeightLayout { groups, before: 1, neurons: dims[0] / groups, after: dims[1..].iter().product() }
}

impl Convolution<3> {
    /// The geometry of `conv` on inputs of these dimensions.
    pub(crate) fn new(conv: &Conv1d, mode: PaddingMode, [_, _, length]: [usize; 3]) -> Self {
        let (kernel, stride) = ([conv.kernel_size], [conv.stride]);
        let padding = pairs_1d(&conv.padding, [length], kernel, stride);
        let window = Window::new(conv.groups, kernel, stride, padding, [conv.dilation]);
        Self::of(layout(&conv.weight, conv.groups), window, mode, Operators::<3>::BURN)
    }
}

impl Convolution<4> {
    /// The geometry of `conv` on inputs of these dimensions.
    pub(crate) fn new(conv: &Conv2d, mode: PaddingMode, [_, _, size @ ..]: [usize; 4]) -> Self {
        let padding = pairs_2d(&conv.padding, size, conv.kernel_size, conv.stride);
        let window = Window::new(conv.groups, conv.kernel_size, conv.stride, padding, conv.dilation);
        Self::of(layout(&conv.weight, conv.groups), window, mode, Operators::<4>::BURN)
    }
}

impl Convolution<5> {
    /// The geometry of `conv` on inputs of these dimensions.
    pub(crate) fn new(conv: &Conv3d, mode: PaddingMode, [_, _, size @ ..]: [usize; 5]) -> Self {
        let padding = pairs_3d(&conv.padding, size, conv.kernel_size, conv.stride);
        let window = Window::new(conv.groups, conv.kernel_size, conv.stride, padding, conv.dilation);
        Self::of(layout(&conv.weight, conv.groups), window, mode, Operators::<5>::BURN)
    }
}

impl<const X: usize> Convolution<X> {
    fn of(layout: WeightLayout, window: Window, mode: PaddingMode, operators: Operators<X>) -> Self {
        let (inside, outside) = if pads_itself(&window, mode) {
            ([(0, 0); 3], window.padding)
        } else {
            (window.padding, [(0, 0); 3])
        };
        let mode = match mode {
            PaddingMode::Zeros => PadMode::Constant(0.0),
            PaddingMode::Reflect => PadMode::Reflect,
        };
        Self { layout, window: Window { padding: inside, ..window }, outside, mode, operators }
    }
}

impl<const X: usize> Convolution<X> {
    /// The form that [`correlate`](Geometry::correlate) chooses for inputs of these dimensions on a device.
    pub(crate) fn correlation_form(&self, input: [usize; X], device: &Device) -> CorrelationForm {
        let spatial: [usize; 3] = spatial(input);
        let prepared = [0, 1, 2].map(|axis| spatial[axis] + self.outside[axis].0 + self.outside[axis].1);
        let [[d, h, w], [z, y, x]] = [prepared, self.window.output(prepared)];
        let neurons = self.layout.total_neurons();
        Task::new(&self.window, [input[0], input[1], d, h, w], [input[0], neurons, z, y, x]).cheapest(device)
    }
}

/// Reflection and asymmetric padding are done once for all operators, not inside each of them.
fn pads_itself(window: &Window, mode: PaddingMode) -> bool {
    window.padding.iter().any(|(before, after)| before != after) || mode == PaddingMode::Reflect
}

impl<const X: usize> Geometry<X, X> for Convolution<X> {
    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn prepare(&self, x: Tensor<X>) -> Tensor<X> {
        pad(x, self.outside, self.mode)
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
