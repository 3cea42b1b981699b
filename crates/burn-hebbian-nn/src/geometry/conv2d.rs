//! Two-dimensional convolution.

use burn::{
    nn::conv::Conv2d,
    tensor::{
        Tensor,
        module::{conv2d, conv2d_weight_backward},
        ops::{ConvOptions, PadMode},
    },
};
use burn_hebbian_core::WeightLayout;

use super::Geometry;
use crate::padding::{PaddingMode, pairs_2d};

/// A convolution on inputs of one size.
pub(crate) struct Conv2dGeometry {
    layout: WeightLayout,
    kernel: [usize; 2],
    padding: [(usize, usize); 2],
    mode: PaddingMode,
    /// The convolution of the prepared input.
    options: ConvOptions<2>,
}

impl Conv2dGeometry {
    /// The geometry of `conv` on inputs of `size` (height, width).
    pub(crate) fn new(conv: &Conv2d, mode: PaddingMode, size: [usize; 2]) -> Self {
        let padding = pairs_2d(&conv.padding, size, conv.kernel_size, conv.stride);
        let mut geometry = Self {
            layout: layout(conv),
            kernel: conv.kernel_size,
            padding,
            mode,
            options: ConvOptions::new_with_padding(conv.stride, padding, conv.dilation, conv.groups),
        };
        if geometry.pads_itself() {
            geometry.options.padding = [(0, 0); 2];
        }
        geometry
    }

    /// Reflection and asymmetric padding are done once for all operations, not inside each of them.
    fn pads_itself(&self) -> bool {
        let any = self.padding.iter().any(|&pair| pair != (0, 0));
        let asymmetric = self.padding.iter().any(|(begin, end)| begin != end);
        asymmetric || (any && self.mode == PaddingMode::Reflect)
    }
}

/// Where the neurons of a convolution lie: `[groups · neurons, channels / groups, kernel…]`.
pub(crate) fn layout(conv: &Conv2d) -> WeightLayout {
    let [neurons, channels, height, width] = conv.weight.lazy_shape().dims();
    WeightLayout {
        groups: conv.groups,
        before: 1,
        neurons: neurons / conv.groups,
        after: channels * height * width,
    }
}

impl Geometry<4, 4> for Conv2dGeometry {
    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn prepare(&self, x: Tensor<4>) -> Tensor<4> {
        if !self.pads_itself() {
            return x;
        }
        let mode = match self.mode {
            PaddingMode::Zeros => PadMode::Constant(0.0),
            PaddingMode::Reflect => PadMode::Reflect,
        };
        x.pad(self.padding, mode)
    }

    fn respond(&self, x: Tensor<4>, w: Tensor<4>) -> Tensor<4> {
        conv2d(x, w, None, self.options.clone())
    }

    fn correlate(&self, x: Tensor<4>, c: Tensor<4>, neurons: usize) -> Tensor<4> {
        let [height, width] = self.kernel;
        let channels = self.layout.after / (height * width);
        // of a weight, the operation reads the shape alone
        let dims = [self.layout.groups * neurons, channels, height, width];
        let shape = Tensor::zeros(dims, (&x.device(), x.dtype()));
        conv2d_weight_backward(x, shape, c, self.options.clone())
    }

    /// A box sum of `x²`: one channel a group, groups in the batch, so that one convolution serves them all.
    fn patch_energy(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, channels, height, width] = x.dims();
        let groups = self.layout.groups;
        let squares = (x.clone() * x).reshape([n * groups, channels / groups, height, width]).sum_dim(1);
        let ones = Tensor::ones([1, 1, self.kernel[0], self.kernel[1]], (&squares.device(), squares.dtype()));
        let options = ConvOptions { groups: 1, ..self.options.clone() };
        let energy = conv2d(squares, ones, None, options);
        let [_, _, rows, columns] = energy.dims();
        energy.reshape([n, groups, 1, rows * columns])
    }
}
