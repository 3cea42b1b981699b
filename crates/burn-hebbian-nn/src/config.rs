//! Ready-made Hebbian layers.

use burn::{
    config::Config,
    nn::{
        Initializer, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::Device,
};
use burn_hebbian_core::{LocalRule, Rule, RuleError};
use serde::{Deserialize, Serialize};

use crate::{HebbianConv2d, HebbianLinear, Local, Output, PaddingMode, Trainable};

/// Configuration of a [`HebbianConv2d`]: a convolution without bias, its rule and its output function.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::Rule;
/// use burn_hebbian_nn::{HebbianConv2dConfig, Output};
///
/// let device = Device::flex();
/// let conv = HebbianConv2dConfig::new([3, 96], [5, 5], Rule::swta())
///     .with_output(Output::relu_projection())
///     .init(&device);
/// let y = conv.forward(Tensor::ones([2, 3, 32, 32], &device));
/// assert_eq!(y.dims(), [2, 96, 28, 28]);
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HebbianConv2dConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel_size: [usize; 2],
    /// The rule the layer learns by.
    pub rule: Rule,
    /// Stride.
    #[serde(default = "one_by_one")]
    pub stride: [usize; 2],
    /// Dilation.
    #[serde(default = "one_by_one")]
    pub dilation: [usize; 2],
    /// Groups of channels. Neurons compete within a group.
    #[serde(default = "one")]
    pub groups: usize,
    /// Padding.
    #[serde(default = "no_padding")]
    pub padding: PaddingConfig2d,
    /// What lies in the padding.
    #[serde(default)]
    pub padding_mode: PaddingMode,
    /// The output function.
    #[serde(default)]
    pub output: Output,
    /// The initial weights.
    #[serde(default = "uniform")]
    pub initializer: Initializer,
}

impl Config for HebbianConv2dConfig {}

fn one() -> usize {
    1
}

fn one_by_one() -> [usize; 2] {
    [1, 1]
}

fn no_padding() -> PaddingConfig2d {
    PaddingConfig2d::Valid
}

/// Uniform in ±1/√fan-in, as in Burn's own layers.
fn uniform() -> Initializer {
    Initializer::KaimingUniform { gain: 1.0 / 3.0_f64.sqrt(), fan_out_only: false }
}

impl HebbianConv2dConfig {
    /// An unpadded convolution of stride 1 whose output is the plain dot product.
    pub fn new(channels: [usize; 2], kernel_size: [usize; 2], rule: Rule) -> Self {
        Self {
            channels,
            kernel_size,
            rule,
            stride: one_by_one(),
            dilation: one_by_one(),
            groups: one(),
            padding: no_padding(),
            padding_mode: PaddingMode::default(),
            output: Output::default(),
            initializer: uniform(),
        }
    }

    /// With another stride.
    pub fn with_stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// With another dilation.
    pub fn with_dilation(mut self, dilation: [usize; 2]) -> Self {
        self.dilation = dilation;
        self
    }

    /// In groups.
    pub fn with_groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// With padding.
    pub fn with_padding(mut self, padding: PaddingConfig2d) -> Self {
        self.padding = padding;
        self
    }

    /// With another content of the padding.
    pub fn with_padding_mode(mut self, mode: PaddingMode) -> Self {
        self.padding_mode = mode;
        self
    }

    /// With another output function.
    pub fn with_output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// With other initial weights.
    pub fn with_initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// The layer.
    ///
    /// # Panics
    ///
    /// If channels are not divisible by groups, or with the message of [`try_init`](Self::try_init).
    pub fn init(&self, device: &Device) -> HebbianConv2d {
        self.try_init(device).unwrap_or_else(|error| panic!("HebbianConv2d: {error}"))
    }

    /// The layer, or what is wrong with its rule.
    ///
    /// # Errors
    ///
    /// If the rule cannot train a layer of this shape.
    ///
    /// # Panics
    ///
    /// If channels are not divisible by groups, as Burn's own layer.
    pub fn try_init(&self, device: &Device) -> Result<HebbianConv2d, RuleError> {
        let config = Conv2dConfig::new(self.channels, self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_padding(self.padding.clone())
            .with_initializer(self.initializer.clone())
            .with_bias(false);
        let layer: Local<Conv2d> = checked(config.init(device), &self.rule)?;
        Ok(layer.with_output(self.output).with_padding_mode(self.padding_mode))
    }
}

/// Configuration of a [`HebbianLinear`]: a linear layer without bias, its rule and its output function.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HebbianLinearConfig {
    /// Size of the input.
    pub d_input: usize,
    /// Number of neurons.
    pub d_output: usize,
    /// The rule the layer learns by.
    pub rule: Rule,
    /// The output function.
    #[serde(default)]
    pub output: Output,
    /// The initial weights.
    #[serde(default = "uniform")]
    pub initializer: Initializer,
}

impl Config for HebbianLinearConfig {}

impl HebbianLinearConfig {
    /// A layer whose output is the plain dot product.
    pub fn new(d_input: usize, d_output: usize, rule: Rule) -> Self {
        Self { d_input, d_output, rule, output: Output::default(), initializer: uniform() }
    }

    /// With another output function.
    pub fn with_output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// With other initial weights.
    pub fn with_initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// The layer.
    ///
    /// # Panics
    ///
    /// With the message of [`try_init`](Self::try_init).
    pub fn init(&self, device: &Device) -> HebbianLinear {
        self.try_init(device).unwrap_or_else(|error| panic!("HebbianLinear: {error}"))
    }

    /// The layer, or what is wrong with its rule.
    ///
    /// # Errors
    ///
    /// If the rule cannot train a layer of this shape.
    pub fn try_init(&self, device: &Device) -> Result<HebbianLinear, RuleError> {
        let config = LinearConfig::new(self.d_input, self.d_output)
            .with_initializer(self.initializer.clone())
            .with_bias(false);
        let layer: Local<Linear> = checked(config.init(device), &self.rule)?;
        Ok(layer.with_output(self.output))
    }
}

fn checked<L: Trainable>(layer: L, rule: &Rule) -> Result<Local<L>, RuleError> {
    rule.check(&layer.layout())?;
    Ok(Local::new(layer).with_rule(rule.clone()))
}
