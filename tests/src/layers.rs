//! The oracle's two-dimensional layers as layers of the library.

use burn::{
    module::Param,
    nn::{Linear, LinearConfig, conv::Conv2d},
    tensor::{Device, Tensor},
};
use burn_hebbian::{nn::PaddingMode, prelude::*};

use crate::{
    any_layer::{self, flat},
    forms,
    oracle::Layer,
};

/// The input of a layer.
pub fn input(layer: &Layer, device: &Device) -> Tensor<4> {
    flat(any_layer::input(layer, device))
}

/// The weight of a layer.
pub fn weight(layer: &Layer, device: &Device) -> Tensor<4> {
    flat(any_layer::weight(layer, device))
}

/// The plain convolution.
pub fn conv(layer: &Layer, device: &Device) -> Conv2d {
    any_layer::conv2d(layer, any_layer::weight(layer, device), device).into_inner()
}

/// The convolution as a Hebbian layer.
pub fn hebbian_conv(layer: &Layer, rule: &Rule, device: &Device) -> HebbianConv2d {
    let mode = if layer.reflect { PaddingMode::Reflect } else { PaddingMode::Zeros };
    let conv = Local::new(conv(layer, device)).with_forms(forms::forced());
    conv.with_rule(rule.clone()).with_padding_mode(mode)
}

/// A plain linear layer with the weight of a 1×1 convolution.
pub fn linear(layer: &Layer, device: &Device) -> Linear {
    let [neurons, channels, ..] = layer.weight;
    let mut linear = LinearConfig::new(channels, neurons).with_bias(false).init(device);
    let weight: Tensor<2> = weight(layer, device).reshape([neurons, channels]);
    linear.weight = Param::from_tensor(weight.transpose());
    linear
}

/// `ΔW` (ascent) that a Hebbian convolution learns from one batch.
///
/// # Panics
///
/// If the plan or the update is refused.
pub fn learn(conv: &HebbianConv2d, x: Tensor<4>, teacher: Option<Tensor<2>>) -> Tensor<4> {
    let signals = teacher.map_or_else(Signals::none, |teacher| Signals::none().with_teacher(teacher));
    let (bound, plan) = Plan::new().bind(conv.clone()).expect("the plan fits");
    let (_, seen) = plan.observe(&bound, signals, |conv| conv.forward(x)).expect("the layer learns");
    let (_, grads) = plan.finish(bound, seen.local_only()).expect("the update is finite");
    grads.get::<4>(conv.layer().weight.id).expect("the layer learned").neg()
}
