//! What this library does where the reference does what nobody would want.

use burn::tensor::{Device, Tensor, TensorData};
use burn_hebbian::{
    prelude::*,
    rules::{GroupOrder, Similarity, Teacher},
};
use burn_hebbian_tests::{
    layers::{conv, learn},
    oracle::Layer,
    values::{one_hot, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("deviations::ties_have_one_winner", ties_have_one_winner);
    trials.push(on_flex("deviations::masked_neurons_never_win", masked_neurons_never_win));
    trials.push(on_flex("deviations::too_wide_a_teacher_is_refused", too_wide_a_teacher_is_refused));
    trials
}

/// Equal weights tie on every patch: the lower neuron wins them all (reference: both).
fn ties_have_one_winner(device: &Device) {
    let layer = Layer::dense([2, 1, 2, 2], [3, 1, 1, 1]);
    let rule = Rule::hard_wta().with_similarity(Similarity::Dot);
    let mut conv = conv(&layer, device);
    let equal = TensorData::new(vec![-1.0_f32, 0.5, 0.5], [3, 1, 1, 1]);
    conv.weight = burn::module::Param::from_tensor(Tensor::from_data(equal, device));
    let delta = learn(&Local::new(conv).with_rule(rule), Tensor::ones([2, 1, 2, 2], device), None);
    assert_eq!(vec(delta), [0.0, 0.5, 0.0]);
}

/// All allowed scores negative: the best allowed neuron wins (reference: a masked neuron of score 0 wins, and
/// nobody learns).
fn masked_neurons_never_win(device: &Device) {
    let layer = Layer::dense([1, 1, 1, 1], [4, 1, 1, 1]);
    let groups = Teacher::ClassGroups { classes: 2, per_class: 2, order: GroupOrder::ClassesFirst };
    let rule = Rule::hard_wta().with_similarity(Similarity::Dot).with_teacher(groups);
    let mut conv = conv(&layer, device);
    let weights = TensorData::new(vec![-2.0_f32, -1.0, 3.0, 4.0], [4, 1, 1, 1]);
    conv.weight = burn::module::Param::from_tensor(Tensor::from_data(weights, device));
    let teacher = one_hot(1, 2, device);
    let delta = learn(&Local::new(conv).with_rule(rule), Tensor::ones([1; 4], device), Some(teacher));
    assert_eq!(vec(delta), [0.0, 2.0, 0.0, 0.0]);
}

/// Three classes of four neurons do not fit into ten (reference: plain hard WTA without a word).
fn too_wide_a_teacher_is_refused(device: &Device) {
    let layer = Layer::dense([4, 1, 2, 2], [10, 1, 1, 1]);
    let groups = Teacher::ClassGroups { classes: 3, per_class: 4, order: GroupOrder::FreeFirst };
    let plan = Plan::new().local(".*", Rule::hard_wta().with_teacher(groups));
    let error = plan.bind(Local::new(conv(&layer, device))).unwrap_err().to_string();
    assert!(error.contains("3 classes of 4 neurons need 12 neurons, the layer has 10"), "{error}");
}
