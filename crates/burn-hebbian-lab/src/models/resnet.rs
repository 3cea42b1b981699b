//! Residual networks.

use crate::prelude::*;
use burn::{
    config::Config,
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};

use super::{
    ModelError,
    check::Check,
    layers::{ConvNorm, conv, linear, spatial_mean, stem_pool},
    pytorch::{FromPytorch, Names},
};

/// Configuration of a [`ResNet`].
#[derive(Config, Debug)]
pub struct ResNetConfig {
    /// What the blocks are made of.
    pub block: BlockKind,
    /// Blocks of each of the four layers.
    pub depths: [usize; 4],
    /// Classes.
    pub classes: usize,
    /// Channels of an image.
    #[config(default = 3)]
    pub channels: usize,
    /// Neurons of the first convolution, and of the inner convolutions of the first layer; the other layers have 2, 4
    /// and 8 times as many.
    #[config(default = 64)]
    pub width: usize,
}

/// What the blocks of a [`ResNet`] are made of.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Two 3 × 3 convolutions.
    Basic,
    /// 1 × 1, 3 × 3 and 1 × 1, the last with four times as many neurons; the second one strides.
    Bottleneck,
}

impl BlockKind {
    /// Outputs of a block per neuron of its inner convolutions.
    fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

impl ResNetConfig {
    /// ResNet-18.
    pub fn resnet18(classes: usize) -> Self {
        Self::new(BlockKind::Basic, [2, 2, 2, 2], classes)
    }

    /// ResNet-50.
    pub fn resnet50(classes: usize) -> Self {
        Self::new(BlockKind::Bottleneck, [3, 4, 6, 3], classes)
    }

    /// Random weights, drawn from `device`'s generator.
    ///
    /// # Errors
    ///
    /// If a size is 0.
    pub fn init(&self, device: &Device) -> Result<ResNet, ModelError> {
        self.check()?;
        let stem = conv([self.channels, self.width], 7).with_stride([2; 2]);
        let outputs = 8 * self.width * self.block.expansion();
        Ok(ResNet {
            stem: ConvNorm::new(&stem, device),
            layer1: self.layer(0, device),
            layer2: self.layer(1, device),
            layer3: self.layer(2, device),
            layer4: self.layer(3, device),
            fc: linear(outputs, self.classes, device),
        })
    }

    fn check(&self) -> Result<(), ModelError> {
        let check = Check("ResNet");
        check.sizes("depths", &self.depths)?;
        check.size("classes", self.classes)?;
        check.size("channels", self.channels)?;
        check.size("width", self.width)
    }

    /// The blocks of a layer; the first one halves height and width, except in the first layer.
    fn layer(&self, layer: usize, device: &Device) -> Vec<Block> {
        let expansion = self.block.expansion();
        let neurons = self.width << layer;
        let inputs = if layer == 0 { self.width } else { neurons / 2 * expansion };
        let stride = if layer == 0 { 1 } else { 2 };
        let first = Block::new(self.block, inputs, neurons, stride, device);
        let others =
            (1..self.depths[layer]).map(|_| Block::new(self.block, neurons * expansion, neurons, 1, device));
        std::iter::once(first).chain(others).collect()
    }
}

/// Four layers of residual blocks.
///
/// Source: K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016,
/// doi:10.1109/CVPR.2016.90; bottlenecks stride in their 3 × 3 convolution, as in torchvision.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    fc: Local<Linear>,
}

impl ResNet {
    /// `[n, channels, height, width]` → `[n, outputs, height / 32, width / 32]`, rounded up; `outputs` is 8 times the
    /// width, of bottlenecks 32 times.
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let stem = stem_pool(self.stem.forward_then(images, Then::relu())); // [n, width, height / 4, width / 4]
        let blocks = [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().flatten();
        blocks.fold(stem, |x, block| block.forward(x))
    }

    /// `[n, channels, height, width]` → `[n, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.fc.forward(spatial_mean(self.features(images)))
    }
}

impl FromPytorch for ResNet {
    fn names(&self) -> Names {
        Names::default()
            .leading("conv1", "stem.conv")
            .leading("bn1", "stem.norm")
            .pattern(r"\.conv([123])\.", ".unit${1}.conv.")
            .pattern(r"\.bn([123])\.", ".unit${1}.norm.")
            .pattern(r"\.downsample\.0\.", ".downsample.conv.")
            .pattern(r"\.downsample\.1\.", ".downsample.norm.")
    }
}

/// Two or three convolutions beside a shortcut.
#[derive(Module, Debug)]
pub struct Block {
    unit1: ConvNorm,
    unit2: ConvNorm,
    unit3: Option<ConvNorm>,
    downsample: Option<ConvNorm>,
}

impl Block {
    fn new(kind: BlockKind, inputs: usize, neurons: usize, stride: usize, device: &Device) -> Self {
        let outputs = neurons * kind.expansion();
        let unit = |channels, kernel, stride| {
            ConvNorm::new(&conv(channels, kernel).with_stride([stride; 2]), device)
        };
        let (unit1, unit2, unit3) = match kind {
            BlockKind::Basic => (unit([inputs, neurons], 3, stride), unit([neurons; 2], 3, 1), None),
            BlockKind::Bottleneck => (
                unit([inputs, neurons], 1, 1),
                unit([neurons; 2], 3, stride),
                Some(unit([neurons, outputs], 1, 1)),
            ),
        };
        let changes_shape = stride > 1 || inputs != outputs;
        let downsample = changes_shape.then(|| unit([inputs, outputs], 1, stride));
        Self { unit1, unit2, unit3, downsample }
    }

    /// `[n, inputs, height, width]` → `[n, outputs, height / stride, width / stride]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let inner = self.unit1.forward_then(input.clone(), Then::relu());
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.forward(input),
            None => input,
        };
        let then = Then::add(shortcut).and_relu();
        match &self.unit3 {
            Some(unit3) => unit3.forward_then(self.unit2.forward_then(inner, Then::relu()), then),
            None => self.unit2.forward_then(inner, then),
        }
    }
}
