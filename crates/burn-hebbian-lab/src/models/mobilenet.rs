//! MobileNetV2.

use crate::prelude::*;
use burn::{
    config::Config,
    module::Module,
    nn::{Dropout, DropoutConfig, Linear},
    tensor::{Device, Tensor},
};

use super::{
    ModelError,
    check::Check,
    layers::{ConvNorm, conv, linear, spatial_mean},
    pytorch::{FromPytorch, Names},
};

/// A row of the paper's table 2: blocks of the same expansion and outputs, of which the first strides.
struct Stage {
    expansion: usize,
    outputs: usize,
    blocks: usize,
    stride: usize,
}

const fn stage(expansion: usize, outputs: usize, blocks: usize, stride: usize) -> Stage {
    Stage { expansion, outputs, blocks, stride }
}

const STAGES: [Stage; 7] = [
    stage(1, 16, 1, 1),
    stage(6, 24, 2, 2),
    stage(6, 32, 3, 2),
    stage(6, 64, 4, 2),
    stage(6, 96, 3, 1),
    stage(6, 160, 3, 2),
    stage(6, 320, 1, 1),
];

/// Neurons of the first convolution, before scaling.
const STEM: usize = 32;

/// Configuration of a [`MobileNet`].
#[derive(Config, Debug)]
pub struct MobileNetConfig {
    /// Classes.
    pub classes: usize,
    /// Channels of an image.
    #[config(default = 3)]
    pub channels: usize,
    /// Factor on the channels of all layers.
    #[config(default = 1.0)]
    pub width_mult: f64,
    /// Of what channels are a multiple.
    #[config(default = 8)]
    pub divisor: usize,
    /// Neurons of the last convolution; scaled by a factor above 1 alone.
    #[config(default = 1280)]
    pub head: usize,
    /// Share of the classifier's inputs that sit out in training.
    #[config(default = 0.2)]
    pub dropout: f64,
}

impl MobileNetConfig {
    /// MobileNetV2.
    pub fn v2(classes: usize) -> Self {
        Self::new(classes)
    }

    /// Random weights, drawn from `device`'s generator.
    ///
    /// # Errors
    ///
    /// If a size is 0, the factor not positive, or the dropout not in 0..1.
    pub fn init(&self, device: &Device) -> Result<MobileNet, ModelError> {
        self.check()?;
        let stem = self.scaled(STEM);
        let blocks = self.blocks(stem, device);
        let last = self.scaled(STAGES[STAGES.len() - 1].outputs);
        let head = self.divisible(self.head as f64 * self.width_mult.max(1.0));
        Ok(MobileNet {
            stem: ConvNorm::new(&conv([self.channels, stem], 3).with_stride([2; 2]), device),
            blocks,
            head: ConvNorm::new(&conv([last, head], 1), device),
            dropout: DropoutConfig::new(self.dropout).init(),
            classifier: linear(head, self.classes, device),
        })
    }

    fn check(&self) -> Result<(), ModelError> {
        let check = Check("MobileNet");
        check.size("classes", self.classes)?;
        check.size("channels", self.channels)?;
        check.positive("width_mult", self.width_mult)?;
        check.size("divisor", self.divisor)?;
        check.size("head", self.head)?;
        check.share("dropout", self.dropout)
    }

    fn blocks(&self, mut channels: usize, device: &Device) -> Vec<InvertedResidual> {
        let mut blocks = Vec::new();
        for stage in &STAGES {
            let outputs = self.scaled(stage.outputs);
            for block in 0..stage.blocks {
                let stride = if block == 0 { stage.stride } else { 1 };
                blocks.push(InvertedResidual::new([channels, outputs], stage.expansion, stride, device));
                channels = outputs;
            }
        }
        blocks
    }

    fn scaled(&self, channels: usize) -> usize {
        self.divisible(channels as f64 * self.width_mult)
    }

    /// The multiple of the divisor next to `channels`; not 0, and not more than a tenth below.
    fn divisible(&self, channels: f64) -> usize {
        let divisor = self.divisor as f64;
        let nearest = (channels / divisor + 0.5).floor().max(1.0) * divisor;
        let enough = if nearest < 0.9 * channels { nearest + divisor } else { nearest };
        enough as usize
    }
}

/// Inverted residual blocks of depthwise convolutions.
///
/// A group of a depthwise convolution has one neuron: rules for it are those without competition, Oja's for example.
///
/// Source: M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018,
/// doi:10.1109/CVPR.2018.00474.
#[derive(Module, Debug)]
pub struct MobileNet {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    head: ConvNorm,
    dropout: Dropout,
    classifier: Local<Linear>,
}

impl MobileNet {
    /// `[n, channels, height, width]` → `[n, head, height / 32, width / 32]`, rounded up.
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let stem = self.stem.forward_then(images, Then::relu6());
        let inner = self.blocks.iter().fold(stem, |x, block| block.forward(x));
        self.head.forward_then(inner, Then::relu6())
    }

    /// `[n, channels, height, width]` → `[n, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classifier.forward(self.dropout.forward(spatial_mean(self.features(images))))
    }
}

impl FromPytorch for MobileNet {
    fn names(&self) -> Names {
        let mut names = conv_norm(Names::default(), "features.0", "stem");
        for (index, block) in self.blocks.iter().enumerate() {
            names = block.names(names, &format!("features.{}.conv", index + 1), &format!("blocks.{index}"));
        }
        let head = format!("features.{}", self.blocks.len() + 1);
        conv_norm(names, &head, "head").leading("classifier.1", "classifier")
    }
}

/// A 1 × 1 convolution to more channels, a depthwise 3 × 3 convolution, and a 1 × 1 convolution back to fewer,
/// without a ReLU at the end.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    /// Whether the input is added to the output.
    residual: bool,
}

impl InvertedResidual {
    fn new([inputs, outputs]: [usize; 2], expansion: usize, stride: usize, device: &Device) -> Self {
        let inner = inputs * expansion;
        let depthwise = conv([inner; 2], 3).with_groups(inner).with_stride([stride; 2]);
        Self {
            expand: (expansion > 1).then(|| ConvNorm::new(&conv([inputs, inner], 1), device)),
            depthwise: ConvNorm::new(&depthwise, device),
            project: ConvNorm::new(&conv([inner, outputs], 1), device),
            residual: stride == 1 && inputs == outputs,
        }
    }

    /// `[n, inputs, height, width]` → `[n, outputs, height / stride, width / stride]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let expanded = match &self.expand {
            Some(expand) => expand.forward_then(input.clone(), Then::relu6()),
            None => input.clone(),
        };
        let inner = self.depthwise.forward_then(expanded, Then::relu6());
        self.project.forward_then(inner, if self.residual { Then::add(input) } else { Then::nothing() })
    }

    /// PyTorch numbers the convolutions of a block, and the last convolution and its norm one by one.
    fn names(&self, names: Names, from: &str, to: &str) -> Names {
        let (names, depthwise) = match self.expand {
            Some(_) => (conv_norm(names, &format!("{from}.0"), &format!("{to}.expand")), 1),
            None => (names, 0),
        };
        conv_norm(names, &format!("{from}.{depthwise}"), &format!("{to}.depthwise"))
            .leading(format!("{from}.{}", depthwise + 1), format!("{to}.project.conv"))
            .leading(format!("{from}.{}", depthwise + 2), format!("{to}.project.norm"))
    }
}

/// A convolution and its norm, which PyTorch calls 0 and 1.
fn conv_norm(names: Names, from: &str, to: &str) -> Names {
    names
        .leading(format!("{from}.0"), format!("{to}.conv"))
        .leading(format!("{from}.1"), format!("{to}.norm"))
}
