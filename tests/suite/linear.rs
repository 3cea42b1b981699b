//! Sums of linear layers on few images, which wait until somebody needs them: whoever that is, and whatever happens meanwhile.

use burn::{
    nn::{Linear, LinearConfig},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::{BoundPlan, LocalOptimizer, Updates},
    prelude::*,
    rules::{Activation, Reduction},
};
use burn_hebbian_tests::values::{assert_close, tensor, vec};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        on_flex("linear::updates_of_older_weights_are_of_these", updates_of_older_weights),
        on_flex("linear::clones_stay_what_they_were", clones_stay),
        on_flex("linear::what_is_not_finite_is_refused", what_is_not_finite_is_refused),
    ];
    trials.extend(on_every_backend("linear::a_step_is_that_of_the_gradients", steps_are_of_gradients));
    trials.extend(on_every_backend("linear::micro_batches_equal_one_batch", micro_batches_equal_one_batch));
    trials
}

const RATE: f64 = 0.1;

/// Sizes that fill no block.
const SIZES: [usize; 2] = [70, 37];

type Layer = Local<Linear>;

/// With and without neurons that interact.
fn rules() -> [(&'static str, Rule); 6] {
    [
        ("hebb", Rule::hebb()),
        ("oja", Rule::oja()),
        ("swta", Rule::swta()),
        ("soft hebb", Rule::soft_hebb(1.0)),
        ("hpca", Rule::hpca(Activation::Relu)),
        ("subspace", Rule::subspace()),
    ]
}

fn bound(rule: &Rule, device: &Device) -> (Layer, LocalOptimizer) {
    let linear: Layer = Local::new(LinearConfig::new(SIZES[0], SIZES[1]).with_bias(false).init(device));
    let plan = Plan::new().local(".*", rule.clone());
    plan.init(linear, SgdConfig::new()).unwrap()
}

fn images(seed: u64, count: usize, device: &Device) -> Tensor<2> {
    tensor(seed, [count, SIZES[0]], device)
}

fn seen(plan: &BoundPlan, layer: &Layer, x: Tensor<2>) -> Updates {
    plan.observe(layer, Signals::none(), |layer| layer.forward(x)).unwrap().1.local_only()
}

fn weight(layer: &Layer) -> Tensor<2> {
    layer.layer().weight.val()
}

/// `w − rate · g`, with the gradient that the plan makes of the updates for somebody else's optimizer.
fn by_hand(plan: &BoundPlan, layer: &Layer, updates: Updates) -> Tensor<2> {
    let (layer, grads) = plan.finish(layer.clone(), updates).unwrap();
    weight(&layer) - grads.get::<2>(layer.layer().weight.id).unwrap().mul_scalar(RATE)
}

/// By the optimizer, by gradients, and by those that hold the sums.
fn steps_are_of_gradients(device: &Device) {
    for (name, rule) in rules() {
        let (layer, mut optim) = bound(&rule, device);
        let plan = optim.plan().clone();
        let updates = || seen(&plan, &layer, images(1, 5, device));
        let expected = vec(by_hand(&plan, &layer, updates()));
        let packed = updates().into_grads();
        let mut sgd = plan.optimizer(SgdConfig::new());
        let by_sums = plan.optimize(&mut sgd, RATE, layer.clone(), packed).unwrap();
        let stepped = optim.step(RATE, layer.clone(), updates()).unwrap();
        assert_close(name, &vec(weight(&stepped)), &expected, 1e-6);
        assert_close(name, &vec(weight(&by_sums)), &expected, 1e-6);
        assert_ne!(vec(weight(&layer)), expected, "{name}");
    }
}

/// Also of more images than a layer sees at once, and where one part has so many that its sums are made at once.
fn micro_batches_equal_one_batch(device: &Device) {
    for (name, rule) in rules() {
        let (layer, mut optim) = bound(&rule, device);
        let plan = optim.plan().clone();
        let x = images(2, 60, device);
        for parts in [&[20, 20, 20][..], &[1, 9, 50], &[3; 20]] {
            let mut start = 0;
            let parts = parts.iter().map(|len| {
                start += len;
                seen(&plan, &layer, x.clone().narrow(0, start - len, *len))
            });
            let all = parts.reduce(|all, more| all.merge(more).unwrap()).unwrap();
            let got = vec(weight(&optim.step(RATE, layer.clone(), all).unwrap()));
            let expected = vec(by_hand(&plan, &layer, seen(&plan, &layer, x.clone())));
            assert_close(name, &got, &expected, 1e-5);
        }
    }
}

/// What decays is what the layer had when it saw the images, not what it has when it is stepped; by themselves, and added
/// to what newer weights were taught.
fn updates_of_older_weights(device: &Device) {
    // what is projected is so by the weights of the step
    for (name, rule) in rules().into_iter().filter(|(_, rule)| rule.finish().is_elementwise()) {
        let (older, mut optim) = bound(&rule, device);
        let plan = optim.plan().clone();
        let updates = |layer: &Layer, seed| seen(&plan, layer, images(seed, 5, device));
        let newer = optim.step(1.0, older.clone(), updates(&older, 3)).unwrap();
        let delta = weight(&older) - by_hand(&plan, &older, updates(&older, 4));
        let expected = vec(weight(&newer) - delta.clone());
        let stepped = optim.step(RATE, newer.clone(), updates(&older, 4)).unwrap();
        assert_close(name, &vec(weight(&stepped)), &expected, 1e-6);
        if rule.finish().reduction != Reduction::Mean {
            continue;
        }
        // equal shares, as there are as many images in both
        let more = weight(&newer) - by_hand(&plan, &newer, updates(&newer, 5));
        let expected = vec(weight(&newer) - (delta + more).div_scalar(2.0));
        let both = updates(&older, 4).merge(updates(&newer, 5)).unwrap();
        let stepped = optim.step(RATE, newer, both).unwrap();
        assert_close(name, &vec(weight(&stepped)), &expected, 1e-6);
    }
}

/// The step is taken in place only where nobody else holds the weights.
fn clones_stay(device: &Device) {
    let (layer, mut optim) = bound(&Rule::swta(), device);
    let before = vec(weight(&layer));
    let (clone, held) = (layer.clone(), weight(&layer));
    let updates = seen(&optim.plan().clone(), &layer, images(6, 4, device));
    let layer = optim.step(RATE, layer, updates).unwrap();
    assert_ne!(vec(weight(&layer)), before);
    assert_eq!(vec(weight(&clone)), before);
    assert_eq!(vec(held), before);
}

/// And what only might not be is not: sums near the largest number are made and looked at.
fn what_is_not_finite_is_refused(device: &Device) {
    for (scale, refused) in [(f32::NAN, true), (f32::INFINITY, true), (1e30, true), (1e15, false)] {
        let (layer, mut optim) = bound(&Rule::hebb(), device);
        let before = vec(weight(&layer));
        let updates = seen(&optim.plan().clone(), &layer, images(7, 4, device).mul_scalar(scale));
        match optim.step(1e-30, layer, updates) {
            Ok(_) => assert!(!refused, "images times {scale}"),
            Err(error) => {
                assert!(refused, "images times {scale}: {error}");
                assert_eq!(vec(weight(&error.into_model())), before);
            }
        }
    }
    // one image, whose sums are between half of the largest number and that
    let (layer, mut optim) = bound(&Rule::hebb(), device);
    let x: Tensor<2> = Tensor::ones([1, SIZES[0]], device);
    let largest =
        vec(weight(&layer).sum_dim(0)).into_iter().fold(0.0, |largest: f64, y| largest.max(y.abs()));
    let x = x.mul_scalar((2.5e38 / largest).sqrt());
    let updates = seen(&optim.plan().clone(), &layer, x);
    let before = vec(weight(&layer));
    let layer = optim.step(1e-38, layer, updates).expect("everything is finite");
    assert_ne!(vec(weight(&layer)), before);
}
