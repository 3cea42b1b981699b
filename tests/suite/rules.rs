//! Every rule against a loop over scalars, on every form of layer.

use burn::tensor::{Device, Tensor};
use burn_hebbian::{
    nn::{Output, PaddingMode},
    prelude::*,
    rules::{
        Activation, Competition, Criterion, Gate, GroupOrder, Homeostasis, Lateral, Neighborhood,
        Recombination, Recurrence, Reduction, Similarity, Surround, Teacher,
    },
};
use burn_hebbian_tests::{
    any_layer::{self, AnyLayer},
    layers::{hebbian_conv, input, learn, linear, weight},
    oracle::{self, Layer},
    values::{assert_close, one_hot, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

/// f32 sums of a few hundred terms of order 1, divided by norms.
const TOLERANCE: f64 = 2e-5;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("rules::all_on_a_small_convolution", all_on_a_small_convolution);
    trials.push(on_flex("rules::all_on_every_convolution", all_on_every_convolution));
    trials.push(on_flex("rules::all_on_linear", all_on_linear));
    trials.push(on_flex("rules::soft_targets", soft_targets));
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
        ("hard_sigmoid", Rule::oja().with_activation(Activation::HardSigmoid { slope: 0.5 })),
        ("sigmoid", Rule::oja().with_activation(Activation::Sigmoid { slope: 4.0, threshold: 0.5 })),
        (
            "derivative_sigmoid",
            Rule::oja()
                .with_activation(Activation::Sigmoid { slope: 1.0, threshold: 0.0 })
                .with_gate(Gate::Derivative),
        ),
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
        ("som", som(vec![neurons], Neighborhood::Gaussian)),
        ("som_exponential", som(vec![neurons, 1], Neighborhood::Exponential)),
        ("som_dog", som(plane.clone(), Neighborhood::DifferenceOfGaussians)),
        ("som_doe", som([vec![1], plane].concat(), Neighborhood::DifferenceOfExponentials)),
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

fn som(size: Vec<usize>, neighborhood: Neighborhood) -> Rule {
    Rule::hard_wta().with_lateral(Lateral::Map { size, neighborhood, sigma: Some(1.5), tau: 20.0 })
}

/// Rules that need a teacher of the layer's neurons or of 2 classes.
fn taught_rules(neurons: usize) -> Vec<(&'static str, Rule, usize)> {
    let groups = |order| Teacher::ClassGroups { classes: 2, per_class: 2, order };
    vec![
        ("teacher", Rule::teacher(), neurons),
        ("teacher_hebb", Rule::teacher().with_gate(Gate::Hebb), neurons),
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

/// Every geometry, plain and with everything at once; all sizes differ, and every group has at least 3
/// neurons.
pub(crate) fn layers() -> Vec<(&'static str, Layer)> {
    [one_axis(), two_axes(), three_axes(), transposed()].concat()
}

fn one_axis() -> Vec<(&'static str, Layer)> {
    vec![
        ("conv1d", Layer::dense([4, 2, 9], [6, 2, 3])),
        ("conv1d_reflect", Layer::dense([4, 2, 9], [6, 2, 4]).reflecting([(3, 2)])),
        (
            "conv1d_everything",
            Layer::dense([3, 4, 11], [6, 2, 3]).strided([2]).padded([(1, 3)]).dilated([2]).grouped(2),
        ),
        ("conv1d_depthwise", Layer::dense([5, 2, 8], [6, 1, 3]).padded([(2, 2)]).strided([2]).grouped(2)),
    ]
}

/// Dense, strided, padded (symmetric, asymmetric, reflect), dilated and grouped.
fn two_axes() -> Vec<(&'static str, Layer)> {
    let dense = || Layer::dense([4, 2, 7, 6], [6, 2, 3, 2]);
    vec![
        ("dense", dense()),
        ("strided", dense().strided([2, 3])),
        ("padded", dense().padded([(1, 1), (2, 2)])),
        ("asymmetric", dense().padded([(2, 1), (0, 1)])),
        ("reflect", dense().reflecting([(1, 2), (2, 1)])),
        ("dilated", dense().dilated([2, 3])),
        ("grouped", Layer::dense([4, 4, 7, 6], [6, 2, 3, 2]).grouped(2)),
        ("many_groups", Layer::dense([2, 6, 4, 5], [12, 2, 2, 3]).padded([(1, 1), (0, 0)]).grouped(3)),
        ("depthwise", Layer::dense([3, 2, 5, 4], [6, 1, 3, 2]).dilated([1, 2]).grouped(2)),
        (
            "everything",
            Layer::dense([3, 4, 9, 8], [6, 2, 3, 2])
                .strided([2, 1])
                .padded([(1, 2), (0, 1)])
                .dilated([1, 2])
                .grouped(2),
        ),
    ]
}

fn three_axes() -> Vec<(&'static str, Layer)> {
    let padding = [(1, 1), (0, 0), (2, 2)];
    vec![
        ("conv3d", Layer::dense([2, 2, 4, 5, 3], [6, 2, 3, 1, 2])),
        (
            "conv3d_dense_everything",
            Layer::dense([2, 1, 5, 4, 6], [6, 1, 2, 3, 2])
                .strided([2, 1, 3])
                .padded(padding)
                .dilated([2, 1, 2]),
        ),
        ("conv3d_reflect", Layer::dense([2, 1, 3, 4, 5], [6, 1, 2, 2, 3]).reflecting(padding)),
        (
            "conv3d_everything",
            Layer::dense([2, 4, 5, 4, 6], [6, 2, 2, 3, 2])
                .strided([2, 1, 3])
                .padded(padding)
                .dilated([2, 1, 2])
                .grouped(2),
        ),
    ]
}

/// Weights are `[channels, neurons / groups, kernel…]`.
fn transposed() -> Vec<(&'static str, Layer)> {
    vec![
        ("conv_transpose1d", Layer::transposed([4, 2, 5], [2, 6, 3])),
        (
            "conv_transpose1d_everything",
            Layer::transposed([3, 4, 4], [4, 3, 3])
                .strided([3])
                .padded([(1, 1)])
                .padded_out([2])
                .dilated([2])
                .grouped(2),
        ),
        ("conv_transpose2d", Layer::transposed([3, 2, 4, 3], [2, 6, 2, 3])),
        (
            "conv_transpose2d_dense_everything",
            Layer::transposed([3, 2, 4, 3], [2, 6, 2, 3])
                .strided([2, 3])
                .padded([(1, 1), (2, 2)])
                .padded_out([1, 2])
                .dilated([2, 1]),
        ),
        (
            "conv_transpose2d_everything",
            Layer::transposed([2, 4, 3, 4], [4, 3, 3, 2])
                .strided([2, 3])
                .padded([(2, 2), (1, 1)])
                .padded_out([1, 2])
                .dilated([1, 2])
                .grouped(2),
        ),
        (
            "conv_transpose2d_depthwise",
            Layer::transposed([3, 2, 3, 4], [2, 3, 3, 2]).strided([2, 1]).grouped(2),
        ),
        ("conv_transpose3d", Layer::transposed([2, 2, 3, 2, 4], [2, 6, 2, 3, 1])),
        (
            "conv_transpose3d_everything",
            Layer::transposed([2, 4, 3, 2, 3], [4, 3, 2, 3, 2])
                .strided([2, 1, 3])
                .padded([(1, 1), (0, 0), (2, 2)])
                .padded_out([1, 0, 2])
                .dilated([2, 1, 2])
                .grouped(2),
        ),
    ]
}

fn check(name: &str, rule: &Rule, layer: &Layer, classes: Option<usize>, device: &Device) {
    let teacher = classes.map(|classes| one_hot(layer.input[0], classes, device));
    let labels = teacher
        .clone()
        .zip(classes)
        .map(|(teacher, classes)| vec(teacher).chunks(classes).map(<[f64]>::to_vec).collect::<Vec<_>>());
    let (x, w) = (any_layer::input(layer, device), any_layer::weight(layer, device));
    let expected = oracle::delta(rule, layer, &vec(x.clone()), &vec(w), labels.as_deref());
    let got = AnyLayer::new(layer, device).with_rule(rule.clone()).learn(x, teacher);
    assert_close(name, &vec(got), &expected, TOLERANCE);
}

fn check_all(layer_name: &str, layer: &Layer, device: &Device) {
    for (name, rule) in rules(layer.neurons_per_group()) {
        check(&format!("{name} on {layer_name}"), &rule, layer, None, device);
    }
    for (name, rule, classes) in taught_rules(layer.groups * layer.neurons_per_group()) {
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
        let (local, plan) = Plan::new().bind(local).unwrap();
        // [n, d] as [2, …] would fold too; the leading dimensions are images.
        let folded: Tensor<3> = x.clone().reshape([5, 1, 7]);
        let (_, seen) = plan.observe(&local, Signals::none(), |local| local.forward(folded)).unwrap();
        let (local, grads) = plan.finish(local, seen.local_only()).unwrap();
        let delta = grads.get::<2>(local.layer().weight.id).unwrap().neg();
        assert_close(name, &vec(delta.transpose()), &expected, TOLERANCE);
    }
}

/// More winners asked for than neurons may win: of 6 neurons 2 are free and 2 belong to each class.
fn crowded_rules() -> Vec<(&'static str, Rule, usize)> {
    let teacher = Teacher::ClassGroups { classes: 2, per_class: 2, order: GroupOrder::ClassesFirst };
    // winners push their neighbors away, a masked one would too
    let neighborhood = Neighborhood::DifferenceOfGaussians;
    let map = Rule::hard_wta()
        .with_lateral(Lateral::Map { size: vec![6], neighborhood, sigma: Some(0.5), tau: 20.0 })
        .with_competition(Competition::KWinners { k: 5, losers: 0.0 });
    vec![
        ("five_winners", Rule::k_wta(5).with_teacher(teacher), 2),
        ("five_winners_on_a_map", map.with_teacher(teacher), 2),
    ]
}

/// Targets between 0 and 1 scale what a neuron learns; those of 0 keep it out.
fn soft_targets(device: &Device) {
    let layer = Layer::dense([4, 2, 4, 3], [6, 2, 2, 2]);
    for (name, rule, columns) in [taught_rules(6), crowded_rules()].concat() {
        let soft = tensor::<2>(77, [4, columns], device).clamp_min(0.0);
        let rows: Vec<Vec<f64>> = vec(soft.clone()).chunks(columns).map(<[f64]>::to_vec).collect();
        assert!(rows.iter().flatten().any(|t| *t == 0.0) && rows.iter().flatten().any(|t| *t > 0.0));
        let (x, w) = (any_layer::input(&layer, device), any_layer::weight(&layer, device));
        let expected = oracle::delta(&rule, &layer, &vec(x.clone()), &vec(w), Some(&rows));
        let got = AnyLayer::new(&layer, device).with_rule(rule).learn(x, Some(soft));
        assert_close(name, &vec(got), &expected, TOLERANCE);
    }
}

/// With a loser value of 0 and the gate z, the mass of a sum over neurons is k per patch, ties or not.
fn exactly_k_winners(device: &Device) {
    let layer = Layer::dense([3, 2, 4, 3], [6, 2, 2, 2]);
    for k in 1..=6 {
        let rule = Rule::k_wta(k).with_similarity(Similarity::Dot).with_reduction(Reduction::Sum);
        let conv = hebbian_conv(&layer, &rule, device);
        // x = 0: every score ties; Σ_k Δw_k = −Σ wins_k w_k, so wins can be read off the weights.
        let delta = learn(&conv, Tensor::zeros([3, 2, 4, 3], device), None);
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
    let text = format!("{:?} {:?}", Rule::hebb(), Rule::sanger());
    assert_eq!(text, "Rule Rule { recurrence: Sanger }", "what differs from plain Hebb");
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
    let (_, layer) = &two_axes()[2];
    for (name, rule) in rules(6) {
        let plain = learn(&hebbian_conv(layer, &rule, device), input(layer, device), None);
        let autodiff = device.clone().autodiff();
        let traced = learn(&hebbian_conv(layer, &rule, &autodiff), input(layer, &autodiff), None);
        assert_eq!(vec(plain), vec(traced), "{name}");
    }
}
