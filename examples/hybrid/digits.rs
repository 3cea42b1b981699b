//! The embedded digits: a network of two convolutions and a classifier, and plans in JSON.

use anyhow::{Context, Result};
use burn::{
    lr_scheduler::{LrSchedulerConfig, linear::LinearLrSchedulerConfig},
    module::Module,
    nn::{
        GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    optim::AdamConfig,
    tensor::{Device, Tensor, module::max_pool2d, ops::MaxPoolOptions},
};
use burn_hebbian::{
    lab::{
        data::{Spectrum, contrast},
        digits::{CLASSES, Digits, SIDE},
    },
    nn::Output,
    prelude::*,
    train::Classifier,
};

use crate::task::{NamedPlan, Parts};

/// The plans beside this file.
const PLANS: [(&str, &str, &str); 8] = [
    ("backprop", "all by backprop", include_str!("plans/backprop.json")),
    ("bottom-1", "conv1 Hebbian", include_str!("plans/bottom-1.json")),
    ("bottom-2", "conv1 and conv2 Hebbian", include_str!("plans/bottom-2.json")),
    ("middle", "conv2 Hebbian", include_str!("plans/middle.json")),
    ("top", "teacher neurons on backprop's features", include_str!("plans/top.json")),
    ("hebbian", "all Hebbian, teacher neurons", include_str!("plans/hebbian.json")),
    ("greedy", "Hebbian layer by layer, then the classifier", include_str!("plans/greedy.json")),
    ("fine-tuned", "Hebbian pre-training, then fine-tuning", include_str!("plans/fine-tuned.json")),
];

/// Smoothing of the ZCA whitening, as in the quickstart.
const SMOOTHING: f64 = 1.0;

/// The first learning rate of what learns by backprop; it falls linearly to 0 in each phase.
const RATE: f64 = 0.01;

/// Filters of the two convolutions.
const FILTERS: [usize; 2] = [64, 32];

/// Channels, height, width.
pub(crate) const IMAGE: [usize; 3] = [1, SIDE, SIDE];

/// Images of a step.
pub(crate) const BATCH: usize = 32;

/// The digits, contrast normalized and whitened by what is learned from.
pub(crate) fn parts() -> Result<Parts> {
    let Digits { mut training, mut validation, mut test } = Digits::load()?;
    let parts = [&mut training, &mut validation, &mut test];
    parts.into_iter().for_each(contrast::normalize);
    let zca = Spectrum::fit(&training, &Device::flex())?.zca(SMOOTHING);
    [&mut training, &mut validation, &mut test].into_iter().for_each(|part| zca.apply(part));
    Ok(Parts { training: training.into(), validation: validation.into(), test })
}

/// The plans of this example.
pub(crate) fn plans() -> Result<Vec<NamedPlan>> {
    let read = |(name, what, json): (&str, &str, &str)| -> Result<NamedPlan> {
        let plan = serde_json::from_str(json).with_context(|| format!("plan `{name}`"))?;
        Ok(NamedPlan { name: name.to_string(), what: what.to_string(), plan })
    };
    PLANS.into_iter().map(read).collect()
}

/// The optimizer of what learns by backprop.
pub(crate) fn optimizer() -> AdamConfig {
    AdamConfig::new()
}

/// Its rate in a phase of so many epochs of so many steps.
pub(crate) fn rate(epochs: usize, steps: usize) -> LrSchedulerConfig {
    LinearLrSchedulerConfig::new(RATE, 0.0, epochs * steps).into()
}

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
}

impl Classifier for Net {
    type Input = Tensor<4>;

    fn classes(&self) -> usize {
        CLASSES
    }

    /// `[n, 1, 8, 8]` → `[n, classes]`.
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        let strokes = max_pool2d(self.conv1.forward(images), MaxPoolOptions::new([2; 2])); // [n, 64, 4, 4]
        let parts = self.conv2.forward(self.norm.forward(strokes)); // [n, 32, 2, 2]
        self.fc.forward(parts.flatten(1, 3))
    }
}
