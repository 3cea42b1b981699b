//! VGG.

use crate::prelude::*;
use burn::{
    config::Config,
    module::Module,
    nn::{Dropout, DropoutConfig, Linear, conv::Conv2d},
    tensor::{
        Device, Tensor,
        activation::relu,
        module::{adaptive_avg_pool2d, max_pool2d},
        ops::MaxPoolOptions,
    },
};

use super::{
    ModelError,
    check::Check,
    layers::{conv, linear},
    norm::norm,
    pytorch::{FromPytorch, Names},
};

/// Height and width of what the classifier sees.
const POOLED: usize = 7;

/// Configuration of a [`Vgg`].
#[derive(Config, Debug)]
pub struct VggConfig {
    /// Convolutions of each of the five stages.
    pub depths: [usize; 5],
    /// Classes.
    pub classes: usize,
    /// Whether a batch norm follows each convolution.
    #[config(default = false)]
    pub batch_norm: bool,
    /// Channels of an image.
    #[config(default = 3)]
    pub channels: usize,
    /// Neurons of the first stage; the others have 2, 4, 8 and 8 times as many.
    #[config(default = 64)]
    pub width: usize,
    /// Neurons of each of the two hidden linear layers.
    #[config(default = 4096)]
    pub hidden: usize,
    /// Share of the hidden neurons that sit out in training.
    #[config(default = 0.5)]
    pub dropout: f64,
}

impl VggConfig {
    /// VGG-11: eight convolutions, three linear layers.
    pub fn vgg11(classes: usize) -> Self {
        Self::new([1, 1, 2, 2, 2], classes)
    }

    /// VGG-16: thirteen convolutions, three linear layers.
    pub fn vgg16(classes: usize) -> Self {
        Self::new([2, 2, 3, 3, 3], classes)
    }

    /// Random weights, drawn from `device`'s generator.
    ///
    /// # Errors
    ///
    /// If a size is 0, or the dropout is not in 0..1.
    pub fn init(&self, device: &Device) -> Result<Vgg, ModelError> {
        self.check()?;
        let flat = 8 * self.width * POOLED * POOLED;
        Ok(Vgg {
            stages: self.stages(device),
            fc1: linear(flat, self.hidden, device),
            fc2: linear(self.hidden, self.hidden, device),
            fc3: linear(self.hidden, self.classes, device),
            dropout: DropoutConfig::new(self.dropout).init(),
        })
    }

    fn check(&self) -> Result<(), ModelError> {
        let check = Check("VGG");
        check.sizes("depths", &self.depths)?;
        check.size("classes", self.classes)?;
        check.size("channels", self.channels)?;
        check.size("width", self.width)?;
        check.size("hidden", self.hidden)?;
        check.share("dropout", self.dropout)
    }

    fn stages(&self, device: &Device) -> Vec<Vec<VggLayer>> {
        let mut channels = self.channels;
        let stage = |(depth, multiple): (usize, usize)| {
            let neurons = multiple * self.width;
            let layer = |_| {
                let inputs = std::mem::replace(&mut channels, neurons);
                VggLayer::new([inputs, neurons], self.batch_norm, device)
            };
            (0..depth).map(layer).collect()
        };
        self.depths.into_iter().zip([1, 2, 4, 8, 8]).map(stage).collect()
    }
}

/// Stages of 3 × 3 convolutions, each followed by a pool, and three linear layers.
///
/// Source: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR
/// 2015, arXiv:1409.1556, configurations A and D.
#[derive(Module, Debug)]
pub struct Vgg {
    stages: Vec<Vec<VggLayer>>,
    fc1: Local<Linear>,
    fc2: Local<Linear>,
    fc3: Local<Linear>,
    dropout: Dropout,
}

impl Vgg {
    /// `[n, channels, height, width]`, both sides at least 32 → `[n, 8 · width, height / 32, width / 32]`.
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        self.stages.iter().fold(images, |x, stage| {
            let x = stage.iter().fold(x, |x, layer| layer.forward(x));
            max_pool2d(x, MaxPoolOptions::new([2; 2]))
        })
    }

    /// `[n, channels, height, width]`, both sides at least 32 → `[n, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let pooled = adaptive_avg_pool2d(self.features(images), [POOLED; 2]);
        let hidden = self.dropout.forward(relu(self.fc1.forward(pooled.flatten(1, 3)))); // [n, hidden]
        let hidden = self.dropout.forward(relu(self.fc2.forward(hidden)));
        self.fc3.forward(hidden)
    }
}

impl FromPytorch for Vgg {
    fn names(&self) -> Names {
        let mut names = Names::default();
        // what PyTorch counts: convolutions, norms, ReLUs and pools
        let mut index = 0;
        for (s, stage) in self.stages.iter().enumerate() {
            for (l, layer) in stage.iter().enumerate() {
                names = names.leading(format!("features.{index}"), format!("stages.{s}.{l}.conv"));
                if layer.norm.is_some() {
                    index += 1;
                    names = names.leading(format!("features.{index}"), format!("stages.{s}.{l}.norm"));
                }
                index += 2;
            }
            index += 1;
        }
        names.leading("classifier.0", "fc1").leading("classifier.3", "fc2").leading("classifier.6", "fc3")
    }
}

/// A 3 × 3 convolution, its batch norm if there is one, and a ReLU.
#[derive(Module, Debug)]
pub struct VggLayer {
    conv: Local<Conv2d>,
    norm: Option<SyncBatchNorm>,
}

impl VggLayer {
    fn new(channels: [usize; 2], batch_norm: bool, device: &Device) -> Self {
        let conv = Local::new(conv(channels, 3).with_bias(true).init(device));
        Self { conv, norm: batch_norm.then(|| norm(channels[1], device)) }
    }

    /// `[n, channels_in, height, width]` → `[n, channels_out, height, width]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv.forward(input);
        match &self.norm {
            Some(norm) => norm.forward_then(output, Then::relu()),
            None => relu(output),
        }
    }
}
