//! Every rule against a loop over scalars, on every form of layer.

use burn::tensor::{Device, Tensor};
use burn_hebbian::prelude::*;
use burn_hebbian_tests::{
    layers::{hebbian_conv, input, learn, linear, weight},
    oracle::{self, Layer},
    values::{assert_close, one_hot, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

/// f32 sums of a few hundred terms of order 1, divided by norms.
const TOLERANCE: f64 = 2e-5;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("rules::all_on_a_small_convolution", all_on_a_small_convolution);
    trials.push(on_flex("rules::all_on_every_convolution", all_on_every_convolution));
    trials.push(on_flex("rules::all_on_linear", all_on_linear));
    trials.push(on_flex("rules::exactly_k_winners", exactly_k_winners));
    trials.push(on_flex("rules::json_round_trip", json_round_trip));
    trials.push(on_flex("rules::autodiff_device_gives_the_same", autodiff_device_gives_the_same));
    trials
}

/// Presets and single stages, for layers with at least 3 neurons a group.
pub(crate) fn rules(neurons: usize) -> Vec<(&'static str, Rule)> {
    let plane = if neurons.is_multiple_of(2) { vec![2, neurons / 2] } else { vec![1, neurons] };
    let losers = Competition::KWinners { k: 2, losers: -0.1 };
    let scaling = Homeostasis::Scaling { target: 0.3, rate: 0.2 };
    vec![
        ("hebb", Rule::hebb()),
        ("hebb_sum", Rule::hebb().with_reduction(Reduction::Sum)),
        ("hebb_relu", Rule::hebb().with_activation(Activation::Relu)),
        ("oja", Rule::oja()),
        ("oja_weighted", Rule::oja().with_reduction(Reduction::Weighted)),
        ("instar", Rule::instar()),
        (
            "instar_signed_weighted",
            Rule::instar().with_recurrence(Recurrence::SignedInstar).with_reduction(Reduction::Weighted),
        ),
        ("instar_of_activity", Rule::instar().with_competition(Competition::Activity)),
        ("hard_wta", Rule::hard_wta()),
        ("hard_wta_projection", Rule::hard_wta().with_similarity(Similarity::Projection)),
        (
            "hard_wta_hebb",
            Rule::hard_wta().with_gate(Gate::Hebb).with_similarity(Similarity::RaisedCosine { power: 1.0 }),
        ),
        ("k_wta", Rule::k_wta(2)),
        ("losers", Rule::k_wta(2).with_competition(losers)),
        ("swta", Rule::swta()),
        ("swta_mean", Rule::swta().with_reduction(Reduction::Mean)),
        ("swta_cubed", Rule::swta().with_similarity(Similarity::RaisedCosine { power: 3.0 })),
        ("power_swta", Rule::swta().with_competition(Competition::PowerSoftmax { power: 0.05 })),
        ("gaussian_wta", Rule::hard_wta().with_similarity(Similarity::Gaussian { sigma: None })),
        ("gaussian_hebb", Rule::hebb().with_similarity(Similarity::Gaussian { sigma: Some(1.5) })),
        ("outstar", Rule::outstar()),
        ("outstar_relu", Rule::outstar().with_activation(Activation::Relu)),
        ("repu", Rule::oja().with_activation(Activation::Repu { power: 2.0 })),
        ("triangle", Rule::oja().with_activation(Activation::Triangle { power: 0.7 })),
        ("derivative_tanh", Rule::sanger().with_activation(Activation::Tanh).with_gate(Gate::Derivative)),
        (
            "derivative_repu",
            Rule::oja().with_activation(Activation::Repu { power: 1.5 }).with_gate(Gate::Derivative),
        ),
        (
            "derivative_score",
            Rule::oja().with_activation(Activation::Score { sub_gaussian: 0.5 }).with_gate(Gate::Derivative),
        ),
        (
            "difference",
            Rule::instar()
                .with_competition(Competition::Softmax { temperature: 1.0 })
                .with_gate(Gate::Difference),
        ),
        (
            "softmax_difference",
            Rule::k_wta(1).with_similarity(Similarity::Dot).with_gate(Gate::SoftmaxDifference),
        ),
        ("soft_hebb", Rule::soft_hebb(0.5)),
        ("soft_hebb_2022", Rule::soft_hebb(1.0).with_competition(Competition::Softmax { temperature: 1.0 })),
        ("krotov", Rule::krotov(3.0, 2, 0.4)),
        ("krotov_euclidean", Rule::krotov(2.0, 3, 0.2)),
        ("ica", Rule::ica(0.0)),
        ("ica_mixed", Rule::ica(0.5)),
        ("ica_hierarchical", ica(true, false, Recombination::Similarity)),
        ("ica_normalized", ica(false, true, Recombination::Similarity)),
        (
            "ica_recombined",
            ica(true, true, Recombination::Activity)
                .with_competition(Competition::None)
                .with_gate(Gate::Hebb),
        ),
        ("som", som(vec![neurons], Neighbourhood::Gaussian)),
        ("som_exponential", som(vec![neurons, 1], Neighbourhood::Exponential)),
        ("som_dog", som(plane.clone(), Neighbourhood::DifferenceOfGaussians)),
        ("som_doe", som([vec![1], plane].concat(), Neighbourhood::DifferenceOfExponentials)),
        ("subspace", Rule::subspace()),
        ("sanger", Rule::sanger()),
        ("hpca_relu", Rule::hpca(Activation::Relu)),
        ("hpca_tanh", Rule::hpca(Activation::Tanh)),
        ("hpca_weighted", Rule::hpca(Activation::Linear).with_reduction(Reduction::Weighted)),
        ("hpca_adaptive", Rule::hpca_adaptive()),
        ("ica_kurtosis", adaptive_ica(Criterion::Kurtosis)),
        ("ica_stability", adaptive_ica(Criterion::Stability)),
        (
            "adaptive_softmax",
            Rule::swta().with_competition(Competition::AdaptiveSoftmax { temperature: 0.5, momentum: 0.1 }),
        ),
        ("foldiak", Rule::foldiak(0.2)),
        ("abstention", Rule::abstaining_wta(3)),
        ("bcm", Rule::bcm()),
        ("surround_wta", Rule::surround_wta()),
        ("surround_oja", Rule::oja().with_surround(Surround::difference_of_gaussians())),
        ("homeostasis", Rule::oja().with_homeostasis(scaling)),
        ("homeostasis_weighted", Rule::k_wta(2).with_homeostasis(scaling)),
    ]
}

fn ica(hierarchical: bool, normalized: bool, recombination: Recombination) -> Rule {
    Rule::ica(0.0).with_recurrence(Recurrence::Ica { hierarchical, normalized, recombination })
}

fn adaptive_ica(criterion: Criterion) -> Rule {
    Rule::ica(0.0).with_activation(Activation::AdaptiveScore { criterion, momentum: 0.2 })
}

fn som(size: Vec<usize>, neighbourhood: Neighbourhood) -> Rule {
    Rule::hard_wta().with_lateral(Lateral::Map { size, neighbourhood, sigma: Some(1.5), tau: 20.0 })
}

/// Rules that need a teacher of the layer's 6 neurons or of 2 classes.
fn taught_rules() -> Vec<(&'static str, Rule, usize)> {
    let groups = |order| Teacher::ClassGroups { classes: 2, per_class: 2, order };
    vec![
        ("teacher", Rule::teacher(), 6),
        ("teacher_hebb", Rule::teacher().with_gate(Gate::Hebb), 6),
        ("groups_wta", Rule::hard_wta().with_teacher(groups(GroupOrder::ClassesFirst)), 2),
        ("groups_swta", Rule::swta().with_teacher(groups(GroupOrder::FreeFirst)), 2),
        (
            "groups_power",
            Rule::swta()
                .with_competition(Competition::PowerSoftmax { power: 0.1 })
                .with_teacher(groups(GroupOrder::FreeFirst)),
            2,
        ),
        ("groups_hpca", Rule::hpca(Activation::Relu).with_teacher(groups(GroupOrder::FreeFirst)), 2),
    ]
}

/// Dense, strided, padded (symmetric, asymmetric, reflect), dilated and grouped; all sizes differ.
pub(crate) fn layers() -> Vec<(&'static str, Layer)> {
    let dense = Layer::dense([4, 2, 7, 6], [6, 2, 3, 2]);
    let with = |change: fn(&mut Layer)| {
        let mut layer = dense.clone();
        change(&mut layer);
        layer
    };
    vec![
        ("dense", dense.clone()),
        ("strided", with(|layer| layer.stride = [2, 3])),
        ("padded", with(|layer| layer.padding = [1, 2, 1, 2])),
        ("asymmetric", with(|layer| layer.padding = [2, 0, 1, 1])),
        ("reflect", with(|layer| (layer.padding, layer.reflect) = ([1, 2, 2, 1], true))),
        ("dilated", with(|layer| layer.dilation = [2, 3])),
        ("grouped", with(|layer| (layer.input, layer.groups) = ([4, 4, 7, 6], 2))),
        (
            "everything",
            Layer {
                input: [3, 4, 9, 8],
                weight: [6, 2, 3, 2],
                stride: [2, 1],
                padding: [1, 0, 2, 1],
                reflect: false,
                dilation: [1, 2],
                groups: 2,
            },
        ),
    ]
}

fn check(name: &str, rule: &Rule, layer: &Layer, classes: Option<usize>, device: &Device) {
    let teacher = classes.map(|classes| one_hot(layer.input[0], classes, device));
    let labels = teacher
        .clone()
        .zip(classes)
        .map(|(teacher, classes)| vec(teacher).chunks(classes).map(<[f64]>::to_vec).collect::<Vec<_>>());
    let (x, w) = (input(layer, device), weight(layer, device));
    let expected = oracle::delta(rule, layer, &vec(x.clone()), &vec(w), labels.as_deref());
    let got = learn(&hebbian_conv(layer, rule, device), x, teacher);
    assert_close(name, &vec(got), &expected, TOLERANCE);
}

fn check_all(layer_name: &str, layer: &Layer, device: &Device) {
    for (name, rule) in rules(layer.weight[0] / layer.groups) {
        check(&format!("{name} on {layer_name}"), &rule, layer, None, device);
    }
    for (name, rule, classes) in taught_rules() {
        check(&format!("{name} on {layer_name}"), &rule, layer, Some(classes), device);
    }
}

fn all_on_a_small_convolution(device: &Device) {
    check_all("small", &Layer::dense([3, 2, 4, 3], [6, 2, 2, 2]), device);
}

fn all_on_every_convolution(device: &Device) {
    for (name, layer) in layers() {
        check_all(name, &layer, device);
    }
}

/// A linear layer is a 1×1 convolution of 1×1 images; its weight is transposed.
fn all_on_linear(device: &Device) {
    let layer = Layer::dense([5, 7, 1, 1], [6, 7, 1, 1]);
    let x = input(&layer, device);
    for (name, rule) in rules(6) {
        let expected = oracle::delta(&rule, &layer, &vec(x.clone()), &vec(weight(&layer, device)), None);
        let local = Local::new(linear(&layer, device)).with_rule(rule);
        let plan = Plan::new();
        // [n, d] as [2, …] would fold too; the leading dimensions are images.
        let folded: Tensor<3> = x.clone().reshape([5, 1, 7]);
        let (_, updates) = plan.observe(&local, Signals::none(), || local.forward(folded)).unwrap();
        let (_, grads) = plan.finish(local.clone(), updates.into_grads(&local)).unwrap();
        let delta = grads.get::<2>(local.layer().weight.id).unwrap().neg();
        assert_close(name, &vec(delta.transpose()), &expected, TOLERANCE);
    }
}

/// With a loser value of 0 and the gate z, the mass of a sum over neurons is k per patch, ties or not.
fn exactly_k_winners(device: &Device) {
    let layer = Layer::dense([3, 2, 4, 3], [6, 2, 2, 2]);
    for k in 1..=6 {
        let rule = Rule::k_wta(k).with_similarity(Similarity::Dot).with_reduction(Reduction::Sum);
        let conv = hebbian_conv(&layer, &rule, device);
        // x = 0: every score ties; Σ_k Δw_k = −Σ wins_k w_k, so wins can be read off the weights.
        let delta = learn(&conv, Tensor::zeros(layer.input, device), None);
        let (delta, w) = (vec(delta), vec(weight(&layer, device)));
        let wins: Vec<f64> = (0..6).map(|neuron| (-delta[neuron * 8] / w[neuron * 8]).round()).collect();
        let patches = 3.0 * 3.0 * 2.0;
        let expected: Vec<f64> = (0..6).map(|neuron| if neuron < k { patches } else { 0.0 }).collect();
        assert_eq!(wins, expected, "k = {k}");
    }
}

fn json_round_trip(_: &Device) {
    for (name, rule) in rules(6) {
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule, "{name}");
    }
    let partial: Rule = serde_json::from_str(r#"{"competition":{"softmax":{"temperature":0.5}}}"#).unwrap();
    assert_eq!(partial, Rule::hebb().with_competition(Competition::Softmax { temperature: 0.5 }));
    let layer = HebbianConv2dConfig::new([3, 8], [5, 3], Rule::swta()).with_stride([2, 1]);
    let layer = layer.with_output(Output::relu_cosine()).with_padding_mode(PaddingMode::Reflect);
    let json = serde_json::to_string(&layer).unwrap();
    let read: HebbianConv2dConfig = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    let short = r#"{"d_input":4,"d_output":3,"rule":{}}"#;
    let read: HebbianLinearConfig = serde_json::from_str(short).unwrap();
    assert_eq!((read.rule, read.output), (Rule::hebb(), Output::default()));
    let unknown = serde_json::from_str::<Rule>(r#"{"temprature":0.5}"#).unwrap_err();
    assert!(unknown.to_string().contains("temprature"), "{unknown}");
}

fn autodiff_device_gives_the_same(device: &Device) {
    let (_, layer) = &layers()[2];
    for (name, rule) in rules(6) {
        let plain = learn(&hebbian_conv(layer, &rule, device), input(layer, device), None);
        let autodiff = device.clone().autodiff();
        let traced = learn(&hebbian_conv(layer, &rule, &autodiff), input(layer, &autodiff), None);
        assert_eq!(vec(plain), vec(traced), "{name}");
    }
}
