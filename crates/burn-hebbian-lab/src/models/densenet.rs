//! Densely connected networks.

use crate::prelude::*;
use burn::{
    config::Config,
    module::Module,
    nn::{Linear, conv::Conv2d},
    tensor::{Device, Tensor, module::avg_pool2d, ops::AvgPoolOptions, s},
};

use super::{
    ModelError,
    check::Check,
    layers::{ConvNorm, conv, linear, spatial_mean, stem_pool},
    norm::norm,
    pytorch::{FromPytorch, Names},
};

/// Configuration of a [`DenseNet`].
#[derive(Config, Debug)]
pub struct DenseNetConfig {
    /// Layers of each of the four blocks.
    pub depths: [usize; 4],
    /// Classes.
    pub classes: usize,
    /// Channels of an image.
    #[config(default = 3)]
    pub channels: usize,
    /// Neurons of the first convolution; at least 2.
    #[config(default = 64)]
    pub width: usize,
    /// Channels that each layer adds.
    #[config(default = 32)]
    pub growth: usize,
    /// Neurons of a layer's 1 × 1 convolution per channel that it adds.
    #[config(default = 4)]
    pub bottleneck: usize,
}

impl DenseNetConfig {
    /// DenseNet-121.
    pub fn densenet121(classes: usize) -> Self {
        Self::new([6, 12, 24, 16], classes)
    }

    /// Random weights, drawn from `device`'s generator.
    ///
    /// # Errors
    ///
    /// If a size is 0, or the width below 2.
    pub fn init(&self, device: &Device) -> Result<DenseNet, ModelError> {
        self.check()?;
        let stem = conv([self.channels, self.width], 7).with_stride([2; 2]);
        let (mut blocks, mut transitions) = (Vec::new(), Vec::new());
        let mut channels = self.width;
        for (index, depth) in self.depths.into_iter().enumerate() {
            if index > 0 {
                transitions.push(Transition::new(channels, device));
                channels /= 2;
            }
            blocks.push(self.block(depth, channels, device));
            channels += depth * self.growth;
        }
        Ok(DenseNet {
            stem: ConvNorm::new(&stem, device),
            blocks,
            transitions,
            norm: norm(channels, device),
            classifier: linear(channels, self.classes, device),
        })
    }

    fn check(&self) -> Result<(), ModelError> {
        let check = Check("DenseNet");
        check.sizes("depths", &self.depths)?;
        check.size("classes", self.classes)?;
        check.size("channels", self.channels)?;
        check.that(self.width > 1, "width", "at least 2", self.width.to_string())?;
        check.size("growth", self.growth)?;
        check.size("bottleneck", self.bottleneck)
    }

    fn block(&self, depth: usize, channels: usize, device: &Device) -> Vec<DenseLayer> {
        let layer = |index| self.layer(channels + index * self.growth, device);
        (0..depth).map(layer).collect()
    }

    fn layer(&self, channels: usize, device: &Device) -> DenseLayer {
        let neurons = self.bottleneck * self.growth;
        DenseLayer {
            norm1: norm(channels, device),
            conv1: Local::new(conv([channels, neurons], 1).init(device)),
            norm2: norm(neurons, device),
            conv2: Local::new(conv([neurons, self.growth], 3).init(device)),
        }
    }
}

/// Four blocks of layers that each see all before them in the block.
///
/// Source: G. Huang, Z. Liu, L. van der Maaten and K. Q. Weinberger, "Densely connected convolutional networks", CVPR
/// 2017, doi:10.1109/CVPR.2017.243.
#[derive(Module, Debug)]
pub struct DenseNet {
    stem: ConvNorm,
    blocks: Vec<Vec<DenseLayer>>,
    transitions: Vec<Transition>,
    norm: SyncBatchNorm,
    classifier: Local<Linear>,
}

impl DenseNet {
    /// `[n, channels, height, width]`, both sides at least 32 → `[n, outputs, height / 32, width / 32]`.
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let mut x = stem_pool(self.stem.forward_then(images, Then::relu())); // [n, width, height / 4, width / 4]
        for (index, block) in self.blocks.iter().enumerate() {
            x = run(block, x);
            if let Some(transition) = self.transitions.get(index) {
                x = transition.forward(x);
            }
        }
        self.norm.forward_then(x, Then::relu())
    }

    /// `[n, channels, height, width]`, both sides at least 32 → `[n, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classifier.forward(spatial_mean(self.features(images)))
    }
}

impl FromPytorch for DenseNet {
    fn names(&self) -> Names {
        // files of the first torchvision versions have `norm.1` for `norm1`
        let mut names = Names::default()
            .leading("features.conv0", "stem.conv")
            .leading("features.norm0", "stem.norm")
            .leading("features.norm5", "norm")
            .pattern(r"\.(norm|conv)\.([12])\.", ".${1}${2}.");
        for (b, block) in self.blocks.iter().enumerate() {
            names = names.leading(format!("features.transition{}", b + 1), format!("transitions.{b}"));
            for l in 0..block.len() {
                let layer = format!("features.denseblock{}.denselayer{}", b + 1, l + 1);
                names = names.leading(layer, format!("blocks.{b}.{l}"));
            }
        }
        names
    }
}

/// Adds channels to its input: norm → ReLU → 1 × 1 convolution → norm → ReLU → 3 × 3 convolution.
#[derive(Module, Debug)]
pub struct DenseLayer {
    norm1: SyncBatchNorm,
    conv1: Local<Conv2d>,
    norm2: SyncBatchNorm,
    conv2: Local<Conv2d>,
}

impl DenseLayer {
    /// `[n, channels, height, width]` → `[n, channels + growth, height, width]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let added = self.added(input.clone());
        Tensor::cat(vec![input, added], 1)
    }

    /// `[n, channels, height, width]` → `[n, growth, height, width]`.
    fn added(&self, input: Tensor<4>) -> Tensor<4> {
        let inner = self.conv1.forward(self.norm1.forward_then(input, Then::relu()));
        self.conv2.forward(self.norm2.forward_then(inner, Then::relu()))
    }

    fn growth(&self) -> usize {
        let [growth, _, _, _] = self.conv2.layer().weight.lazy_shape().dims();
        growth
    }
}

/// All layers of a block. Outside the autodiff graph each adds its channels to one tensor, in place: concatenated anew by
/// every layer, the channels before it would be copied again and again.
fn run(block: &[DenseLayer], input: Tensor<4>) -> Tensor<4> {
    if input.is_autodiff() {
        return block.iter().fold(input, |x, layer| layer.forward(x));
    }
    let [n, mut channels, height, width] = input.dims();
    let all = channels + block.iter().map(DenseLayer::growth).sum::<usize>();
    let mut x = Tensor::zeros([n, all, height, width], (&input.device(), input.dtype()));
    x = x.slice_assign(s![.., 0..channels], input);
    for layer in block {
        let added = layer.added(x.clone().slice(s![.., 0..channels]));
        let end = channels + layer.growth();
        x = x.slice_assign(s![.., channels..end], added);
        channels = end;
    }
    x
}

/// Halves channels, height and width between two blocks.
#[derive(Module, Debug)]
pub struct Transition {
    norm: SyncBatchNorm,
    conv: Local<Conv2d>,
}

impl Transition {
    fn new(channels: usize, device: &Device) -> Self {
        let conv = Local::new(conv([channels, channels / 2], 1).init(device));
        Self { norm: norm(channels, device), conv }
    }

    /// `[n, channels, height, width]` → `[n, channels / 2, height / 2, width / 2]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv.forward(self.norm.forward_then(input, Then::relu()));
        avg_pool2d(output, AvgPoolOptions::new([2; 2]))
    }
}
