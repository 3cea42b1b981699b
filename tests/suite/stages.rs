//! Stages that keep state, and signals from outside, against the oracle over several steps.

use burn::{
    module::Param,
    optim::SgdConfig,
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{
    prelude::*,
    rules::{
        Abstention, Activation, AntiHebbian, Bias, Competition, Criterion, Gate, Lateral, Neighborhood,
        Similarity, Variance,
    },
};
use burn_hebbian_tests::{
    any_layer::{self, AnyLayer},
    layers::{conv, hebbian_conv, weight},
    oracle::{self, Layer, Memory},
    values::{assert_close, numbers, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, rules::layers};

/// As for rules without state, and as much again for running moments.
const TOLERANCE: f64 = 4e-5;

const STEPS: u64 = 4;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("stages::state_moves_as_in_the_oracle", state_moves_as_in_the_oracle);
    trials.extend(on_every_backend("stages::third_factor_multiplies_coefficients", third_factor));
    trials.push(on_flex("stages::state_moves_on_every_layer", state_moves_on_every_layer));
    trials.extend(on_every_backend("stages::single_patches_and_blank_batches", single_and_blank));
    trials.push(on_flex("stages::bias_is_learned_as_a_log_prior", |device| {
        bias_is_learned(device);
        bias_is_learned(&device.clone().autodiff());
    }));
    trials.push(on_flex("stages::bias_of_a_configured_layer", bias_of_a_configured_layer));
    trials.push(on_flex("stages::third_factor_of_one_layer", third_factor_of_one_layer));
    trials
}

/// Rules with state, for layers with at least 3 neurons a group.
pub(crate) fn stateful_rules() -> Vec<(&'static str, Rule)> {
    let adaptive_ica =
        |criterion| Rule::ica(0.0).with_activation(Activation::AdaptiveScore { criterion, momentum: 0.5 });
    let inhibition = |target| {
        let inhibition = AntiHebbian { target, rate: 0.8, threshold_rate: 0.5, gain: 2.0, steps: 7 };
        Rule::foldiak(target).with_competition(Competition::AntiHebbian(inhibition))
    };
    let fast = Variance::Running { momentum: 0.4, epsilon: 1e-3 };
    vec![
        ("hpca_adaptive", Rule::hpca_adaptive().with_variance(fast)),
        ("hpca_adaptive_derivative", Rule::hpca_adaptive().with_gate(Gate::Derivative)),
        ("ica_kurtosis", adaptive_ica(Criterion::Kurtosis)),
        ("ica_stability", adaptive_ica(Criterion::Stability)),
        (
            "ica_derivative",
            adaptive_ica(Criterion::Kurtosis).with_gate(Gate::Derivative).with_competition(Competition::None),
        ),
        ("adaptive_softmax", adaptive_softmax()),
        ("foldiak", inhibition(0.2)),
        // less active than it should be: inhibition stops at 0
        ("foldiak_idle", inhibition(0.9)),
        ("abstention", Rule::abstaining_wta(7)),
        (
            "abstention_losers",
            Rule::abstaining_wta(8).with_competition(Competition::KWinners { k: 2, losers: -0.2 }),
        ),
        ("abstention_soft", Rule::swta().with_abstention(Abstention::Random { seed: 9 })),
        ("bcm", Rule::bcm()),
        ("bcm_winners", Rule::bcm().with_competition(Competition::KWinners { k: 2, losers: 0.0 })),
        ("som", som()),
    ]
}

fn adaptive_softmax() -> Rule {
    Rule::swta()
        .with_similarity(Similarity::Dot)
        .with_competition(Competition::AdaptiveSoftmax { temperature: 0.3, momentum: 0.4 })
}

fn som() -> Rule {
    let neighborhood = Neighborhood::Exponential;
    Rule::som([6]).with_lateral(Lateral::Map { size: vec![6], neighborhood, sigma: Some(2.0), tau: 3.0 })
}

fn layer() -> Layer {
    Layer::dense([3, 2, 4, 3], [6, 2, 2, 2])
}

fn input(step: u64, device: &Device) -> Tensor<4> {
    tensor(100 + step, [3, 2, 4, 3], device)
}

/// `ΔW` of one batch, and the layer with its rule's next state.
fn learn(layer: HebbianConv2d, x: Tensor<4>, signals: Signals) -> (Tensor<4>, HebbianConv2d) {
    let (layer, plan) = Plan::new().bind(layer).unwrap();
    let (_, seen) = plan.observe(&layer, signals, |layer| layer.forward(x)).unwrap();
    let (layer, grads) = plan.finish(layer, seen.local_only()).unwrap();
    (grads.get::<4>(layer.layer().weight.id).unwrap().neg(), layer)
}

fn state_moves_as_in_the_oracle(device: &Device) {
    for (name, rule) in stateful_rules() {
        steps_as_in_the_oracle(name, &rule, &layer(), device);
    }
}

fn state_moves_on_every_layer(device: &Device) {
    for (layer_name, shape) in layers() {
        let fits = |(_, rule): &(&str, Rule)| rule.lateral == Lateral::None || shape.neurons_per_group() == 6;
        for (name, rule) in stateful_rules().into_iter().filter(fits) {
            steps_as_in_the_oracle(&format!("{name} on {layer_name}"), &rule, &shape, device);
        }
    }
}

/// One image of one position, one row; the third batch is blank.
fn single_and_blank(device: &Device) {
    let single = [Layer::dense([1, 2, 2, 2], [6, 2, 2, 2]), Layer::dense([1, 7, 1, 1], [6, 7, 1, 1])];
    for shape in single.into_iter().chain([layer()]) {
        let images = shape.input[0];
        for (name, rule) in stateful_rules() {
            let input = |step| {
                if step == 2 { Tensor::zeros(shape.input, device) } else { input_of(&shape, step, device) }
            };
            oracle_follows(&format!("{name}, {images} images"), &rule, &shape, device, input);
        }
    }
}

fn input_of(shape: &Layer, step: u64, device: &Device) -> Tensor<5> {
    tensor(100 + step, shape.input, device)
}

/// Other input at every step, the same weights.
fn steps_as_in_the_oracle(name: &str, rule: &Rule, shape: &Layer, device: &Device) {
    oracle_follows(name, rule, shape, device, |step| input_of(shape, step, device));
}

fn oracle_follows(name: &str, rule: &Rule, shape: &Layer, device: &Device, input: impl Fn(u64) -> Tensor<5>) {
    let w = vec(any_layer::weight(shape, device));
    let mut local = AnyLayer::new(shape, device).with_rule(rule.clone());
    let mut memory = Memory::new(rule, shape);
    // what a blank batch moves is rounding beside what the others do: all are measured by the largest so far
    let mut largest = 0.0_f64;
    for step in 0..STEPS {
        let x = input(step);
        let shown = oracle::Step { x: &vec(x.clone()), w: &w, ..oracle::Step::default() };
        let mut expected = oracle::step(rule, shape, &shown, &mut memory);
        let (got, next) = local.try_learn(x, Signals::none()).unwrap();
        largest = expected.iter().fold(largest, |largest, value| largest.max(value.abs()));
        expected.push(largest);
        let mut got = vec(got);
        got.push(largest);
        assert_close(&format!("{name}, step {step}"), &got, &expected, TOLERANCE);
        local = next;
    }
}

/// The bias stands in similarity and decay, and moves towards the log share of wins.
fn bias_is_learned(device: &Device) {
    let temperature = 0.7;
    let rule = Rule::soft_hebb(temperature).with_bias(Bias::LogPrior);
    let shape = layer();
    let bias: Vec<f64> = numbers(5, 6).into_iter().map(f64::from).collect();
    let mut plain = conv(&shape, device);
    let values: Vec<f32> = bias.iter().map(|bias| *bias as f32).collect();
    plain.bias = Some(Param::from_tensor(Tensor::from_data(TensorData::new(values, [6]), device)));
    let local = Local::new(plain).with_rule(rule.clone());
    let (x, w) = (input(0, device), vec(weight(&shape, device)));
    let shown = oracle::Step { x: &vec(x.clone()), w: &w, bias: Some(&bias), ..oracle::Step::default() };
    let expected = oracle::step(&rule, &shape, &shown, &mut Memory::new(&rule, &shape));
    let (local, plan) = Plan::new().bind(local).unwrap();
    let (_, seen) = plan.observe(&local, Signals::none(), |local| local.forward(x.clone())).unwrap();
    let (local, grads) = plan.finish(local, seen.local_only()).unwrap();
    let delta = grads.get::<4>(local.layer().weight.id).unwrap().neg();
    assert_close("weight", &vec(delta), &expected, TOLERANCE);

    // z = ±softmax(u / T), summed by hand
    let u = vec(local.forward(x));
    let mut wins = [0.0; 6];
    for patch in 0..3 * 6 {
        let of = |k: usize| u[(patch / 6 * 6 + k) * 6 + patch % 6] / temperature;
        let total: f64 = (0..6).map(|k| of(k).exp()).sum();
        let winner = (0..6).max_by(|a, b| of(*a).total_cmp(&of(*b))).unwrap();
        (0..6).for_each(|k| wins[k] += of(k).exp() / total * if k == winner { 1.0 } else { -1.0 });
    }
    let excess: Vec<f64> = (0..6).map(|k| wins[k] / (bias[k] / temperature).exp() - 18.0).collect();
    let largest = excess.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let expected: Vec<f64> = excess.iter().map(|value| value / largest * temperature).collect();
    let id = local.layer().bias.as_ref().unwrap().id;
    assert_close("bias", &vec(grads.get::<1>(id).unwrap().neg()), &expected, TOLERANCE);

    let without = Local::new(conv(&shape, device)).with_rule(rule);
    let error = Plan::new().bind(without).unwrap_err().to_string();
    assert!(error.contains("its rule learns a bias"), "{error}");
}

/// A layer built for the rule starts with the log of equal shares, and a plain SGD step reaches its bias.
fn bias_of_a_configured_layer(device: &Device) {
    let rule = Rule::soft_hebb(0.5).with_bias(Bias::LogPrior);
    let layer = HebbianLinearConfig::new(7, 4, rule).init(device);
    let bias = |layer: &HebbianLinear| vec(layer.layer().bias.as_ref().unwrap().val());
    assert_close("ln(1/4) / t", &bias(&layer), &[0.25_f64.ln() * 0.5; 4], 1e-6);
    let before = bias(&layer);
    let (layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let x = tensor::<2>(6, [9, 7], device);
    let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x)).unwrap();
    let layer = optim.step(0.1, layer, seen.local_only()).unwrap();
    assert_ne!(bias(&layer), before);
    let largest = bias(&layer).iter().zip(&before).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!((largest - 0.1 * 0.5).abs() < 1e-6, "the largest step is rate / t: {largest}");
}

/// A scalar, one number an image, one a neuron, one for each of both.
fn third_factor(device: &Device) {
    let shape = layer();
    let (x, w) = (input(0, device), vec(weight(&shape, device)));
    for (i, [rows, columns]) in [[1, 1], [3, 1], [1, 6], [3, 6]].into_iter().enumerate() {
        let factor: Tensor<2> = tensor(200 + i as u64, [rows, columns], device);
        let values = vec(factor.clone());
        let of = |image: usize, k: usize| values[image % rows * columns + k % columns];
        let all: Vec<Vec<f64>> = (0..3).map(|image| (0..6).map(|k| of(image, k)).collect()).collect();
        for (name, rule) in [("swta", Rule::swta()), ("hpca", Rule::sanger()), ("oja", Rule::oja())] {
            let shown = oracle::Step {
                x: &vec(x.clone()),
                w: &w,
                third_factor: Some(&all),
                ..oracle::Step::default()
            };
            let expected = oracle::step(&rule, &shape, &shown, &mut Memory::new(&rule, &shape));
            let signals = Signals::none().with_third_factor(factor.clone());
            let (got, _) = learn(hebbian_conv(&shape, &rule, device), x.clone(), signals);
            assert_close(&format!("{name}, [{rows}, {columns}]"), &vec(got), &expected, TOLERANCE);
        }
    }
}

/// By path, and a path that reaches nothing is refused.
fn third_factor_of_one_layer(device: &Device) {
    let local = hebbian_conv(&layer(), &Rule::hebb(), device);
    let double = Tensor::full([1, 1], 2.0, device);
    let (once, _) = learn(local.clone(), input(0, device), Signals::none());
    // a model that is a layer itself is called by its weight
    let signals = Signals::none().with_third_factor_for("weight", double.clone());
    let (twice, _) = learn(local.clone(), input(0, device), signals);
    assert_close("factor 2", &vec(twice), &vec(once.mul_scalar(2.0)), 1e-6);
    let signals = Signals::none().with_third_factor_for("conv7", double);
    let (local, plan) = Plan::new().bind(local).unwrap();
    let error = plan.observe(&local, signals, |_| ()).unwrap_err().to_string();
    assert_eq!(error, "signals: the third factor for `conv7` reaches no local layer");
}
