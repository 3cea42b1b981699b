//! What every rule keeps to on every geometry; groups, padding and dilation are in `geometry`, backends in `rules`.

use burn::tensor::{Device, Int, Tensor};
use burn_hebbian::{
    prelude::*,
    rules::{Competition, Gate, Homeostasis, Recurrence},
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input},
    oracle::Layer,
    values::{assert_close, vec},
};
use libtest_mimic::Trial;

use crate::{
    on_every_backend, on_flex,
    rules::{layers, rules},
};

/// The order of summation is all that differs.
const TOLERANCE: f64 = 1e-6;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        on_flex("contract::the_order_of_images_does_not_matter", order_of_images),
        on_flex("contract::plain_and_autodiff_learn_the_same", plain_and_autodiff),
        on_flex("contract::hostile_input_on_every_layer", hostile_input_on_every_layer),
    ];
    trials.extend(on_every_backend("contract::hostile_input", |device| {
        hostile_input("small", &Layer::dense([3, 2, 4, 3], [6, 2, 2, 2]), device);
    }));
    trials
}

fn each_rule(layer: &Layer) -> Vec<(&'static str, Rule)> {
    rules(layer.neurons_per_group())
}

/// Of one-phase rules; the statistics of two-phase rules are sums too, but are used before they are rounded alike.
fn order_of_images(device: &Device) {
    order_of_images_to(TOLERANCE, device);
}

/// Forms that a layer does not choose may sum in blocks of another length.
pub(crate) fn order_of_images_in_a_form(device: &Device) {
    order_of_images_to(2.0 * TOLERANCE, device);
}

fn order_of_images_to(tolerance: f64, device: &Device) {
    for (layer_name, layer) in layers() {
        let x = input(&layer, device);
        let order: Vec<i64> = (0..layer.input[0] as i64).rev().collect();
        let order = Tensor::<1, Int>::from_data(order.as_slice(), device);
        for (name, rule) in each_rule(&layer).into_iter().filter(|(_, rule)| rule.adds_up()) {
            let learn = |x| AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(x, None);
            let (straight, reversed) = (learn(x.clone()), learn(x.clone().select(0, order.clone())));
            assert_eq!(straight.dims(), layer.weight, "{name} on {layer_name}");
            assert_close(&format!("{name} on {layer_name}"), &vec(reversed), &vec(straight), tolerance);
        }
    }
}

/// To the last bit.
fn plain_and_autodiff(device: &Device) {
    let autodiff = device.clone().autodiff();
    for (layer_name, layer) in layers() {
        for (name, rule) in each_rule(&layer) {
            let learn = |device: &Device| {
                vec(AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(input(&layer, device), None))
            };
            assert_eq!(learn(device), learn(&autodiff), "{name} on {layer_name}");
        }
    }
}

pub(crate) fn hostile_input_on_every_layer(device: &Device) {
    layers().into_iter().for_each(|(name, layer)| hostile_input(name, &layer, device));
}

/// Zeros, constants and denormals give finite updates. So do values of 1e30 where the coefficients are bounded; where
/// the update overflows, it is refused by the name of the layer.
fn hostile_input(layer_name: &str, layer: &Layer, device: &Device) {
    for (name, rule) in each_rule(layer) {
        let local = AnyLayer::new(layer, device).with_rule(rule.clone());
        for value in [0.0, 0.7, -1e-40, 1e-30, 1e30] {
            let what = format!("{name} on {layer_name}, input {value}");
            match local.try_learn(Tensor::full(layer.input, value, device), Signals::none()) {
                Ok((delta, _)) => {
                    let delta = vec(delta);
                    assert!(delta.iter().all(|value| value.is_finite()), "{what}: {delta:?}");
                }
                Err(error) => {
                    assert!(value == 1e30 && !is_bounded(&rule), "{what}: {error}");
                    assert!(error.to_string().contains("update of `"), "{what}: {error}");
                }
            }
        }
    }
}

/// Whether coefficients stay in −1..1 whatever the input, and nothing else grows with it.
fn is_bounded(rule: &Rule) -> bool {
    let competes = !matches!(rule.competition, Competition::None | Competition::Activity);
    let decays_by_coefficients =
        matches!(rule.recurrence, Recurrence::None | Recurrence::Instar | Recurrence::SignedInstar);
    competes
        && decays_by_coefficients
        && rule.gate == Gate::Competition
        && rule.homeostasis == Homeostasis::None
        && !matches!(rule.competition, Competition::AdaptiveSoftmax { .. })
}
