//! The fused pass on the CPU: tiles over the borders of images, panels of neurons that are not full, several threads.
//!
//! That it gives what every other form gives on small layers of all geometries, with every rule, is among the
//! [forms](crate::forms); the golden vectors run on it too.

use burn::tensor::Device;
use burn_hebbian::{
    nn::forms::{CorrelationForm, Forms},
    prelude::*,
    rules::{Activation, Activity, Competition, Factors, Finish, Gate, PointwiseRule, Reduction, Similarity},
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input, weight},
    forms::with_forced,
    oracle::{self, Layer},
    values::{assert_close, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

/// Rounding is all that differs.
const TOLERANCE: f64 = 1e-5;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        on_flex("fused::equals_the_oracle", |device| equals_the_oracle(device, layers())),
        on_flex("fused::outputs_are_the_layers", outputs_are_the_layers),
        on_flex("fused::the_same_number_of_threads_gives_the_same_numbers", is_repeatable),
        on_flex("fused::is_what_large_layers_choose", is_what_large_layers_choose),
        on_flex("fused::gradients_pass", gradients_pass),
        on_flex("fused::a_rule_of_ones_own_may_be", own_rule),
    ];
    // where nothing is fused, what takes its place
    trials.extend(on_every_backend("fused::on_one_axis", |device| {
        let layer = Layer::dense([3, 4, 60], [34, 4, 5]).strided([2]).padded([(2, 2)]);
        equals_the_oracle(device, vec![("one axis", layer)]);
    }));
    trials
}

fn forced(correlation: CorrelationForm) -> Forms {
    Forms { correlation: Some(correlation), recurrence: None }
}

/// Layers of more positions than a tile has, more neurons than a panel, and sizes that fill neither.
///
/// Among thousands of patches there may be one whose winners are equal to the last digit; of these sizes there is none.
pub(crate) fn layers() -> Vec<(&'static str, Layer)> {
    vec![
        ("several tiles a thread", Layer::dense([30, 16, 12, 12], [40, 16, 3, 3])),
        ("a large image", Layer::dense([1, 2, 61, 47], [35, 2, 5, 3]).padded([(2, 2), (1, 1)])),
        ("strided", Layer::dense([9, 3, 21, 22], [40, 3, 3, 3]).strided([2, 3]).padded([(1, 1), (1, 1)])),
        ("dilated", Layer::dense([7, 4, 17, 15], [33, 4, 3, 2]).dilated([2, 3])),
        ("groups", Layer::dense([11, 6, 13, 12], [70, 3, 3, 3]).grouped(2)),
        ("one tap", Layer::dense([5, 20, 15, 15], [64, 20, 1, 1])),
        ("one axis", Layer::dense([6, 5, 390], [34, 5, 7]).strided([2]).padded([(3, 3)])),
        ("three axes", Layer::dense([3, 2, 9, 8, 10], [36, 2, 2, 3, 2]).padded([(1, 1), (0, 0), (2, 2)])),
        ("few large neurons", Layer::dense([2, 150, 9, 9], [33, 150, 3, 3]).padded([(1, 1), (1, 1)])),
    ]
}

/// Rules that can be fused: every stage that a tile knows.
pub(crate) fn rules() -> Vec<(&'static str, Rule)> {
    let losers = Competition::KWinners { k: 3, losers: -0.1 };
    vec![
        ("hebb", Rule::hebb()),
        ("oja", Rule::oja()),
        ("instar of rectified activity", Rule::instar().with_activation(Activation::Relu)),
        ("subspace", Rule::subspace()),
        ("hpca", Rule::hpca(Activation::Relu)),
        ("swta", Rule::swta()),
        ("hard wta", Rule::hard_wta()),
        ("losers", Rule::hard_wta().with_competition(losers).with_similarity(Similarity::Cosine)),
        ("soft hebb", Rule::soft_hebb(0.5)),
        ("weighted oja", Rule::oja().with_reduction(Reduction::Weighted)),
        ("difference", Rule::swta().with_gate(Gate::Difference).with_similarity(Similarity::Projection)),
    ]
}

/// Sums over thousands of patches against loops over scalars in `f64`.
pub(crate) fn equals_the_oracle(device: &Device, layers: Vec<(&str, Layer)>) {
    for (layer_name, layer) in layers {
        let (x, w) = (vec(input(&layer, device)), vec(weight(&layer, device)));
        for (rule_name, rule) in rules() {
            let expected = oracle::delta(&rule, &layer, &x, &w, None);
            let fused = with_forced(forced(CorrelationForm::Fused), || {
                vec(AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(input(&layer, device), None))
            });
            assert_close(&format!("{rule_name}, {layer_name}"), &fused, &expected, TOLERANCE);
        }
    }
}

fn outputs_are_the_layers(device: &Device) {
    for (name, layer) in layers() {
        let [observed, alone] = with_forced(forced(CorrelationForm::Fused), || {
            let local = AnyLayer::new(&layer, device).with_rule(Rule::hebb());
            let (local, plan) = Plan::new().bind(local).expect("the rule fits");
            let x = input(&layer, device);
            let pass = plan.observe(&local, Signals::none(), |local| local.forward(x.clone()));
            [pass.expect("it learns").0, local.forward(x)].map(vec)
        });
        let expected = vec(AnyLayer::new(&layer, device).plain_forward(input(&layer, device)));
        assert_close(name, &observed, &expected, TOLERANCE);
        assert_close(name, &alone, &expected, TOLERANCE);
    }
}

fn is_repeatable(device: &Device) {
    let (_, layer) = layers().swap_remove(0);
    let learn = || {
        with_forced(forced(CorrelationForm::Fused), || {
            vec(AnyLayer::new(&layer, device).with_rule(Rule::swta()).learn(input(&layer, device), None))
        })
    };
    let first = learn();
    for _ in 0..5 {
        assert_eq!(learn(), first);
    }
}

/// Sums in another order differ in their last digits: equal digits tell which form was taken.
fn is_what_large_layers_choose(device: &Device) {
    let learn = |layer: &Layer, forms| {
        with_forced(forms, || {
            vec(AnyLayer::new(layer, device).with_rule(Rule::swta()).learn(input(layer, device), None))
        })
    };
    let large = Layer::dense([61, 3, 8, 9], [37, 3, 3, 3]);
    // more weights a neuron than patches
    let few_patches = Layer::dense([2, 30, 4, 4], [37, 30, 3, 3]);
    for layer in [large, few_patches] {
        assert_eq!(learn(&layer, Forms::default()), learn(&layer, forced(CorrelationForm::Fused)));
        assert_ne!(learn(&layer, Forms::default()), learn(&layer, forced(CorrelationForm::Images)));
    }
    let small = Layer::dense([1, 30, 4, 5], [37, 30, 3, 3]);
    assert_ne!(learn(&small, Forms::default()), learn(&small, forced(CorrelationForm::Fused)));
}

/// A rule of the user's that says it is pointwise.
#[derive(Debug)]
struct Own {
    rule: Rule,
    says_so: bool,
}

impl LocalRule for Own {
    fn factors(&self, activity: &Activity) -> Factors {
        self.rule.factors(activity)
    }

    fn finish(&self) -> Finish {
        self.rule.finish()
    }

    fn pointwise(&self) -> Option<PointwiseRule> {
        self.rule.pointwise().filter(|_| self.says_so)
    }
}

fn own_rule(device: &Device) {
    let (_, layer) = layers().swap_remove(0);
    for (name, rule) in rules() {
        let learn = |rule: &dyn Fn() -> Own| {
            let local = AnyLayer::new(&layer, device).with_rule(rule());
            vec(local.learn(input(&layer, device), None))
        };
        let preset =
            vec(AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(input(&layer, device), None));
        let own = |says_so| learn(&|| Own { rule: rule.clone(), says_so });
        assert_eq!(own(true), preset, "{name}");
        assert_ne!(own(false), preset, "{name}: sums in another order");
        assert_close(name, &own(false), &preset, TOLERANCE);
    }
}

/// The gradient of the input, through a layer that passes it on.
fn gradients_pass(device: &Device) {
    let device = device.clone().autodiff();
    let (_, layer) = layers().swap_remove(1);
    let plan = Plan::new().local(".*", LocalTraining::new(Rule::swta()).passing_gradients());
    let gradient = |correlation| {
        with_forced(forced(correlation), || {
            let (local, plan) = plan.bind(AnyLayer::new(&layer, &device)).expect("the rule fits");
            let x = input(&layer, &device).require_grad();
            let pass = plan.observe(&local, Signals::none(), |local| local.forward(x.clone()));
            let (y, _) = pass.expect("it learns");
            vec(x.grad(&(y.clone() * y).sum().backward()).expect("gradients pass"))
        })
    };
    let (fused, expected) = (gradient(CorrelationForm::Fused), gradient(CorrelationForm::Images));
    assert_close("∂/∂x", &fused, &expected, TOLERANCE);
}
