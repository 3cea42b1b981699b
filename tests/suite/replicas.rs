//! Replicas that train in parallel: their sums, their norms, and what happens when one of them does not come.

use std::{sync::Arc, thread, time::Duration};

use burn::{
    module::Module,
    nn::BatchNormConfig,
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::{
        SyncBatchNorm,
        replicas::{AllReduce, InProcess},
    },
    optim::{Collectives, Rest},
    prelude::*,
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("replicas::norms_train_on_plain_devices", norms_train_on_plain_devices);
    trials.extend([
        on_flex("replicas::reduced_sums_equal_the_whole_batch", reduced_sums_equal_the_whole_batch),
        on_flex("replicas::sums_go_round_after_round", sums_go_round_after_round),
        on_flex("replicas::missing_ones_are_counted", missing_ones_are_counted),
        on_flex("replicas::other_models_are_refused", other_models_are_refused),
        on_flex("replicas::collectives_need_a_backend_that_has_them", collectives_are_refused),
        on_flex("replicas::norms_alone_say_who_is_missing", norms_alone_say_who_is_missing),
    ]);
    trials
}

/// The same work on a thread for each part.
fn in_parallel<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let threads: Vec<_> = parts.into_iter().map(|part| scope.spawn(|| work(part))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no replica panics")).collect()
    })
}

/// Two replicas of 3 and 5 images each, whose passes reduce their sums: both have the weights and the rule's
/// state of one that saw all 8.
fn reduced_sums_equal_the_whole_batch(device: &Device) {
    let net: Net = PlainNet::new(device).into();
    let images: Tensor<4> = tensor(41, [8, 2, 6, 5], device);
    for rule in [Rule::swta(), Rule::sanger(), Rule::bcm()] {
        let plan = Plan::new().local("conv2", rule).with_rest(Rest::Frozen);
        let step = |images: Tensor<4>, replicas: Arc<dyn AllReduce>| {
            let (net, optim) = plan.init(net.clone().fork(device), SgdConfig::new()).unwrap();
            let mut optim = optim.with_replicas(replicas);
            let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images)).unwrap();
            let Net { conv2, .. } = optim.step(0.1, net, seen.local_only()).unwrap();
            let state = conv2.rule_state().map(vec).unwrap_or_default();
            [vec(conv2.layer().weight.val()), state].concat()
        };
        let expected = step(images.clone(), Arc::new(InProcess::new(1).unwrap()));
        assert_ne!(expected[..20], vec(net.conv2.layer().weight.val())[..20]);
        let replicas = Arc::new(InProcess::new(2).unwrap());
        let halves = vec![images.clone().narrow(0, 0, 3), images.clone().narrow(0, 3, 5)];
        let [a, b] =
            in_parallel(halves, |half| step(half, replicas.clone())).try_into().expect("two replicas");
        assert_eq!(a, b);
        assert_close("two replicas", &a, &expected, 1e-5);
    }
}

/// A replica that is ahead waits for the others to take the last sum.
fn sums_go_round_after_round(device: &Device) {
    let replicas = InProcess::new(3).unwrap();
    let sums = in_parallel(vec![1.0, 10.0, 100.0], |value| {
        let round = |round: usize| {
            let part = Tensor::<1>::from_floats([value as f32 * round as f32], device);
            vec(replicas.sum(part).unwrap())[0]
        };
        (0..50).map(round).collect::<Vec<f64>>()
    });
    let expected: Vec<f64> = (0..50).map(|round| 111.0 * f64::from(round)).collect();
    assert_eq!(sums, [expected.clone(), expected.clone(), expected]);
}

fn missing_ones_are_counted(device: &Device) {
    let patience = Duration::from_millis(50);
    let replicas = InProcess::new(3).unwrap().with_patience(patience);
    let parts = vec![(); 2];
    let errors = in_parallel(parts, |()| replicas.sum(Tensor::zeros([4], device)).unwrap_err().to_string());
    for error in errors {
        assert!(error.contains("2 of 3 came within 0.05 s"), "{error}");
    }
    assert!(InProcess::new(0).unwrap_err().to_string().contains("at least one of them, got 0"));
}

fn other_models_are_refused(device: &Device) {
    let replicas = InProcess::new(2).unwrap();
    let errors = in_parallel(vec![4, 5], |length| {
        replicas.sum(Tensor::zeros([length], device)).unwrap_err().to_string()
    });
    for error in errors {
        assert!(error.contains("[4, 5]") || error.contains("[5, 4]"), "{error}");
    }
}

fn collectives_are_refused(device: &Device) {
    let error = Collectives::new([device.clone().autodiff()]).unwrap_err().to_string();
    assert!(error.contains("Flex") && error.contains("no collective operations"), "{error}");
    assert!(Collectives::new([]).is_err());
}

/// While a plan observes, the batch's statistics, as on an autodiff device; else the running ones, which move in the step.
fn norms_train_on_plain_devices(device: &Device) {
    let images: Tensor<4> = tensor(42, [4, 3, 2, 5], device);
    let norm = || SyncBatchNorm::new(BatchNormConfig::new(3).init(device));
    let plain = norm();
    let untouched = vec(plain.forward(images.clone()));
    assert_close("no statistics yet", &untouched, &vec(images.clone()), 1e-4);
    let (plain, mut optim) = Plan::new().init(plain, SgdConfig::new()).unwrap();
    let (output, seen) = optim.observe(&plain, Signals::none(), |norm| norm.forward(images.clone())).unwrap();
    assert_eq!(vec(plain.forward(images.clone())), untouched, "nothing moves before the step");
    let plain = optim.step(0.1, plain, seen.local_only()).unwrap();
    let autodiff = device.clone().autodiff();
    let twin = SyncBatchNorm::new(BatchNormConfig::new(3).init(&autodiff));
    let expected = twin.forward(Tensor::from_inner(images.clone()).to_device(&autodiff));
    assert_close("output", &vec(output), &vec(expected), 1e-5);
    for (running, expected) in [
        (plain.norm().running_mean.value_sync(), twin.norm().running_mean.value_sync()),
        (plain.norm().running_var.value_sync(), twin.norm().running_var.value_sync()),
    ] {
        assert_close("running statistics", &vec(running), &vec(expected), 1e-5);
    }
    assert_ne!(vec(plain.forward(images)), untouched);
}

fn norms_alone_say_who_is_missing(device: &Device) {
    let replicas = InProcess::new(2).unwrap().with_patience(Duration::from_millis(50));
    let norm = SyncBatchNorm::new(BatchNormConfig::new(3).init(device)).synchronized(Arc::new(replicas));
    let (norm, plan) = Plan::new().bind(norm).unwrap();
    let images: Tensor<4> = tensor(42, [4, 3, 2, 5], device);
    let alone = std::panic::AssertUnwindSafe(|| {
        plan.observe(&norm, Signals::none(), |norm| norm.forward(images)).map(|_| ())
    });
    let panic = std::panic::catch_unwind(alone).unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("1 of 2 came"), "{message}");
}
