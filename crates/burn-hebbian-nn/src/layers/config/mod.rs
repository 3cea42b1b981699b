//! Ready-made Hebbian layers, without bias unless their rule learns one.

mod convolution;
mod linear;
mod sizes;
mod transposed;

pub use convolution::{HebbianConv1dConfig, HebbianConv2dConfig, HebbianConv3dConfig};
pub use linear::HebbianLinearConfig;
pub use transposed::{
    HebbianConvTranspose1dConfig, HebbianConvTranspose2dConfig, HebbianConvTranspose3dConfig,
};

use burn::{
    nn::Initializer,
    tensor::{Tensor, TensorData},
};
use burn_hebbian_core::{LocalRule, Rule, RuleError};

use crate::{Local, Output, Trainable};

/// Uniform in ±1/√fan-in, as in Burn's own layers.
fn uniform() -> Initializer {
    Initializer::KaimingUniform { gain: 1.0 / 3.0_f64.sqrt(), fan_out_only: false }
}

/// `local` with a rule and an output that fit it, and with a bias if the rule learns one.
fn checked<L: Trainable>(mut local: Local<L>, rule: &Rule, output: Output) -> Result<Local<L>, RuleError> {
    let layout = local.layer().layout();
    rule.check(&layout)?;
    output.check(rule)?;
    if let Some(bias) = rule.initial_bias(&layout) {
        let bias = Tensor::from_data(TensorData::from(bias.as_slice()), &local.layer().weight_device());
        local = local.with_bias(bias);
    }
    Ok(local.with_rule(rule.clone()).with_output(output))
}

/// The configuration of a convolution or transposed convolution: fields, setters and `init`.
///
/// `$extra` is the one field that the other kind does not have. The type gets a `plain(&self, &Device)` of
/// its own: the layer before it has a rule.
macro_rules! convolution_config {
    (
        $(#[$doc:meta])*
        $config:ident: $hebbian:ident, $size:ty, $padding:ty,
        $(#[$extra_doc:meta])*
        $extra:ident: $extra_type:ty,
        $(#[$setter_doc:meta])*
        $setter:ident
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $config {
            /// Channels in and out.
            pub channels: [usize; 2],
            /// Size of the kernel.
            pub kernel_size: $size,
            /// The rule the layer learns by.
            pub rule: Rule,
            /// Stride.
            #[serde(default = "ones")]
            pub stride: $size,
            /// Dilation.
            #[serde(default = "ones")]
            pub dilation: $size,
            /// Groups of channels. Neurons compete within a group; as many groups as channels are a depthwise
            /// layer.
            #[serde(default = "ones")]
            pub groups: usize,
            /// Padding.
            #[serde(default = "unpadded")]
            pub padding: $padding,
            $(#[$extra_doc])*
            #[serde(default)]
            pub $extra: $extra_type,
            /// The output function.
            #[serde(default)]
            pub output: Output,
            /// The initial weights.
            #[serde(default = "uniform")]
            pub initializer: Initializer,
        }

        impl Config for $config {}

        impl $config {
            /// Unpadded, of stride 1, with the plain dot product as its output.
            pub fn new(channels: [usize; 2], kernel_size: $size, rule: Rule) -> Self {
                Self {
                    channels,
                    kernel_size,
                    rule,
                    stride: ones(),
                    dilation: ones(),
                    groups: ones(),
                    padding: unpadded(),
                    $extra: <$extra_type>::default(),
                    output: Output::default(),
                    initializer: uniform(),
                }
            }

            /// With another stride.
            pub fn with_stride(mut self, stride: $size) -> Self {
                self.stride = stride;
                self
            }

            /// With another dilation.
            pub fn with_dilation(mut self, dilation: $size) -> Self {
                self.dilation = dilation;
                self
            }

            /// In groups.
            pub fn with_groups(mut self, groups: usize) -> Self {
                self.groups = groups;
                self
            }

            /// With padding.
            pub fn with_padding(mut self, padding: $padding) -> Self {
                self.padding = padding;
                self
            }

            $(#[$setter_doc])*
            pub fn $setter(mut self, $extra: $extra_type) -> Self {
                self.$extra = $extra;
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
            pub fn init(&self, device: &Device) -> $hebbian {
                self.try_init(device).unwrap_or_else(|error| panic!("{}: {error}", stringify!($hebbian)))
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
            pub fn try_init(&self, device: &Device) -> Result<$hebbian, RuleError> {
                checked(self.plain(device), &self.rule, self.output)
            }
        }
    };
}

use convolution_config;
