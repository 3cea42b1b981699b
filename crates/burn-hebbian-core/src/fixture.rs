//! Layers of noise, for the tests of this crate.

use alloc::{vec, vec::Vec};

use burn::tensor::{Device, Tensor, TensorData};

use crate::{DenseView, LayerView, LocalRule, Rule, Signals, stages::mix};

/// What a step made; nothing where there is none.
pub(crate) struct Step {
    /// `ΔW` (ascent), row by row.
    pub(crate) delta: Vec<f32>,
    pub(crate) state: Vec<f32>,
    /// `Δb` (ascent).
    pub(crate) bias: Vec<f32>,
}

pub(crate) fn tensor<const D: usize>(values: &[f32], dims: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &Device::flex())
}

pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// Independent numbers, uniform in −1..1, in rows of four.
pub(crate) fn noise(seed: u64, rows: usize) -> Tensor<2> {
    let number = |i: usize| (mix(seed, i as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let numbers: Vec<_> = (0..rows * 4).map(number).collect();
    tensor(&numbers, [rows, 4])
}

/// Noise into `neurons` neurons of four inputs.
pub(crate) fn noisy(seed: u64, rows: usize, neurons: usize) -> DenseView {
    DenseView::new(noise(99, neurons), noise(seed, rows))
}

/// Blank rows into the same.
pub(crate) fn blank(rows: usize, neurons: usize) -> DenseView {
    DenseView::new(noise(99, neurons), noise(0, rows).zeros_like())
}

/// The state that a rule starts with.
pub(crate) fn start(rule: &Rule, neurons: usize) -> Vec<f32> {
    rule.initial_state(&noisy(0, 1, neurons).layout()).unwrap_or_default()
}

/// One step of a rule, from a bias of 0; a teacher lets every neuron learn.
pub(crate) fn learn(layer: &DenseView, rule: &Rule, state: &[f32]) -> Step {
    learn_from(layer, rule, state, &vec![0.0; layer.layout().neurons])
}

/// As [`learn`], from another bias.
pub(crate) fn learn_from(layer: &DenseView, rule: &Rule, state: &[f32], bias: &[f32]) -> Step {
    let layer = layer.clone().with_state(tensor(state, [state.len()])).with_bias(tensor(bias, [bias.len()]));
    let teacher = Tensor::ones([1, bias.len()], &Device::flex());
    let step = layer.step(rule, Signals::none().with_teacher(teacher)).unwrap();
    let of = |values: Option<Tensor<1>>| values.map(numbers).unwrap_or_default();
    Step { delta: numbers(step.weight), state: of(step.state), bias: of(step.bias) }
}
