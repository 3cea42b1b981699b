//! SoftHebb's network.

use crate::prelude::*;
use burn::{
    config::Config,
    module::Module,
    nn::{
        Dropout, DropoutConfig, Initializer, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    optim::AdamConfig,
    tensor::{
        Device, Tensor,
        module::{avg_pool2d, max_pool2d},
        ops::{AvgPoolOptions, MaxPoolOptions},
    },
};

use super::{
    ModelError,
    check::Check,
    norm::fixed_norm,
    pytorch::{FromPytorch, Names},
};

/// What the paper sets for one convolution.
struct Setting {
    kernel: usize,
    inverse_temperature: f64,
    /// Power of the triangle activation.
    power: f64,
    rate: f64,
}

const SETTINGS: [Setting; 3] = [
    Setting { kernel: 5, inverse_temperature: 1.0, power: 0.7, rate: 0.08 },
    Setting { kernel: 3, inverse_temperature: 0.65, power: 1.4, rate: 0.005 },
    Setting { kernel: 3, inverse_temperature: 0.25, power: 1.0, rate: 0.01 },
];

/// Norm that the weights of a neuron start with.
const INITIAL_NORM: f64 = 25.0;

/// The largest weight that the classifier starts with.
const CLASSIFIER: f64 = 0.1105;

/// Configuration of a [`SoftHebb`] network.
#[derive(Config, Debug)]
pub struct SoftHebbConfig {
    /// Classes.
    pub classes: usize,
    /// Channels of an image.
    #[config(default = 3)]
    pub channels: usize,
    /// Height and width of an image; a multiple of 8.
    #[config(default = 32)]
    pub image_size: usize,
    /// Neurons of the three convolutions.
    #[config(default = "[96, 384, 1536]")]
    pub neurons: [usize; 3],
    /// Share of the classifier's inputs that sit out in training.
    #[config(default = 0.5)]
    pub dropout: f64,
}

impl SoftHebbConfig {
    /// Random weights, drawn from `device`'s generator.
    ///
    /// # Errors
    ///
    /// If a size is 0, the image's no multiple of 8, a convolution has a single neuron, or the dropout is not in 0..1.
    pub fn init(&self, device: &Device) -> Result<SoftHebb, ModelError> {
        self.check()?;
        let [first, second, third] = self.neurons;
        let flat = third * (self.image_size / 8).pow(2);
        let classifier = LinearConfig::new(flat, self.classes)
            .with_initializer(Initializer::Uniform { min: 0.0, max: CLASSIFIER });
        Ok(SoftHebb {
            bn1: fixed_norm(self.channels, device),
            conv1: SETTINGS[0].conv([self.channels, first], device),
            bn2: fixed_norm(first, device),
            conv2: SETTINGS[1].conv([first, second], device),
            bn3: fixed_norm(second, device),
            conv3: SETTINGS[2].conv([second, third], device),
            dropout: DropoutConfig::new(self.dropout).init(),
            classifier: Local::new(classifier.init(device)),
        })
    }

    /// The paper's training: the convolutions for one epoch, all at once, and from the second epoch on the classifier.
    pub fn plan() -> Plan {
        let hebbian = ["conv1", "conv2", "conv3"].into_iter().zip(&SETTINGS);
        let plan = hebbian.fold(Plan::new(), |plan, (layer, setting)| {
            plan.with(
                Entry::local(layer, LocalTraining::of_the_layer()).at_rate(setting.rate).in_epochs(..=1),
            )
        });
        let classifier = Entry::backprop("classifier").by(AdamConfig::new()).at_rate(1e-3);
        plan.with(classifier.in_epochs(2..)).with_rest(Rest::Frozen)
    }

    fn check(&self) -> Result<(), ModelError> {
        let check = Check("SoftHebb");
        check.size("classes", self.classes)?;
        check.size("channels", self.channels)?;
        let eighths = self.image_size > 0 && self.image_size.is_multiple_of(8);
        check.that(eighths, "image_size", "a multiple of 8", self.image_size.to_string())?;
        let competing = self.neurons.iter().all(|&neurons| neurons > 1);
        check.that(competing, "neurons", "at least 2 each", format!("{:?}", self.neurons))?;
        check.share("dropout", self.dropout)
    }
}

impl Setting {
    /// A convolution that keeps height and width by mirrored borders, with its rule and the triangle as output.
    fn conv(&self, channels: [usize; 2], device: &Device) -> Local<Conv2d> {
        let border = self.kernel / 2;
        let fan_in = channels[0] * self.kernel * self.kernel;
        let config = Conv2dConfig::new(channels, [self.kernel; 2])
            .with_padding(PaddingConfig2d::Explicit(border, border, border, border))
            .with_bias(false)
            .with_initializer(Initializer::Normal { mean: 0.0, std: INITIAL_NORM / (fan_in as f64).sqrt() });
        let triangle = Activation::Triangle { power: self.power };
        Local::new(config.init(device))
            .with_padding_mode(PaddingMode::Reflect)
            .with_output(Output::new(Similarity::Dot, triangle))
            .with_rule(Rule::soft_hebb(1.0 / self.inverse_temperature))
    }
}

/// Three convolutions that learn by SoftHebb, and a classifier.
///
/// Images are scaled to 0..1, not whitened. Batch norm comes before each convolution and has no γ and β.
///
/// Source: A. Journé, H. Garcia Rodriguez, Q. Guo and T. Moraitis, "Hebbian deep learning without feedback", ICLR
/// 2023, arXiv:2209.11883, the network for CIFAR-10.
#[derive(Module, Debug)]
pub struct SoftHebb {
    bn1: SyncBatchNorm,
    conv1: Local<Conv2d>,
    bn2: SyncBatchNorm,
    conv2: Local<Conv2d>,
    bn3: SyncBatchNorm,
    conv3: Local<Conv2d>,
    dropout: Dropout,
    classifier: Local<Linear>,
}

impl SoftHebb {
    /// `[n, channels, size, size]` → `[n, neurons, size / 8, size / 8]`.
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let first = max_pool(self.conv1.forward(self.bn1.forward(images))); // [n, 96, size / 2, size / 2]
        let second = max_pool(self.conv2.forward(self.bn2.forward(first))); // [n, 384, size / 4, size / 4]
        let third = self.conv3.forward(self.bn3.forward(second));
        avg_pool2d(third, AvgPoolOptions::new([2; 2]))
    }

    /// `[n, channels, size, size]` → `[n, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features(images).flatten(1, 3);
        self.classifier.forward(self.dropout.forward(features))
    }
}

/// For a PyTorch net of the same layers under the same names.
impl FromPytorch for SoftHebb {
    fn names(&self) -> Names {
        Names::default().without("gamma").without("beta")
    }
}

/// Windows of 4 at every second position, `[n, channels, h, w]` → `[n, channels, h / 2, w / 2]`.
fn max_pool(input: Tensor<4>) -> Tensor<4> {
    max_pool2d(input, MaxPoolOptions::new([4; 2]).with_stride([2; 2]).with_padding([1; 2]))
}
