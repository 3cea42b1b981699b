//! The network: two convolutions and a classifier, whatever they learn by.

use burn::{
    module::Module,
    nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d},
    tensor::{Device, Tensor, module::max_pool2d, ops::MaxPoolOptions},
};
use burn_hebbian::{
    lab::digits::{CLASSES, SIDE},
    nn::Output,
    prelude::*,
    rules::{Activation, Similarity},
};

/// Filters of the two convolutions.
const FILTERS: [usize; 2] = [64, 32];

/// Positions of the second convolution: 8 × 8 pixels, pooled by 2, in steps of 2.
const POSITIONS: usize = (SIDE / 4) * (SIDE / 4);

/// Length of the features.
const FEATURES: usize = FILTERS[1] * POSITIONS;

/// A classifier of images.
pub(crate) trait Classify: Module {
    /// `[n, 1, 8, 8]` → `[n, classes]`.
    fn scores(&self, images: Tensor<4>) -> Tensor<2>;
}

/// conv 3 × 3 (SWTA) → max pool 2 → norm → conv 2 × 2, stride 2 (HPCA).
#[derive(Module, Debug)]
pub(crate) struct Features {
    /// Patches of the image, by soft winner-take-all: strokes.
    pub(crate) conv1: HebbianConv2d,
    norm: GroupNorm,
    /// Blocks of strokes, by Hebbian principal component analysis.
    pub(crate) conv2: HebbianConv2d,
}

impl Features {
    /// Random weights, drawn from `device`'s generator, and these outputs of the two convolutions.
    pub(crate) fn new(outputs: [Output; 2], device: &Device) -> Self {
        let conv1 = HebbianConv2dConfig::new([1, FILTERS[0]], [3, 3], Rule::swta())
            .with_padding(PaddingConfig2d::Same)
            .with_output(outputs[0]);
        let conv2 = HebbianConv2dConfig::new(FILTERS, [2, 2], Rule::hpca(Activation::Linear))
            .with_stride([2, 2])
            .with_output(outputs[1]);
        // Each image by itself, without parameters or running statistics: the same on any device.
        let norm = GroupNormConfig::new(1, FILTERS[0]).with_affine(false);
        Self { conv1: conv1.init(device), norm: norm.init(device), conv2: conv2.init(device) }
    }

    /// The outputs that suit the rules: how much of each stroke is there, and plain components.
    pub(crate) fn hebbian_outputs() -> [Output; 2] {
        [Output::relu_projection(), Output::default()]
    }

    /// The outputs that suit backprop: plain rectifiers.
    pub(crate) fn backprop_outputs() -> [Output; 2] {
        [Output::new(Similarity::Dot, Activation::Relu); 2]
    }

    /// The filters of the first convolution, `[64, 1, 3, 3]`.
    pub(crate) fn filters(&self) -> Tensor<4> {
        self.conv1.layer().weight.val().inner()
    }

    /// `[n, 1, 8, 8]` → `[n, features]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let strokes = max_pool2d(self.conv1.forward(images), MaxPoolOptions::new([2; 2])); // [n, 64, 4, 4]
        self.conv2.forward(self.norm.forward(strokes)).flatten(1, 3) // [n, 32, 2, 2] → [n, 128]
    }
}

/// Features and a classifier that learns by backprop.
#[derive(Module, Debug)]
pub(crate) struct Net {
    /// The convolutions.
    pub(crate) features: Features,
    classifier: Linear,
}

impl Net {
    /// Random weights.
    pub(crate) fn new(outputs: [Output; 2], device: &Device) -> Self {
        let features = Features::new(outputs, device);
        Self { features, classifier: LinearConfig::new(FEATURES, CLASSES).init(device) }
    }
}

impl Classify for Net {
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.classifier.forward(self.features.forward(images))
    }
}

/// The same features and a classifier of one teacher neuron a class.
#[derive(Module, Debug)]
pub(crate) struct TeacherNet {
    /// The convolutions.
    pub(crate) features: Features,
    classifier: HebbianLinear,
}

impl TeacherNet {
    /// Random weights.
    pub(crate) fn new(outputs: [Output; 2], device: &Device) -> Self {
        let features = Features::new(outputs, device);
        let classifier = HebbianLinearConfig::new(FEATURES, CLASSES, Rule::teacher())
            .with_output(Output::projection())
            .init(device);
        Self { features, classifier }
    }
}

impl Classify for TeacherNet {
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.classifier.forward(self.features.forward(images))
    }
}

/// A linear classifier on the pixels.
#[derive(Module, Debug)]
pub(crate) struct Pixels {
    classifier: Linear,
}

impl Pixels {
    /// Random weights.
    pub(crate) fn new(device: &Device) -> Self {
        Self { classifier: LinearConfig::new(SIDE * SIDE, CLASSES).init(device) }
    }
}

impl Classify for Pixels {
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.classifier.forward(images.flatten(1, 3))
    }
}
