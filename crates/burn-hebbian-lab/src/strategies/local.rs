//! The update as the library makes it.

use crate::prelude::*;
use burn::{nn::conv::Conv2d, optim::GradientsParams, tensor::Tensor};

/// Forward pass, update and `finish`, up to the gradient that the optimizer takes.
pub fn step(layer: &Local<Conv2d>, plan: &BoundPlan, x: Tensor<4>) -> (Tensor<4>, GradientsParams) {
    let observed = plan.observe(layer, Signals::none(), |layer| layer.forward(x));
    let (output, seen) = observed.expect("the rule fits");
    let (_, grads) = plan.finish(layer.clone(), seen.local_only()).expect("finite");
    (output, grads)
}

/// `ΔW` of a step, `[neurons, fan-in]`.
pub fn delta(layer: &Local<Conv2d>, plan: &BoundPlan, x: Tensor<4>) -> Tensor<2> {
    let (_, mut grads) = step(layer, plan, x);
    let weight = &layer.layer().weight;
    let [neurons, channels, height, width] = weight.lazy_shape().dims();
    let descent: Tensor<4> = grads.remove(weight.id).expect("the layer learned");
    descent.reshape([neurons, channels * height * width]).neg()
}
