//! Two Hebbian stages and a classifier that learns by backprop.

use burn::{
    module::Module,
    nn::{
        GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
    },
    tensor::{Device, Tensor, module::max_pool2d, ops::MaxPoolOptions},
};
use burn_hebbian::{
    lab::digits::CLASSES,
    nn::Output,
    prelude::*,
    train::{Batch, pipeline::Staged},
};

/// conv 3 × 3 → max pool 2 → norm | conv 2 × 2, stride 2 | classifier, on 8 × 8 pixels.
#[derive(Module, Debug)]
pub(crate) struct Net {
    conv1: Local<Conv2d>,
    norm: GroupNorm,
    conv2: Local<Conv2d>,
    fc: Linear,
}

impl Net {
    /// Random weights, drawn from `device`'s generator.
    pub(crate) fn new(device: &Device) -> Self {
        let conv1 = Conv2dConfig::new([1, 64], [3, 3]).with_padding(PaddingConfig2d::Same).with_bias(false);
        let conv2 = Conv2dConfig::new([64, 32], [2, 2]).with_stride([2, 2]).with_bias(false);
        Self {
            conv1: Local::new(conv1.init(device)).with_output(Output::relu_projection()),
            norm: GroupNormConfig::new(1, 64).with_affine(false).init(device),
            conv2: Local::new(conv2.init(device)),
            fc: LinearConfig::new(32 * 4, CLASSES).with_bias(false).init(device),
        }
    }

    /// `[n, 1, 8, 8]` → `[n, classes]`.
    pub(crate) fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        (0..3).fold(images, |x, stage| self.stage(stage, x)).flatten(1, 3)
    }

    fn stage(&self, stage: usize, x: Tensor<4>) -> Tensor<4> {
        match stage {
            0 => self.norm.forward(max_pool2d(self.conv1.forward(x), MaxPoolOptions::new([2; 2]))), // [n, 64, 4, 4]
            1 => self.conv2.forward(x), // [n, 32, 2, 2]
            _ => self.fc.forward(x.flatten::<2>(1, 3)).unsqueeze_dims(&[2, 3]),
        }
    }
}

impl Staged for Net {
    type Flow = Batch<Tensor<4>>;

    fn stages(&self) -> usize {
        3
    }

    fn run(&self, stage: usize, Batch { input, targets }: Self::Flow) -> Self::Flow {
        Batch { input: self.stage(stage, input), targets }
    }

    fn hand_on(Batch { input, targets }: Self::Flow, device: &Device) -> Self::Flow {
        Batch { input: input.to_device(device).detach(), targets: targets.to_device(device) }
    }

    fn loss(&self, stage: usize, Batch { input, targets }: &Self::Flow) -> Option<Tensor<1>> {
        let loss = || CrossEntropyLossConfig::new().init(&input.device());
        (stage == 2).then(|| loss().forward(input.clone().flatten(1, 3), targets.clone()))
    }
}
