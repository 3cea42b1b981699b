//! Micro-batches and devices add up to the update of the whole batch.

use burn::{
    optim::{GradientsAccumulator, MultiGradientsParams, SgdConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::Output,
    optim::{BoundPlan, Updates},
    prelude::*,
    rules::Reduction,
};
use burn_hebbian_tests::{
    layers::{hebbian_conv, input},
    oracle::Layer,
    values::{assert_close, one_hot, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, rules::rules, stages::stateful_rules};

/// The order of summation is all that differs.
const TOLERANCE: f64 = 1e-6;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        on_flex("accumulation::micro_batches_equal_one_batch", micro_batches_equal_one_batch),
        on_flex("accumulation::devices_equal_one_batch", devices_equal_one_batch),
        on_flex("accumulation::state_of_micro_batches_is_that_of_one_batch", state_of_micro_batches),
        on_flex("accumulation::blocks_of_images_equal_single_images", blocks_equal_single_images),
        on_flex("accumulation::two_passes_of_one_layer_add_up", two_passes_add_up),
    ];
    trials.extend(on_every_backend("accumulation::two_micro_batches", two_micro_batches));
    trials.extend(on_every_backend("accumulation::a_step_of_the_plan_is_one_of_sgd", steps_are_of_sgd));
    trials
}

fn layer() -> Layer {
    Layer::dense([6, 2, 4, 3], [6, 2, 2, 2])
}

/// All but those that use statistics of a batch on the batch itself.
fn one_phase_rules() -> Vec<(&'static str, Rule)> {
    rules(6).into_iter().filter(|(_, rule)| rule.adds_up()).collect()
}

/// The layer, bound to a plan by which it learns by its own rule.
fn bound(rule: &Rule, device: &Device) -> (HebbianConv2d, BoundPlan) {
    Plan::new().bind(hebbian_conv(&layer(), rule, device)).unwrap()
}

/// What images `start..start + len` teach.
fn updates(plan: &BoundPlan, conv: &HebbianConv2d, start: usize, len: usize, device: &Device) -> Updates {
    let x = input(&layer(), device).narrow(0, start, len);
    plan.observe(conv, Signals::none(), |conv| conv.forward(x)).unwrap().1.local_only()
}

fn merged(plan: &BoundPlan, conv: &HebbianConv2d, parts: &[(usize, usize)], device: &Device) -> Updates {
    let parts = parts.iter().map(|&(start, len)| updates(plan, conv, start, len, device));
    parts.reduce(|all, more| all.merge(more).unwrap()).expect("at least one part")
}

fn finished(plan: &BoundPlan, conv: &HebbianConv2d, updates: Updates) -> Vec<f64> {
    let (_, grads) = plan.finish(conv.clone(), updates).unwrap();
    vec(grads.get::<4>(conv.layer().weight.id).unwrap())
}

fn accumulated(parts: &[(usize, usize)], rule: &Rule, device: &Device) -> Vec<f64> {
    let (conv, plan) = bound(rule, device);
    finished(&plan, &conv, merged(&plan, &conv, parts, device))
}

/// The weights after a step by sums that Burn's own accumulator adds up.
fn stepped(parts: &[(usize, usize)], rule: &Rule, device: &Device) -> Vec<f64> {
    let (conv, plan) = bound(rule, device);
    let mut accumulator = GradientsAccumulator::new();
    for &(start, len) in parts {
        accumulator.accumulate(&conv, updates(&plan, &conv, start, len, device).into_grads());
    }
    let mut optimizer = plan.optimizer(SgdConfig::new());
    vec(plan.optimize(&mut optimizer, 1.0, conv, accumulator.grads()).unwrap().layer().weight.val())
}

/// Unequal ones too, for every reduction, merged and by Burn's accumulator.
fn micro_batches_equal_one_batch(device: &Device) {
    for (name, rule) in one_phase_rules() {
        let [whole, one] = [accumulated, stepped].map(|sum| sum(&[(0, 6)], &rule, device));
        for parts in [&[(0, 3), (3, 3)][..], &[(0, 1), (1, 4), (5, 1)]] {
            assert_close(name, &accumulated(parts, &rule, device), &whole, TOLERANCE);
            assert_close(name, &stepped(parts, &rule, device), &one, TOLERANCE);
        }
    }
}

/// The state that stays is exact for every rule, two-phase rules included.
fn state_of_micro_batches(device: &Device) {
    for (name, rule) in stateful_rules() {
        let (conv, plan) = bound(&rule, device);
        let state = |parts: &[(usize, usize)]| {
            let (conv, _) = plan.finish(conv.clone(), merged(&plan, &conv, parts, device)).unwrap();
            vec(conv.rule_state().expect("stateful rules keep state"))
        };
        let whole = state(&[(0, 6)]);
        assert_close(name, &state(&[(0, 1), (1, 4), (5, 1)]), &whole, TOLERANCE);
        assert_ne!(whole, vec(conv.rule_state().unwrap()), "{name}");
    }
}

/// Many responses and few weights: a CPU works through the images in blocks. Sums, state, and what is handed on, with
/// signals of each image.
fn blocks_equal_single_images(device: &Device) {
    let (images, neurons) = (3, 6);
    let x: Tensor<4> = tensor(61, [images, 1, 167, 167], device);
    let teacher = one_hot(images, neurons, device);
    let factor: Tensor<2> = tensor(62, [images, neurons], device);
    let taught = Signals::none().with_teacher(teacher);
    for (name, rule, signals) in [
        ("swta", Rule::swta(), Signals::none()),
        ("sanger", Rule::sanger(), Signals::none()),
        ("bcm", Rule::bcm(), Signals::none()),
        ("teacher", Rule::teacher(), taught),
        ("third factor", Rule::instar(), Signals::none().with_third_factor(factor)),
    ] {
        assert!(rule.adds_up());
        let config = HebbianConv2dConfig::new([1, neurons], [4, 4], rule).with_output(Output::relu_cosine());
        let (conv, plan) = Plan::new().bind(config.init(device)).unwrap();
        let learn = |start: usize, len: usize| {
            let (x, signals) = (x.clone().narrow(0, start, len), signals.of(start..start + len));
            let (output, seen) = plan.observe(&conv, signals, |conv| conv.forward(x)).unwrap();
            (output, seen.local_only())
        };
        let (whole, updates) = learn(0, images);
        let finished = |updates| {
            let (conv, grads) = plan.finish(conv.clone(), updates).unwrap();
            let update = vec(grads.get::<4>(conv.layer().weight.id).unwrap());
            (update, conv.rule_state().map(vec).unwrap_or_default())
        };
        let (update, state) = finished(updates);
        let (outputs, singles): (Vec<_>, Vec<_>) = (0..images).map(|image| learn(image, 1)).unzip();
        let sum = singles.into_iter().reduce(|all, more| all.merge(more).unwrap()).unwrap();
        let (expected, expected_state) = finished(sum);
        assert_close(name, &update, &expected, 1e-5);
        assert_close(name, &state, &expected_state, 1e-5);
        assert_close(name, &vec(whole), &vec(Tensor::cat(outputs, 0)), 1e-5);
    }
}

fn two_micro_batches(device: &Device) {
    for rule in [Rule::sanger(), Rule::swta()] {
        let whole = accumulated(&[(0, 6)], &rule, device);
        assert_close("two of three", &accumulated(&[(0, 3), (3, 3)], &rule, device), &whole, TOLERANCE);
    }
}

/// One device listed three times, unequal batches, through the optimizer.
fn devices_equal_one_batch(device: &Device) {
    for (name, rule) in one_phase_rules() {
        let (conv, plan) = bound(&rule, device);
        let part = |start, len| (updates(&plan, &conv, start, len, device).into_grads(), device.clone());
        let grads = MultiGradientsParams { grads: vec![part(0, 2), part(2, 3), part(5, 1)] };
        let mut optimizer = plan.optimizer(SgdConfig::new());
        let several = plan.optimize_multi(&mut optimizer, 1.0, conv.clone(), grads).unwrap();
        let weight = |conv: &HebbianConv2d| vec(conv.layer().weight.val());
        let one = stepped(&[(0, 6)], &rule, device);
        assert_close(name, &weight(&several), &one, TOLERANCE);
        assert_ne!(one, weight(&conv), "{name}");
    }
}

/// A layer that runs twice in one forward pass learns from both passes.
fn two_passes_add_up(device: &Device) {
    for rule in [Rule::hebb(), Rule::swta(), Rule::sanger(), Rule::hebb().with_reduction(Reduction::Sum)] {
        let (conv, plan) = bound(&rule, device);
        let x: Tensor<4> = input(&layer(), device);
        let forward = |conv: &HebbianConv2d| {
            let _ = conv.forward(x.clone().narrow(0, 0, 2));
            conv.forward(x.clone().narrow(0, 2, 4))
        };
        let (_, seen) = plan.observe(&conv, Signals::none(), forward).unwrap();
        let twice = finished(&plan, &conv, seen.local_only());
        assert_close("twice", &twice, &accumulated(&[(0, 6)], &rule, device), TOLERANCE);
    }
}

/// The step of a plan's own optimizer, in one pass over the weight where it can be, is that of Burn's SGD by the gradients of the
/// same sums: on plain devices and below autodiff, and with a share of the update.
fn steps_are_of_sgd(device: &Device) {
    for (name, rule) in one_phase_rules() {
        for device in [device.clone(), device.clone().autodiff()] {
            let plan = Plan::new().local(".*", LocalTraining::new(rule.clone()).with_shares(0.7, 0.0));
            let conv = hebbian_conv(&layer(), &rule, &device);
            let (conv, mut optim) = plan.init(conv, SgdConfig::new()).unwrap();
            let learned = || updates(optim.plan(), &conv, 0, 6, &device);
            let (by_gradients, by_sums) = (learned().into_grads(), learned());
            let mut sgd = optim.plan().optimizer(SgdConfig::new());
            let expected = optim.plan().optimize(&mut sgd, 0.3, conv.clone(), by_gradients).unwrap();
            let got = optim.step(0.3, conv.clone(), by_sums).unwrap();
            let [got, expected, before] = [&got, &expected, &conv].map(|conv| conv.layer().weight.val());
            assert_eq!(got.is_autodiff(), device.is_autodiff(), "{name}");
            assert_ne!(vec(got.clone()), vec(before), "{name}");
            assert_close(name, &vec(got), &vec(expected), TOLERANCE);
        }
    }
}
