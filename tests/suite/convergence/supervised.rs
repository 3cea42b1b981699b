//! Class means, and what an input predicts.

use burn::{
    optim::SgdConfig,
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{
    prelude::*,
    rules::{Gate, Teacher},
};
use burn_hebbian_tests::values::{assert_close, tensor, vec};
use libtest_mimic::Trial;

use super::linear;
use crate::on_flex;

const INPUTS: usize = 8;
const LABELS: [usize; 5] = [0, 2, 2, 0, 2];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("convergence::teacher_finds_class_means", teacher),
        on_flex("convergence::outstar_finds_class_shares_of_inputs", outstar),
    ]
}

fn one_hot(device: &Device) -> Tensor<2> {
    let values: Vec<f32> =
        LABELS.iter().flat_map(|label| (0..3).map(move |class| f32::from(class == *label))).collect();
    Tensor::from_data(TensorData::new(values, [5, 3]), device)
}

/// The weights `[classes][inputs]` after steps with labels.
fn taught(rule: Rule, x: &Tensor<2>, weight: Tensor<2>, rate: f64, steps: usize) -> Vec<f64> {
    let (mut layer, mut optim) = Plan::new().init(linear(weight, rule), SgdConfig::new()).unwrap();
    for _ in 0..steps {
        let signals = Signals::none().with_teacher(one_hot(&x.device()));
        let (_, seen) = optim.observe(&layer, signals, |layer| layer.forward(x.clone())).unwrap();
        layer = optim.step(rate, layer, seen.local_only()).unwrap();
    }
    vec(layer.layer().weight.val().transpose())
}

/// With rate 1 one step reaches the class means; an absent class stays where it was.
fn teacher(device: &Device) {
    let x: Tensor<2> = tensor(9, [5, INPUTS], device);
    let weight: Tensor<2> = tensor(8, [INPUTS, 3], device);
    let before = vec(weight.clone().transpose());
    let after = taught(Rule::teacher(), &x, weight, 1.0, 1);
    let x = vec(x);
    for class in 0..3 {
        let members: Vec<usize> = (0..5).filter(|image| LABELS[*image] == class).collect();
        let mean = |f: usize| members.iter().map(|i| x[i * INPUTS + f]).sum::<f64>() / members.len() as f64;
        let expected: Vec<f64> = (0..INPUTS)
            .map(|f| if members.is_empty() { before[class * INPUTS + f] } else { mean(f) })
            .collect();
        assert_close("class mean", &after[class * INPUTS..(class + 1) * INPUTS], &expected, 1e-6);
    }
}

/// With the teacher as output, `w_kj` converges to `Σ x_j t_k / Σ x_j`: the share of input `j` that class `k` has.
fn outstar(device: &Device) {
    let x: Tensor<2> = tensor::<2>(10, [5, INPUTS], device).abs();
    let rule = Rule::outstar().with_teacher(Teacher::PerNeuron).with_gate(Gate::Competition);
    let after = taught(rule, &x, tensor(11, [INPUTS, 3], device), 0.5, 200);
    let x = vec(x);
    let share = |class: usize, f: usize| {
        let all: f64 = (0..5).map(|image| x[image * INPUTS + f]).sum();
        let own = (0..5).filter(|image| LABELS[*image] == class).map(|image| x[image * INPUTS + f]);
        own.sum::<f64>() / all
    };
    let expected: Vec<f64> =
        (0..3).flat_map(|class| (0..INPUTS).map(move |f| (class, f))).map(|(k, f)| share(k, f)).collect();
    assert_close("share", &after, &expected, 1e-4);
}
