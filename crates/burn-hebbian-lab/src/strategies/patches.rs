//! What a convolution's kernel sees.

use burn::tensor::{
    Tensor,
    module::conv2d,
    ops::{ConvOptions, PadMode},
};

use super::Case;

/// The patches of a batch, in the order image, row, column.
pub struct Patches {
    /// The padded input, `[n, channels, height, width]`.
    x: Tensor<4>,
    kernel: usize,
    stride: usize,
    /// Height and width of the output.
    size: usize,
}

impl Patches {
    /// The patches of a batch of inputs.
    pub fn new(case: &Case, x: Tensor<4>) -> Self {
        let border = (case.padding, case.padding);
        let x = match case.padding {
            0 => x,
            _ => x.pad([border, border], PadMode::Constant(0.0)),
        };
        Self { x, kernel: case.kernel, stride: case.stride, size: case.output_size() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.x.dims()[0] * self.size * self.size
    }

    /// One of them, `[1, fan-in]`.
    pub(super) fn one(&self, patch: usize) -> Tensor<2> {
        let [n, row, column] =
            [patch / (self.size * self.size), patch / self.size % self.size, patch % self.size];
        let span = |start: usize| start * self.stride..start * self.stride + self.kernel;
        let [_, channels, ..] = self.x.dims();
        let x = self.x.clone().slice([n..n + 1, 0..channels, span(row), span(column)]);
        x.reshape([1, -1])
    }

    /// All of them laid out in memory, `[patches, fan-in]`.
    pub fn unfold(&self) -> Tensor<2> {
        let [_, channels, ..] = self.x.dims();
        let rows: Tensor<5> = self.x.clone().unfold(2, self.kernel, self.stride);
        let views: Tensor<6> = rows.unfold(3, self.kernel, self.stride); // [n, channels, h, w, kernel, kernel]
        let fan_in = channels * self.kernel * self.kernel;
        views.permute([0, 2, 3, 1, 4, 5]).reshape([self.count(), fan_in])
    }

    /// `‖x_p‖²`, `[patches, 1]`.
    pub(super) fn energy(&self) -> Tensor<2> {
        let squares = self.x.clone().powi_scalar(2).sum_dim(1);
        let ones = Tensor::ones([1, 1, self.kernel, self.kernel], &self.x.device());
        let options = ConvOptions::new([self.stride; 2], [0, 0], [1, 1], 1);
        conv2d(squares, ones, None, options).reshape([self.count(), 1])
    }
}
