//! The six-layer net for 32 × 32 images of the thesis and of FastHebb.

use burn::{
    module::Module,
    nn::{
        Dropout, DropoutConfig, Linear, LinearConfig,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
    },
    tensor::{Device, Tensor, module::max_pool2d, ops::MaxPoolOptions},
};
use burn_hebbian_train::{Batch, Classifier, pipeline::Staged};

use crate::prelude::*;

use super::{norm::norm, pytorch::FromPytorch};

/// Filters of the four convolutions.
const FILTERS: [usize; 4] = [96, 128, 192, 256];

/// What the last convolution leaves of an image: height × width.
const POSITIONS: usize = 3 * 3;

/// Probability of dropping an input of the two linear layers, where they learn by backprop.
const DROPOUT: f64 = 0.5;

/// conv 5 × 5 → pool 2 → norm → conv 3 × 3 → norm → conv 3 × 3 → pool 2 → norm → conv 3 × 3 → norm → fc → norm → fc;
/// 96, 128, 192 and 256 filters, no padding, no biases.
///
/// Every layer is a [`Local`]; which of them learn by a rule is a plan's business. What a layer hands on depends on it:
/// `relu(w·x)` where it learns by backprop, the [configured](SixLayerConfig) output where it is Hebbian. Weights start
/// uniform in ±1/√fan-in.
///
/// Differs from the published nets: dropout stands in front of both linear layers, not of the last alone; FastHebb rescales
/// the variances of its third to fifth norm, this one does not.
///
/// Source: G. Lagani, *Hebbian learning algorithms for training convolutional neural networks*, master's thesis,
/// University of Pisa (2019); G. Lagani et al., *Neurocomputing* 595 (2024), doi:10.1016/j.neucom.2024.127867.
#[derive(Module, Debug)]
pub struct SixLayer {
    conv1: Local<Conv2d>,
    bn1: SyncBatchNorm,
    conv2: Local<Conv2d>,
    bn2: SyncBatchNorm,
    conv3: Local<Conv2d>,
    bn3: SyncBatchNorm,
    conv4: Local<Conv2d>,
    bn4: SyncBatchNorm,
    dropout5: Dropout,
    fc5: Local<Linear>,
    bn5: SyncBatchNorm,
    dropout6: Dropout,
    fc6: Local<Linear>,
    #[module(skip)]
    classes: usize,
}

/// Sizes and outputs of a [`SixLayer`].
#[derive(Debug, Clone, PartialEq)]
pub struct SixLayerConfig {
    classes: usize,
    filters: [usize; 4],
    hidden: usize,
    output: Output,
    hebbian: [bool; 6],
}

impl SixLayerConfig {
    /// The layers, bottom first.
    pub const LAYERS: [&str; 6] = ["conv1", "conv2", "conv3", "conv4", "fc5", "fc6"];

    /// The thesis: 300 hidden neurons, Hebbian layers hand on max(0, cos).
    pub fn thesis(classes: usize) -> Self {
        Self { classes, filters: FILTERS, hidden: 300, output: Output::relu_cosine(), hebbian: [false; 6] }
    }

    /// FastHebb: 4096 hidden neurons, Hebbian layers hand on relu(w·x / ‖w‖).
    pub fn fast_hebb(classes: usize) -> Self {
        Self { hidden: 4096, output: Output::relu_projection(), ..Self::thesis(classes) }
    }

    /// With other numbers of filters and hidden neurons.
    pub fn with_sizes(self, filters: [usize; 4], hidden: usize) -> Self {
        Self { filters, hidden, ..self }
    }

    /// These of the [layers](Self::LAYERS) learn by a rule; without this none does.
    pub fn with_hebbian(self, hebbian: [bool; 6]) -> Self {
        Self { hebbian, ..self }
    }

    /// Neurons of each layer.
    pub fn neurons(&self) -> [usize; 6] {
        let [first, second, third, fourth] = self.filters;
        [first, second, third, fourth, self.hidden, self.classes]
    }

    /// Random weights, drawn from `device`'s generator.
    pub fn init(&self, device: &Device) -> SixLayer {
        let neurons = self.neurons();
        let conv = |layer: usize, channels: usize, size: usize| {
            let config = Conv2dConfig::new([channels, neurons[layer]], [size; 2]).with_bias(false);
            Local::new(config.init(device)).with_output(self.output_of(layer))
        };
        let linear = |layer: usize, inputs: usize| {
            let config = LinearConfig::new(inputs, neurons[layer]).with_bias(false);
            Local::new(config.init(device)).with_output(self.output_of(layer))
        };
        let norm = |layer: usize| norm(neurons[layer], device);
        SixLayer {
            conv1: conv(0, 3, 5),
            bn1: norm(0),
            conv2: conv(1, neurons[0], 3),
            bn2: norm(1),
            conv3: conv(2, neurons[1], 3),
            bn3: norm(2),
            conv4: conv(3, neurons[2], 3),
            bn4: norm(3),
            dropout5: self.dropout(4),
            fc5: linear(4, neurons[3] * POSITIONS),
            bn5: norm(4),
            dropout6: self.dropout(5),
            fc6: linear(5, self.hidden),
            classes: self.classes,
        }
    }

    fn output_of(&self, layer: usize) -> Output {
        match (layer, self.hebbian[layer]) {
            (5, true) => Output::projection(),
            (5, false) => Output::default(),
            (_, true) => self.output,
            (_, false) => Output::new(Similarity::Dot, Activation::Relu),
        }
    }

    /// None before a Hebbian layer.
    fn dropout(&self, layer: usize) -> Dropout {
        DropoutConfig::new(if self.hebbian[layer] { 0.0 } else { DROPOUT }).init()
    }
}

impl SixLayer {
    /// What a layer, with what follows it before the next, makes of `[n, channels, height, width]`.
    fn layer(&self, layer: usize, x: Tensor<4>) -> Tensor<4> {
        let pool = |x| max_pool2d(x, MaxPoolOptions::new([2; 2]));
        let unflatten = |x: Tensor<2>| x.unsqueeze_dims(&[2, 3]);
        match layer {
            0 => self.bn1.forward(pool(self.conv1.forward(x))), // [n, 96, 14, 14]
            1 => self.bn2.forward(self.conv2.forward(x)),       // [n, 128, 12, 12]
            2 => self.bn3.forward(pool(self.conv3.forward(x))), // [n, 192, 5, 5]
            3 => self.bn4.forward(self.conv4.forward(x)),       // [n, 256, 3, 3]
            4 => unflatten(self.bn5.forward(self.fc5.forward(self.dropout5.forward(x.flatten::<2>(1, 3))))),
            _ => unflatten(self.fc6.forward(self.dropout6.forward(x.flatten::<2>(1, 3)))),
        }
    }
}

/// PyTorch's net has the same names: `conv1` to `conv4`, `bn1` to `bn5`, `fc5`, `fc6`.
impl FromPytorch for SixLayer {}

impl Classifier for SixLayer {
    type Input = Tensor<4>;

    fn classes(&self) -> usize {
        self.classes
    }

    /// `[n, 3, 32, 32]` → `[n, classes]`.
    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        (0..6).fold(images, |x, layer| self.layer(layer, x)).flatten(1, 3)
    }
}

/// A stage a layer; the classifier learns by backprop, if it requires gradients.
impl Staged for SixLayer {
    type Flow = Batch<Tensor<4>>;

    fn stages(&self) -> usize {
        6
    }

    fn run(&self, stage: usize, Batch { input, targets }: Self::Flow) -> Self::Flow {
        Batch { input: self.layer(stage, input), targets }
    }

    fn hand_on(Batch { input, targets }: Self::Flow, device: &Device) -> Self::Flow {
        Batch { input: input.to_device(device).detach(), targets: targets.to_device(device) }
    }

    fn signals(&self, batch: &Self::Flow) -> Signals {
        Signals::none().with_teacher(batch.targets.clone().one_hot(self.classes).float())
    }

    fn loss(&self, stage: usize, Batch { input, targets }: &Self::Flow) -> Option<Tensor<1>> {
        let learns = stage == 5 && self.fc6.layer().weight.is_require_grad();
        let loss = || CrossEntropyLossConfig::new().init(&input.device());
        learns.then(|| loss().forward(input.clone().flatten(1, 3), targets.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_variants_score_classes() {
        let device = Device::flex();
        for (config, hidden) in [(SixLayerConfig::thesis(10), 300), (SixLayerConfig::fast_hebb(10), 4096)] {
            let net = config.with_hebbian([true, false, true, false, true, true]).init(&device);
            let scores = net.scores(Tensor::ones([2, 3, 32, 32], &device));
            assert_eq!(scores.dims(), [2, 10]);
            assert_eq!(net.fc5.layer().weight.dims(), [FILTERS[3] * POSITIONS, hidden]);
        }
    }

    #[test]
    fn hebbian_layers_hand_on_their_own_output() {
        let config = SixLayerConfig::thesis(10).with_hebbian([true, false, false, false, false, true]);
        let outputs: Vec<Output> = (0..6).map(|layer| config.output_of(layer)).collect();
        let relu = Output::new(Similarity::Dot, Activation::Relu);
        assert_eq!(outputs, [Output::relu_cosine(), relu, relu, relu, relu, Output::projection()]);
        assert_eq!((config.dropout(4).prob, config.dropout(5).prob), (DROPOUT, 0.0));
    }
}
