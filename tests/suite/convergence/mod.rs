//! Where the rules converge to.

mod clusters;
mod components;
mod norms;
mod selectivity;
mod sources;
mod supervised;

use burn::{module::Param, nn::LinearConfig, optim::SgdConfig, tensor::Tensor};
use burn_hebbian::prelude::*;
use burn_hebbian_tests::values::vec;
use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = components::trials();
    trials.extend(clusters::trials());
    trials.extend(norms::trials());
    trials.extend(selectivity::trials());
    trials.extend(sources::trials());
    trials.extend(supervised::trials());
    trials
}

/// A linear layer with these weights, `[d_input, neurons]`.
fn linear(weight: Tensor<2>, rule: impl LocalRule + 'static) -> HebbianLinear {
    let [inputs, neurons] = weight.dims();
    let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(&weight.device());
    linear.weight = Param::from_tensor(weight);
    Local::new(linear).with_rule(rule)
}

/// The weight vectors of a linear layer.
fn weights(layer: &HebbianLinear) -> Vec<Vec<f64>> {
    let weight = layer.layer().weight.val();
    let inputs = weight.dims()[0];
    vec(weight.transpose()).chunks(inputs).map(<[f64]>::to_vec).collect()
}

/// The layer after `steps` steps of plain SGD on what `x` gives at each.
fn train_layer(
    layer: HebbianLinear,
    rate: impl Fn(usize) -> f64,
    steps: usize,
    x: impl Fn(usize) -> Tensor<2>,
) -> HebbianLinear {
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    for step in 0..steps {
        let x = x(step);
        let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x)).unwrap();
        layer = optim.step(rate(step), layer, seen.local_only()).unwrap();
    }
    layer
}

/// The weight vectors after training.
fn train(
    weight: Tensor<2>,
    rule: Rule,
    rate: impl Fn(usize) -> f64,
    steps: usize,
    x: impl Fn(usize) -> Tensor<2>,
) -> Vec<Vec<f64>> {
    weights(&train_layer(linear(weight, rule), rate, steps, x))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
