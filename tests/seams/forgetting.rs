//! What can be forgotten is an error, or a type.

use burn::{
    module::Module,
    optim::{AdamConfig, GradientsParams, SgdConfig},
};
use burn_hebbian::{
    optim::{Entry, UpdateError, Updates},
    prelude::*,
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{bits, vec},
};
use libtest_mimic::Trial;

use crate::{device, images, kind, loss};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [
        ("a_forward_outside_the_closure", outside),
        ("the_model_outside_instead_of_the_copy", outer_model),
        ("a_layer_left_out", left_out),
        ("a_layer_left_out_with_leave", left_out_with_leave),
        ("a_gradient_that_never_came", no_gradient),
        ("a_loss_without_a_graph", no_graph),
        ("backprop_on_a_plain_device", plain_device),
        ("epochs_that_nobody_counts", uncounted),
        ("the_rate_and_epochs_of_the_plan_are_applied", applied),
        ("gradients_without_sums", without_sums),
        ("sums_that_burn_would_step", stepped_by_burn),
        ("an_observer_in_an_observer", nested),
    ];
    kind("forgetting", tests)
}

fn net() -> Net {
    Net::from(PlainNet::new(&device()))
}

fn swta() -> Plan {
    Plan::new().local("conv2", Rule::swta())
}

/// The layer's name is in the message, and nothing has changed.
fn refused(net: Net, optim: &mut LocalOptimizer, updates: Updates, names: &str) {
    let before = bits(&net);
    let refused = optim.step(0.1, net, updates).expect_err("something was forgotten");
    assert!(refused.to_string().contains(names), "{refused}");
    assert_eq!(bits(&refused.into_model()), before);
}

fn outside() {
    let (net, mut optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let logits = net.forward(images(1));
    let (loss, seen) = optim.observe(&net, Signals::none(), |_| loss(logits)).unwrap();
    assert_eq!(seen.unreached(), ["conv2"]);
    let updates = seen.backward(loss).unwrap();
    refused(net, &mut optim, updates, "conv2");
}

fn outer_model() {
    let (net, mut optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let (loss, seen) = optim.observe(&net, Signals::none(), |_| loss(net.forward(images(1)))).unwrap();
    let updates = seen.backward(loss).unwrap();
    refused(net, &mut optim, updates, "conv2");
}

/// Micro-batches may share the layers between them.
fn left_out() {
    let plan = swta().local("fc", Rule::hebb()).frozen("conv1");
    let (net, mut optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let conv2 = |net: &Net| net.conv2.forward(net.conv1.forward(images(1)));
    let (_, lower) = optim.observe(&net, Signals::none(), conv2).unwrap();
    refused(net.clone(), &mut optim, lower.local_only(), "fc");
    let (_, lower) = optim.observe(&net, Signals::none(), conv2).unwrap();
    let (_, all) = optim.observe(&net, Signals::none(), |net| net.forward(images(2))).unwrap();
    optim.step(0.1, net, lower.local_only().merge(all.local_only()).unwrap()).unwrap();
}

fn left_out_with_leave() {
    let conv2 = |net: &Net| net.conv2.forward(net.conv1.forward(images(1)));
    let plan = swta().with(Entry::local("fc", Rule::hebb()).optional()).frozen("conv1");
    let (net, mut optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let (_, seen) = optim.observe(&net, Signals::none(), conv2).unwrap();
    let fc = vec(net.fc.layer().weight.val());
    let net = optim.step(0.1, net, seen.local_only()).unwrap();
    assert_eq!(vec(net.fc.layer().weight.val()), fc);

    let plan = swta().local("fc", Rule::hebb()).frozen("conv1");
    let (net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let (_, seen) = optim.observe(&net, Signals::none(), conv2).unwrap();
    optim.step(0.1, net, seen.local_only().partial()).unwrap();
}

/// conv2 lets no gradient through to conv1.
fn no_gradient() {
    let (net, mut optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(1)))).unwrap();
    let updates = seen.backward(loss).unwrap();
    refused(net, &mut optim, updates, "conv1.weight");
}

fn no_graph() {
    let (net, optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let forward = |net: &Net| loss(net.forward(images(1))).detach();
    let (loss, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
    assert_eq!(seen.backward(loss).unwrap_err(), UpdateError::NoGraph);
}

fn plain_device() {
    let device = burn::tensor::Device::flex();
    let (net, optim) = swta().init(Net::from(PlainNet::new(&device)), SgdConfig::new()).unwrap();
    let forward = |net: &Net| loss(net.forward(images(1).inner()));
    let (loss, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
    assert_eq!(seen.backward(loss).unwrap_err(), UpdateError::NoAutodiff);
}

fn phased() -> Plan {
    Plan::new()
        .with(Entry::local("conv2", Rule::swta()).at_rate(0.5).in_epochs(..=2))
        .with(Entry::backprop(".*").in_epochs(3..))
}

fn uncounted() {
    let (net, optim) = phased().init(net(), SgdConfig::new()).unwrap();
    let observed = optim.observe(&net, Signals::none(), |net| net.forward(images(1)));
    assert_eq!(observed.map(drop).unwrap_err(), UpdateError::NoEpoch);
}

/// The base rate is 0: what learns does so at its own.
fn applied() {
    let (mut net, mut optim) = phased().init(net(), SgdConfig::new()).unwrap();
    let mut moved = Vec::new();
    for (epoch, rate) in [(1, 0.0), (2, 0.0), (3, 0.1)] {
        net = optim.begin_epoch(epoch, net).unwrap();
        let before = [vec(net.conv1.weight.val()), vec(net.conv2.layer().weight.val())];
        let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(1)))).unwrap();
        let updates = seen.backward(loss).unwrap();
        net = optim.step(rate, net, updates).unwrap();
        moved.push([
            before[0] != vec(net.conv1.weight.val()),
            before[1] != vec(net.conv2.layer().weight.val()),
        ]);
    }
    assert_eq!(moved, [[false, true], [false, true], [true, true]]);
}

/// A trainer of one's own that never observed.
fn without_sums() {
    let plan = swta().with(Entry::backprop("conv1").optional());
    let (net, plan) = plan.bind(net()).unwrap();
    let grads = GradientsParams::from_grads(loss(net.forward(images(1))).backward(), &net);
    let before = bits(&net);
    let refused = plan.optimize(&mut plan.optimizer(AdamConfig::new()), 0.1, net, grads).unwrap_err();
    assert!(refused.to_string().contains("`conv2`"), "{refused}");
    assert_eq!(bits(&refused.into_model()), before);
}

/// Sums that miss `optimize` and reach Burn's optimizer have a shape that it cannot step.
fn stepped_by_burn() {
    let (net, optim) = swta().init(net(), SgdConfig::new()).unwrap();
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images(1))).unwrap();
    let grads = seen.local_only().into_grads();
    let sums = grads.get::<4>(net.conv2.layer().weight.id).unwrap();
    assert_ne!(sums.dims(), net.conv2.layer().weight.dims());
}

/// Each pass has its own copy; they know nothing of each other.
fn nested() {
    let plan = swta().frozen("conv1|fc");
    let (net, mut optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let observe = |seed: u64| {
        let forward = |net: &Net| net.forward(images(seed));
        optim.observe(&net, Signals::none(), forward).unwrap().1
    };
    let alone = [observe(1), observe(2)].map(|seen| seen.local_only().into_grads());
    let (inner, outer) = optim
        .observe(&net, Signals::none(), |outer| {
            let (_, inner) = optim.observe(&net, Signals::none(), |net| net.forward(images(2))).unwrap();
            drop(outer.forward(images(1)));
            inner
        })
        .unwrap();
    let together = [outer, inner].map(|seen| seen.local_only().into_grads());
    let id = net.conv2.layer().weight.id;
    for (alone, together) in alone.iter().zip(&together) {
        assert_eq!(vec(alone.get::<4>(id).unwrap()), vec(together.get::<4>(id).unwrap()));
    }
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images(1))).unwrap();
    drop(optim.step(0.1, net.clone().valid(), seen.local_only()));
}
