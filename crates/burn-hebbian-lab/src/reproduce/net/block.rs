//! One block: norm → dropout → layer → code → pool → norm.

use crate::prelude::*;
use burn::{
    module::Module,
    nn::{
        BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{
        Device, Tensor,
        activation::relu,
        module::{avg_pool2d, max_pool2d},
        ops::{AvgPoolOptions, MaxPoolOptions},
    },
};

use super::Trainer;
use crate::reproduce::config::{BlockConfig, HandsOn, Initial, LayerConfig, Norm, Pool, Spiking};

/// A block of a network.
#[derive(Module, Debug)]
pub(crate) struct Block {
    before: Option<SyncBatchNorm>,
    dropout: Dropout,
    pub(crate) layer: Layer,
    /// Whether a ReLU follows the layer.
    #[module(skip)]
    rectified: bool,
    /// If it hands on when its neurons spike.
    #[module(skip)]
    spikes: Option<Spiking>,
    #[module(skip)]
    code: Option<NearestCode>,
    #[module(skip)]
    pub(super) pool: Pool,
    after: Option<SyncBatchNorm>,
}

/// The layer of a block.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub(crate) enum Layer {
    Conv(Local<Conv2d>),
    Linear(Local<Linear>),
}

impl Block {
    pub(super) fn new(
        config: &BlockConfig,
        input: [usize; 3],
        trainer: Trainer,
        scores: bool,
        device: &Device,
    ) -> Self {
        let from_scratch = matches!(trainer, Trainer::Backprop | Trainer::Settling);
        let output = if from_scratch { Output::default() } else { config.output };
        let dropout = if trainer.is_backprop() { config.dropout } else { 0.0 };
        Self {
            before: norm(config.norm_before, input[0], trainer, device),
            dropout: DropoutConfig::new(dropout).init(),
            layer: Layer::new(&config.layer, input, from_scratch, device).with_output(output),
            rectified: from_scratch && !scores,
            code: config.code,
            spikes: config.spikes.filter(|spiking| spiking.hands_on == HandsOn::Spikes),
            pool: config.pool,
            after: norm(config.norm, config.channels(), trainer, device),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.dropout.forward(self.normed(x));
        let y = match &self.spikes {
            Some(spiking) => spiking.respond(&self.layer, x).unwrap_or_else(|error| panic!("{error}")),
            None => self.layer.forward(x),
        };
        let y = if self.rectified { relu(y) } else { y };
        let y = match (self.code, self.pool) {
            (Some(code), Pool::Average { size, stride }) => code.pooled(y, size, stride.unwrap_or(size)),
            (Some(code), pool) => pool.apply(code.apply(y)),
            (None, pool) => pool.apply(y),
        };
        match &self.after {
            Some(norm) => norm.forward(y),
            None => y,
        }
    }

    /// [`forward`](Self::forward) as far as something in the block learns from it.
    pub(super) fn learn(&self, x: Tensor<4>) {
        if self.after.is_some() {
            self.forward(x);
        } else {
            self.layer.forward(self.dropout.forward(self.normed(x)));
        }
    }
}

impl Block {
    /// What follows the layer.
    pub(crate) fn pool(&self) -> Pool {
        self.pool
    }

    /// What the layer sees of its block's input while nothing trains.
    pub(crate) fn normed(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.before {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }

    /// What neurons compete by, before anything is rectified or pooled: `[n, neurons, rows, columns]`.
    pub(crate) fn responses(&self, similarity: Similarity, x: Tensor<4>) -> Tensor<4> {
        let output = Output::new(similarity, Activation::Linear);
        self.layer.clone().with_output(output).forward(self.normed(x))
    }

    /// The weights as `[neurons, channels, height, width]`; those of a linear layer in the size of its input.
    pub(crate) fn filters(&self, [channels, height, width]: [usize; 3]) -> Tensor<4> {
        match &self.layer {
            Layer::Conv(conv) => conv.layer().weight.val(),
            Layer::Linear(linear) => {
                let weight = linear.layer().weight.val().transpose(); // [inputs, k] -> [k, inputs]
                let neurons = weight.dims()[0];
                weight.reshape([neurons, channels, height, width])
            }
        }
    }
}

impl Layer {
    fn with_output(self, output: Output) -> Self {
        match self {
            Self::Conv(conv) => Self::Conv(conv.with_output(output)),
            Self::Linear(linear) => Self::Linear(linear.with_output(output)),
        }
    }

    fn new(config: &LayerConfig, [channels, height, width]: [usize; 3], bias: bool, device: &Device) -> Self {
        match *config {
            LayerConfig::Conv { filters, kernel, padding, padding_mode, initial } => {
                let conv = Conv2dConfig::new([channels, filters], [kernel; 2])
                    .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                    .with_bias(bias)
                    .with_initializer(initializer(initial, channels * kernel * kernel));
                Self::Conv(Local::new(conv.init(device)).with_padding_mode(padding_mode))
            }
            LayerConfig::Linear { neurons, initial } => {
                let inputs = channels * height * width;
                let linear = LinearConfig::new(inputs, neurons)
                    .with_bias(bias)
                    .with_initializer(initializer(initial, inputs));
                Self::Linear(Local::new(linear.init(device)))
            }
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Linear(linear) => linear.forward(x.flatten::<2>(1, 3)).unsqueeze_dims(&[2, 3]),
        }
    }
}

impl Pool {
    fn apply(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::None => x,
            Self::Max { size, stride, padding } => {
                let options = MaxPoolOptions::new([size; 2])
                    .with_stride([stride.unwrap_or(size); 2])
                    .with_padding([padding; 2]);
                max_pool2d(x, options)
            }
            Self::Average { size, stride } => {
                avg_pool2d(x, AvgPoolOptions::new([size; 2]).with_stride([stride.unwrap_or(size); 2]))
            }
        }
    }
}

pub(crate) fn initializer(initial: Initial, fan_in: usize) -> Initializer {
    let root = (fan_in as f64).sqrt();
    match initial {
        Initial::Uniform => Initializer::Uniform { min: -1.0 / root, max: 1.0 / root },
        Initial::Normal { norm } => Initializer::Normal { mean: 0.0, std: norm / root },
        Initial::Gaussian { deviation } => Initializer::Normal { mean: 0.0, std: deviation },
        Initial::Around { mean, deviation } => Initializer::Normal { mean, std: deviation },
    }
}

/// γ and β stay what they start as where rules train.
fn norm(kind: Norm, channels: usize, trainer: Trainer, device: &Device) -> Option<SyncBatchNorm> {
    let mut norm = BatchNormConfig::new(channels).init(device);
    if kind == Norm::Scattered {
        norm.gamma = Initializer::Uniform { min: 0.0, max: 1.0 }.init([channels], device);
    }
    if trainer == Trainer::Rules {
        norm.gamma = norm.gamma.set_require_grad(false);
        norm.beta = norm.beta.set_require_grad(false);
    }
    match kind {
        Norm::None => None,
        Norm::Plain | Norm::Scattered => Some(SyncBatchNorm::new(norm)),
        Norm::Rescaled => Some(SyncBatchNorm::new(norm).rescaled()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::{config::NetConfig, net::parameters::parameters};

    const INPUT: [usize; 3] = [2, 4, 4];

    fn block(json: &str, trainer: Trainer, scores: bool) -> Block {
        let json = format!(r#"{{ "blocks": [{{ "name": "a", "rule": "hard-wta", "rate": 0.1, {json} }}] }}"#);
        let net: NetConfig = serde_json::from_str(&json).unwrap();
        Block::new(&net.blocks[0], INPUT, trainer, scores, &Device::flex())
    }

    fn values(block: &Block, name: &str) -> Option<Vec<f32>> {
        let found = parameters(block).into_iter().find(|(path, _)| path.ends_with(name));
        found.map(|(_, values)| values.values)
    }

    /// A linear layer of 16 neurons whose output is `relu(w·x − mean w·x)`: what neurons sum up, and what the block hands on.
    fn sums_and_outputs(trainer: Trainer, scores: bool) -> (Vec<f32>, Vec<f32>) {
        let linear = r#""layer": { "linear": { "neurons": 16 } }, "output": { "activation": { "triangle": { "power": 1.0 } } }"#;
        let pixels: Vec<f32> = (0..32).map(|pixel| (pixel as f32 * 0.7).sin()).collect();
        let x = Tensor::<1>::from_floats(pixels.as_slice(), &Device::flex()).reshape([1, 2, 4, 4]);
        let block = block(linear, trainer, scores);
        let weight = values(&block, "weight").unwrap();
        let bias = values(&block, "bias");
        assert_eq!(bias.is_some(), trainer == Trainer::Backprop);
        let mut sums = bias.unwrap_or_else(|| vec![0.0; 16]);
        for (neuron, sum) in sums.iter_mut().enumerate() {
            *sum += (0..32).map(|input| weight[input * 16 + neuron] * pixels[input]).sum::<f32>();
        }
        (sums, block.forward(x).into_data().iter::<f32>().collect())
    }

    #[test]
    fn backprop_adds_a_bias_and_rectifies_the_sum() {
        let mut negative = 0;
        for scores in [false, true] {
            let (sums, outputs) = sums_and_outputs(Trainer::Backprop, scores);
            for (sum, y) in sums.into_iter().zip(outputs) {
                negative += usize::from(sum < 0.0);
                let expected = if scores { sum } else { sum.max(0.0) };
                assert!((y - expected).abs() < 1e-5, "scores {scores}: {y} for {expected}");
            }
        }
        // where a sum is negative, to rectify before the bias is added gives something else
        assert!(negative > 5, "{negative} negative sums");
    }

    #[test]
    fn fine_tuning_begins_with_what_rules_hand_on() {
        for trainer in [Trainer::Rules, Trainer::FineTuning] {
            let (sums, outputs) = sums_and_outputs(trainer, false);
            let mean = sums.iter().sum::<f32>() / 16.0;
            for (sum, y) in sums.into_iter().zip(outputs) {
                let expected = (sum - mean).max(0.0);
                assert!((y - expected).abs() < 1e-5, "{trainer:?}: {y} for {expected}");
            }
        }
    }

    #[test]
    fn scattered_norms_start_between_0_and_1() {
        let conv = |norm: &str| {
            let json =
                format!(r#""layer": {{ "conv": {{ "filters": 64, "kernel": 3 }} }}, "norm": "{norm}""#);
            values(&block(&json, Trainer::Rules, false), "gamma").unwrap()
        };
        assert!(conv("plain").iter().all(|&scale| scale == 1.0));
        let scales = conv("scattered");
        assert!(scales.iter().all(|scale| (0.0..1.0).contains(scale)), "{scales:?}");
        let mean = scales.iter().sum::<f32>() / 64.0;
        // five deviations of the mean of 64 such numbers, √(1 / 12 / 64)
        assert!((mean - 0.5).abs() < 0.18, "{mean}");
    }
}
