//! Any convolution as one type, on tensors of three spatial axes: one test body for all geometries.

use burn::{
    module::{Module, Param},
    nn::{
        PaddingConfig1d, PaddingConfig2d, PaddingConfig3d,
        conv::{
            Conv1dConfig, Conv2dConfig, Conv3dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig,
            ConvTranspose3dConfig,
        },
    },
    optim::GradientsParams,
    tensor::{Device, Gradients, Tensor},
};
use burn_hebbian::{
    nn::{
        HebbianConvTranspose1d, HebbianConvTranspose2d, HebbianConvTranspose3d, Output, PaddingMode, Synapses,
    },
    optim::UpdateError,
    prelude::*,
    rules::Span,
    spikes::{
        Train,
        first_spike::{FirstSpikes, Winners},
    },
};

use crate::{forms, oracle::Layer, values::tensor};

/// Seeds of inputs and weights, so that oracle and library get the same numbers.
const INPUT_SEED: u64 = 1;
const WEIGHT_SEED: u64 = 2;

/// The layer of the library that an oracle's layer describes.
#[derive(Module, Debug)]
pub enum AnyLayer {
    /// One axis.
    Conv1d(HebbianConv1d),
    /// Two axes.
    Conv2d(HebbianConv2d),
    /// Three axes.
    Conv3d(HebbianConv3d),
    /// One axis, transposed.
    ConvTranspose1d(HebbianConvTranspose1d),
    /// Two axes, transposed.
    ConvTranspose2d(HebbianConvTranspose2d),
    /// Three axes, transposed.
    ConvTranspose3d(HebbianConvTranspose3d),
}

/// The same expression for the layer of every variant.
macro_rules! each {
    ($any:expr, $local:ident => $body:expr) => {
        match $any {
            AnyLayer::Conv1d($local) => $body,
            AnyLayer::Conv2d($local) => $body,
            AnyLayer::Conv3d($local) => $body,
            AnyLayer::ConvTranspose1d($local) => $body,
            AnyLayer::ConvTranspose2d($local) => $body,
            AnyLayer::ConvTranspose3d($local) => $body,
        }
    };
}

/// Every variant with another layer in it.
macro_rules! replace {
    ($any:expr, $local:ident => $body:expr) => {
        match $any {
            AnyLayer::Conv1d($local) => AnyLayer::Conv1d($body),
            AnyLayer::Conv2d($local) => AnyLayer::Conv2d($body),
            AnyLayer::Conv3d($local) => AnyLayer::Conv3d($body),
            AnyLayer::ConvTranspose1d($local) => AnyLayer::ConvTranspose1d($body),
            AnyLayer::ConvTranspose2d($local) => AnyLayer::ConvTranspose2d($body),
            AnyLayer::ConvTranspose3d($local) => AnyLayer::ConvTranspose3d($body),
        }
    };
}

/// The input of a layer.
pub fn input(layer: &Layer, device: &Device) -> Tensor<5> {
    tensor(INPUT_SEED, layer.input, device)
}

/// The weight of a layer.
pub fn weight(layer: &Layer, device: &Device) -> Tensor<5> {
    tensor(WEIGHT_SEED, layer.weight, device)
}

impl AnyLayer {
    /// Without a rule.
    pub fn new(layer: &Layer, device: &Device) -> Self {
        Self::with_weight(layer, weight(layer, device), device)
    }

    /// With a weight of one's own and without a rule.
    ///
    /// # Panics
    ///
    /// If the layer has no such number of axes.
    pub fn with_weight(layer: &Layer, weight: Tensor<5>, device: &Device) -> Self {
        let mode = if layer.reflect { PaddingMode::Reflect } else { PaddingMode::Zeros };
        let any = match (layer.transposed, layer.axes) {
            (false, 1) => Self::Conv1d(conv1d(layer, weight, device).with_padding_mode(mode)),
            (false, 2) => Self::Conv2d(conv2d(layer, weight, device).with_padding_mode(mode)),
            (false, 3) => Self::Conv3d(conv3d(layer, weight, device).with_padding_mode(mode)),
            (true, 1) => Self::ConvTranspose1d(conv_transpose1d(layer, weight, device)),
            (true, 2) => Self::ConvTranspose2d(conv_transpose2d(layer, weight, device)),
            (true, 3) => Self::ConvTranspose3d(conv_transpose3d(layer, weight, device)),
            (_, axes) => panic!("no convolution has {axes} axes"),
        };
        replace!(any, local => local.with_forms(forms::forced()))
    }

    /// With a rule.
    pub fn with_rule(self, rule: impl LocalRule + 'static) -> Self {
        replace!(self, local => local.with_rule(rule))
    }

    /// With another output function.
    pub fn with_output(self, output: Output) -> Self {
        replace!(self, local => local.with_output(output))
    }

    /// The layer's output.
    pub fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        each!(self, local => volume(local.forward(flat(x))))
    }

    /// What the layer's synapses hand on.
    pub fn currents(&self, x: Tensor<5>) -> Tensor<5> {
        each!(self, local => volume(local.currents(flat(x))))
    }

    /// Learns from spikes on both sides.
    pub fn learn_from(&self, x: Tensor<5>, post: Tensor<5>, span: Span) {
        each!(self, local => local.learn_from(flat(x), flat(post), span));
    }

    /// Winners of a first-spike layer, which learns from them.
    ///
    /// # Panics
    ///
    /// If the train is none.
    pub fn learn_first_spikes(&self, neurons: &FirstSpikes, wave: Tensor<5>, steps: usize) -> Winners {
        each!(self, local => {
            let wave = Train::new(flat(wave), steps).expect("whole trains");
            neurons.learn(local, &wave).expect("trains that belong together").winners
        })
    }

    /// The output of the plain layer inside.
    pub fn plain_forward(&self, x: Tensor<5>) -> Tensor<5> {
        each!(self, local => volume(local.layer().forward(flat(x))))
    }

    /// `∂/∂W`, from a loss.
    ///
    /// # Panics
    ///
    /// If the loss does not depend on the weight.
    pub fn weight_grad(&self, grads: &Gradients) -> Tensor<5> {
        each!(self, local => volume(local.layer().weight.val().grad(grads).expect("a gradient of the weight")))
    }

    /// `ΔW` (ascent) that the layer learns from one batch.
    ///
    /// # Panics
    ///
    /// If the plan or the update is refused.
    pub fn learn(&self, x: Tensor<5>, teacher: Option<Tensor<2>>) -> Tensor<5> {
        let signals = teacher.map_or_else(Signals::none, |teacher| Signals::none().with_teacher(teacher));
        self.try_learn(x, signals).expect("the update is finite").0
    }

    /// `ΔW` (ascent) that the layer learns from one batch, and the layer with its rule's next state.
    ///
    /// # Errors
    ///
    /// If the update is refused.
    ///
    /// # Panics
    ///
    /// If the plan is refused.
    pub fn try_learn(&self, x: Tensor<5>, signals: Signals) -> Result<(Tensor<5>, Self), UpdateError> {
        self.try_taught(signals, |any| {
            any.forward(x);
        })
    }

    /// `ΔW` (ascent) that the layer learns while `teach` runs, and the layer with its rule's next state.
    ///
    /// # Errors
    ///
    /// If the update is refused.
    ///
    /// # Panics
    ///
    /// If the plan is refused.
    pub fn try_taught(
        &self,
        signals: Signals,
        teach: impl FnOnce(&Self),
    ) -> Result<(Tensor<5>, Self), UpdateError> {
        let (bound, plan) = Plan::new().bind(self.clone()).expect("the plan fits");
        let (_, seen) = plan.observe(&bound, signals, teach)?;
        let (next, grads) = plan.finish(bound, seen.local_only())?;
        plan.check_finite()?;
        Ok((each!(self, local => delta(&local.layer().weight, &grads)), next))
    }
}

/// The ascent step that gradients hold for a weight.
fn delta<const X: usize>(weight: &Param<Tensor<X>>, grads: &GradientsParams) -> Tensor<5> {
    volume(grads.get::<X>(weight.id).expect("the layer learned").neg())
}

/// The layer of a configuration, with a weight.
macro_rules! local {
    ($config:expr, $layer:expr, $weight:expr, $device:expr) => {{
        let mut conv = $config.with_groups($layer.groups).with_bias(false).init($device);
        conv.weight = Param::from_tensor(flat($weight));
        Local::new(conv)
    }};
}

fn conv1d(layer: &Layer, weight: Tensor<5>, device: &Device) -> HebbianConv1d {
    let [kernel] = last(kernel(layer));
    let ([stride], [(left, right)]) = (last(layer.stride), last(layer.padding));
    let [dilation] = last(layer.dilation);
    let config = Conv1dConfig::new(layer.input[1], layer.weight[0], kernel)
        .with_stride(stride)
        .with_dilation(dilation)
        .with_padding(PaddingConfig1d::Explicit(left, right));
    local!(config, layer, weight, device)
}

pub(crate) fn conv2d(layer: &Layer, weight: Tensor<5>, device: &Device) -> HebbianConv2d {
    let [(top, bottom), (left, right)] = last(layer.padding);
    let config = Conv2dConfig::new([layer.input[1], layer.weight[0]], last(kernel(layer)))
        .with_stride(last(layer.stride))
        .with_dilation(last(layer.dilation))
        .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right));
    local!(config, layer, weight, device)
}

fn conv3d(layer: &Layer, weight: Tensor<5>, device: &Device) -> HebbianConv3d {
    let [depth, height, width] = layer.padding.map(|(before, _)| before);
    let config = Conv3dConfig::new([layer.input[1], layer.weight[0]], kernel(layer))
        .with_stride(layer.stride)
        .with_dilation(layer.dilation)
        .with_padding(PaddingConfig3d::Explicit(depth, height, width));
    local!(config, layer, weight, device)
}

fn conv_transpose1d(layer: &Layer, weight: Tensor<5>, device: &Device) -> HebbianConvTranspose1d {
    let ([kernel], [stride]) = (last(kernel(layer)), last(layer.stride));
    let ([(padding, _)], [padding_out]) = (last(layer.padding), last(layer.padding_out));
    let [dilation] = last(layer.dilation);
    let config = ConvTranspose1dConfig::new(channels(layer), kernel)
        .with_stride(stride)
        .with_dilation(dilation)
        .with_padding(padding)
        .with_padding_out(padding_out);
    local!(config, layer, weight, device)
}

fn conv_transpose2d(layer: &Layer, weight: Tensor<5>, device: &Device) -> HebbianConvTranspose2d {
    let config = ConvTranspose2dConfig::new(channels(layer), last(kernel(layer)))
        .with_stride(last(layer.stride))
        .with_dilation(last(layer.dilation))
        .with_padding(last(layer.padding).map(|(padding, _)| padding))
        .with_padding_out(last(layer.padding_out));
    local!(config, layer, weight, device)
}

fn conv_transpose3d(layer: &Layer, weight: Tensor<5>, device: &Device) -> HebbianConvTranspose3d {
    let config = ConvTranspose3dConfig::new(channels(layer), kernel(layer))
        .with_stride(layer.stride)
        .with_dilation(layer.dilation)
        .with_padding(layer.padding.map(|(padding, _)| padding))
        .with_padding_out(layer.padding_out);
    local!(config, layer, weight, device)
}

fn kernel(layer: &Layer) -> [usize; 3] {
    let [_, _, kernel @ ..] = layer.weight;
    kernel
}

/// Channels in and out of a transposed layer.
fn channels(layer: &Layer) -> [usize; 2] {
    [layer.weight[0], layer.weight[1] * layer.groups]
}

/// The last `D` of three axes.
fn last<T: Copy, const D: usize>(axes: [T; 3]) -> [T; D] {
    std::array::from_fn(|axis| axes[3 - D + axis])
}

/// With leading spatial axes of one element.
fn volume<const X: usize>(x: Tensor<X>) -> Tensor<5> {
    let dims = x.dims();
    let mut five = [1; 5];
    five[..2].copy_from_slice(&dims[..2]);
    five[7 - X..].copy_from_slice(&dims[2..]);
    x.reshape(five)
}

/// Without leading spatial axes.
pub fn flat<const X: usize>(x: Tensor<5>) -> Tensor<X> {
    let dims = x.dims();
    x.reshape(std::array::from_fn::<_, X, _>(|axis| if axis < 2 { dims[axis] } else { dims[axis + 5 - X] }))
}
