//! Linear layers.

use burn::{
    config::Config,
    nn::{Initializer, LinearConfig},
    tensor::Device,
};
use burn_hebbian_core::{Rule, RuleError};
use serde::{Deserialize, Serialize};

use super::{checked, uniform};
use crate::{HebbianLinear, Local, Output};

/// Configuration of a [`HebbianLinear`]: a linear layer, its rule and its output function.
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
        checked(Local::new(config.init(device)), &self.rule, self.output)
    }
}
