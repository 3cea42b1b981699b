//! Every form in which a sum can be evaluated gives the same sum, and what is chosen is one of them.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::{
        forms::{CorrelationForm, Forms, RecurrenceForm},
        internals::recurrence_product,
    },
    prelude::*,
    rules::{MatrixRecurrence, RecurrenceMask, WeightLayout},
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input},
    forms::{all, with_forced},
    oracle::Layer,
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{
    contract, geometry, on_flex,
    rules::{layers, rules},
};

/// The order of summation is all that differs.
const TOLERANCE: f64 = 1e-5;

type Body = fn(&Device);

/// Suites that every form has to pass.
const SUITES: [(&str, Body); 6] = [
    ("geometry::correlation_on_every_layer", geometry::correlation_on_every_layer),
    ("geometry::rules_on_small_layers", geometry::rules_on_small_layers),
    ("geometry::depthwise_neurons_alone", geometry::depthwise_neurons_alone),
    ("geometry::groups_are_separate_layers", geometry::groups_are_separate_layers),
    ("contract::order_of_images", contract::order_of_images_in_a_form),
    ("contract::hostile_input_on_every_layer", contract::hostile_input_on_every_layer),
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        on_flex("forms::the_chosen_form_learns_the_same", the_chosen_form_learns_the_same),
        on_flex("forms::patches_of_many_images", patches_of_many_images),
        on_flex("forms::recurrence_over_many_neurons", recurrence_over_many_neurons),
        on_flex("forms::few_patches_are_accumulated", few_patches_are_accumulated),
        on_flex("forms::survive_a_mapping", survive_a_mapping),
    ];
    for (name, forms) in all() {
        trials.extend(SUITES.map(|(suite, body)| {
            on_flex_with(&format!("forms::{name}::{suite}"), move |device| {
                with_forced(forms, || body(device))
            })
        }));
    }
    trials
}

fn on_flex_with(name: &str, body: impl FnOnce(&Device) + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body(&Device::flex());
        Ok(())
    })
}

/// Each form against the one that the layer chooses.
fn the_chosen_form_learns_the_same(device: &Device) {
    for (layer_name, layer) in layers() {
        for (rule_name, rule) in rules(layer.neurons_per_group()) {
            let learn =
                || AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(input(&layer, device), None);
            let chosen = vec(learn());
            for (form, forms) in all() {
                let what = format!("{rule_name} on {layer_name}, {form}");
                assert_close(&what, &vec(with_forced(forms, learn)), &chosen, TOLERANCE);
            }
        }
    }
}

/// More patches than are laid out at a time, the last images fewer.
fn patches_of_many_images(device: &Device) {
    let layer = Layer::dense([5, 12, 30, 31], [3, 12, 5, 5]);
    let learn = || AnyLayer::new(&layer, device).with_rule(Rule::hebb()).learn(input(&layer, device), None);
    let forced = |correlation| {
        let forms = Forms { correlation: Some(correlation), recurrence: None };
        vec(with_forced(forms, learn))
    };
    let expected = forced(CorrelationForm::Gradient);
    for form in CorrelationForm::ALL {
        assert_close(&format!("{form:?}"), &forced(form), &expected, TOLERANCE);
    }
}

/// More neurons than the blockwise forms take at a time, the last block smaller, on every kind of layout.
fn recurrence_over_many_neurons(device: &Device) {
    let convolution = WeightLayout { groups: 2, before: 1, neurons: 300, after: 7 };
    let transposed = WeightLayout { groups: 2, before: 3, neurons: 140, after: 4 };
    let linear = WeightLayout { groups: 1, before: 11, neurons: 257, after: 1 };
    for layout in [convolution, transposed, linear] {
        let weight: Tensor<4> = tensor(1, layout.dims(), device);
        let factor = |seed| tensor::<4>(seed, [3, layout.groups, layout.neurons, 5], device);
        for mask in [RecurrenceMask::Full, RecurrenceMask::LowerTriangle] {
            let matrix = MatrixRecurrence { left: factor(2), right: factor(3), mask };
            let expected = vec(mixed(&layout, weight.clone(), &matrix));
            for form in RecurrenceForm::ALL.map(Some).into_iter().chain([None]) {
                let got = recurrence_product(&layout, weight.clone(), matrix.clone(), form);
                assert_eq!(got.dims(), layout.dims());
                assert_close(&format!("{form:?}, {mask:?}, {layout:?}"), &vec(got), &expected, TOLERANCE);
            }
        }
    }
}

/// `K · W` without any product of matrices.
fn mixed(layout: &WeightLayout, weight: Tensor<4>, matrix: &MatrixRecurrence) -> Tensor<4> {
    let [n, groups, neurons, positions] = matrix.left.dims();
    let factor =
        |factor: &Tensor<4>| factor.clone().permute([1, 2, 0, 3]).reshape([groups, neurons, n * positions]);
    let (left, right) = (factor(&matrix.left), factor(&matrix.right));
    let mixed = (0..neurons).map(|k| {
        let k_j = (left.clone().narrow(1, k, 1) * right.clone()).sum_dim(2); // [g, neurons, 1]
        let seen = if matrix.mask == RecurrenceMask::Full { neurons } else { k + 1 };
        let k_j = k_j.narrow(1, 0, seen).reshape([groups, 1, seen, 1]);
        (weight.clone().narrow(2, 0, seen) * k_j).sum_dim(2)
    });
    Tensor::cat(mixed.collect(), 2).reshape(layout.dims())
}

/// The Gram matrix of 4096 neurons is not made for 64 patches.
fn few_patches_are_accumulated(device: &Device) {
    let linear = |neurons| WeightLayout { groups: 1, before: 1024, neurons, after: 1 };
    let cheapest = |neurons, patches, mask| {
        let factor = || Tensor::zeros([patches, 1, neurons, 1], device);
        RecurrenceForm::cheapest(
            &linear(neurons),
            &MatrixRecurrence { left: factor(), right: factor(), mask },
        )
    };
    let (full, triangle) = (RecurrenceMask::Full, RecurrenceMask::LowerTriangle);
    assert_eq!(cheapest(4096, 64, triangle), RecurrenceForm::Accumulated);
    assert_eq!(cheapest(4096, 64, full), RecurrenceForm::Accumulated);
    assert_eq!(cheapest(256, 4096, triangle), RecurrenceForm::Triangle);
    assert_eq!(cheapest(256, 4096, full), RecurrenceForm::Gram);
    assert_eq!(cheapest(16, 64, triangle), RecurrenceForm::Gram);
}

/// A layer keeps its forms through what optimizers do to modules.
fn survive_a_mapping(device: &Device) {
    let forms = Forms { correlation: Some(CorrelationForm::Views), recurrence: None };
    let layer = HebbianConv2dConfig::new([2, 3], [3, 3], Rule::hebb()).init(device).with_forms(forms);
    assert_eq!(layer.clone().no_grad().correlation_form([1, 2, 5, 5]), CorrelationForm::Views);
    assert_eq!(layer.valid().correlation_form([1, 2, 5, 5]), CorrelationForm::Views);
}
