//! One network of local layers; what each learns by is a plan's business.

use burn::nn::{Linear, conv::Conv2d};
use burn::{
    module::Module,
    nn::{GroupNorm, GroupNormConfig, LinearConfig, PaddingConfig2d, conv::Conv2dConfig},
    tensor::{Device, Tensor, module::max_pool2d, ops::MaxPoolOptions},
};
use burn_hebbian::prelude::*;
use burn_hebbian_examples::digits::CLASSES;

/// Filters of the two convolutions.
const FILTERS: [usize; 2] = [64, 32];

/// conv 3 × 3 → max pool 2 → norm → conv 2 × 2, stride 2 → classifier, on 8 × 8 pixels.
///
/// No layer has a rule of its own: without a plan all of them learn by backprop.
#[derive(Module, Debug)]
pub(crate) struct Net {
    conv1: Local<Conv2d>,
    norm: GroupNorm,
    conv2: Local<Conv2d>,
    fc: Local<Linear>,
}

impl Net {
    /// Random weights, drawn from `device`'s generator.
    pub(crate) fn new(device: &Device) -> Self {
        let conv1 =
            Conv2dConfig::new([1, FILTERS[0]], [3, 3]).with_padding(PaddingConfig2d::Same).with_bias(false);
        let conv2 = Conv2dConfig::new(FILTERS, [2, 2]).with_stride([2, 2]).with_bias(false);
        let fc = LinearConfig::new(FILTERS[1] * 4, CLASSES).with_bias(false);
        // each image by itself, without parameters or running statistics: the same on any device
        let norm = GroupNormConfig::new(1, FILTERS[0]).with_affine(false);
        Self {
            conv1: Local::new(conv1.init(device)).with_output(Output::relu_projection()),
            norm: norm.init(device),
            conv2: Local::new(conv2.init(device)),
            fc: Local::new(fc.init(device)).with_output(Output::projection()),
        }
    }

    /// `[n, 1, 8, 8]` → `[n, classes]`.
    pub(crate) fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        let strokes = max_pool2d(self.conv1.forward(images), MaxPoolOptions::new([2; 2])); // [n, 64, 4, 4]
        let parts = self.conv2.forward(self.norm.forward(strokes)); // [n, 32, 2, 2]
        self.fc.forward(parts.flatten(1, 3))
    }
}
