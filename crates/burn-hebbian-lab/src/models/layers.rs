//! What the deep models are built from.

use crate::prelude::*;
use burn::{
    module::Module,
    nn::{
        Initializer, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{
        Device, Tensor,
        module::{adaptive_avg_pool2d, max_pool2d},
        ops::MaxPoolOptions,
    },
};

use super::norm::norm;

/// A convolution without bias that keeps height and width at stride 1 (`kernel` odd); weights by He, normal with
/// variance `2 / fan-out`.
pub(super) fn conv(channels: [usize; 2], kernel: usize) -> Conv2dConfig {
    let border = kernel / 2;
    Conv2dConfig::new(channels, [kernel; 2])
        .with_padding(PaddingConfig2d::Explicit(border, border, border, border))
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal { gain: 2f64.sqrt(), fan_out_only: true })
}

/// A linear layer with bias.
pub(super) fn linear(d_input: usize, d_output: usize, device: &Device) -> Local<Linear> {
    Local::new(LinearConfig::new(d_input, d_output).init(device))
}

/// A convolution and its batch norm.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Local<Conv2d>,
    norm: SyncBatchNorm,
}

impl ConvNorm {
    pub(super) fn new(conv: &Conv2dConfig, device: &Device) -> Self {
        Self { conv: Local::new(conv.init(device)), norm: norm(conv.channels[1], device) }
    }

    /// `[n, channels_in, height, width]` → `[n, channels_out, height / stride, width / stride]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.forward_then(input, Then::nothing())
    }

    /// [`forward`](Self::forward) and what follows the norm.
    pub(super) fn forward_then(&self, input: Tensor<4>, then: Then<4>) -> Tensor<4> {
        self.norm.forward_then(self.conv.forward(input), then)
    }
}

/// The pool after the first convolution of ResNet and DenseNet: `[n, channels, h, w]` → `[n, channels, h / 2, w / 2]`.
pub(super) fn stem_pool(input: Tensor<4>) -> Tensor<4> {
    max_pool2d(input, MaxPoolOptions::new([3; 2]).with_stride([2; 2]).with_padding([1; 2]))
}

/// Means over positions, `[n, channels, height, width]` → `[n, channels]`.
pub(super) fn spatial_mean(input: Tensor<4>) -> Tensor<2> {
    adaptive_avg_pool2d(input, [1; 2]).flatten(1, 3)
}
