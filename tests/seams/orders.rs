//! What a plan says is what happens, whatever was applied before.

use burn::{
    grad_clipping::GradientClippingConfig,
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Linear, LinearConfig,
        conv::{Conv2d, Conv2dConfig},
    },
    optim::{AdamConfig, SgdConfig},
    tensor::Tensor,
};
use burn_hebbian::{
    optim::{Entry, Rest},
    prelude::*,
    rules::Gate,
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{device, images, kind, loss};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [
        ("fine_tuning_after_freezing_learns", fine_tuning),
        ("any_order_of_plans_is_the_last_one", any_order),
        ("a_local_pattern_leaves_the_norm_of_its_block_to_the_rest", norm_of_a_block),
        ("local_layers_learn_by_plain_sgd", plain_sgd),
        ("the_last_entry_decides_about_optimizer_and_rate", last_entry),
        ("another_rule_starts_with_a_state_of_its_own", another_rule),
        ("layers_may_get_another_rule", exchanged_rule),
        ("a_phase_keeps_what_the_one_before_learned", phases),
    ];
    kind("orders", tests)
}

fn net() -> Net {
    Net::from(PlainNet::new(&device()))
}

fn weights(net: &Net) -> [Vec<f64>; 3] {
    [vec(net.conv1.weight.val()), vec(net.conv2.layer().weight.val()), vec(net.fc.layer().weight.val())]
}

/// One step; which of conv1, conv2 and fc it moved.
fn moved_by(plan: &Plan, net: Net) -> (Net, [bool; 3]) {
    let (net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let before = weights(&net);
    let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(1)))).unwrap();
    let updates = seen.backward(loss).unwrap();
    let net = optim.step(0.1, net, updates).unwrap();
    let after = weights(&net);
    (net, [0, 1, 2].map(|layer| before[layer] != after[layer]))
}

fn fine_tuning() {
    let frozen = Plan::new().local("conv2", Rule::swta()).with_rest(Rest::Frozen);
    let (net, moved) = moved_by(&frozen, net());
    assert_eq!(moved, [false, true, false]);
    assert_eq!(moved_by(&Plan::new(), net).1, [true; 3]);
}

fn any_order() {
    let passing = LocalTraining::new(Rule::bcm()).passing_gradients();
    let plans = [
        (Plan::new(), [true, true, true]),
        (Plan::new().local("conv2", Rule::swta()).with_rest(Rest::Frozen), [false, true, false]),
        (Plan::new().frozen("conv.*"), [false, false, true]),
        (Plan::new().local("conv2", passing.clone()), [true, true, true]),
        (Plan::new().local("conv2", passing.with_shares(1.0, 1.0)), [true, true, true]),
        (Plan::new().local("conv2|fc", Rule::hebb()).frozen("conv1"), [false, true, true]),
    ];
    for (first, _) in &plans {
        for (second, _) in &plans {
            let mut net = moved_by(first, net()).0;
            net = moved_by(second, net).0;
            for (plan, expected) in &plans {
                let (next, moved) = moved_by(plan, net);
                assert_eq!(moved, *expected, "{plan:?} after {second:?} after {first:?}");
                net = next;
            }
        }
    }
}

#[derive(Module, Debug)]
struct Block {
    conv: Local<Conv2d>,
    norm: BatchNorm,
    scale: Linear,
}

#[derive(Module, Debug)]
struct WithBlock {
    block1: Block,
    fc: Linear,
}

/// Adam moves a weight by about the rate, whatever the gradient; SGD at 0.1 by a tenth of it.
fn norm_of_a_block() {
    let block1 = Block {
        conv: Local::new(Conv2dConfig::new([1, 4], [3, 3]).init(&device())),
        norm: BatchNormConfig::new(4).init(&device()),
        scale: LinearConfig::new(36, 36).init(&device()),
    };
    let net = WithBlock { block1, fc: LinearConfig::new(4 * 36, 2).init(&device()) };
    let plan = Plan::new().with(Entry::local("block1", Rule::swta()).at_rate(0.1));
    let (net, mut optim) = plan.init(net, AdamConfig::new()).unwrap();
    let of = |net: &WithBlock| vec(net.block1.norm.gamma.val());
    let before = of(&net);
    let x = tensor::<4>(5, [4, 1, 8, 8], &device());
    let forward = |net: &WithBlock| {
        let y = net.block1.norm.forward(net.block1.conv.forward(x));
        let y = net.block1.scale.forward(y.reshape([4, 4, 36]));
        net.fc.forward::<2>(y.flatten(1, 2)).powi_scalar(2).mean()
    };
    let (loss, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
    let net = optim.step(1e-2, net, seen.backward(loss).unwrap()).unwrap();
    let moved: Vec<f64> = of(&net).iter().zip(&before).map(|(now, before)| (now - before).abs()).collect();
    assert!(
        moved.iter().all(|moved| (moved - 1e-2).abs() < 1e-3),
        "by Adam each moves by 1e-2, moved {moved:?}"
    );
}

/// Whatever the rest learns by, and without its clipping.
fn plain_sgd() {
    let plan = Plan::new().local("conv2", Rule::swta()).frozen("conv1");
    let start = net();
    let run = |base: AdamConfig| {
        let (net, mut optim) = plan.init(start.clone(), base).unwrap();
        let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(1)))).unwrap();
        let updates = seen.backward(loss).unwrap();
        weights(&optim.step(0.1, net, updates).unwrap())[1].clone()
    };
    let (bound, plan) = plan.bind(start.clone()).unwrap();
    let (_, seen) = plan.observe(&bound, Signals::none(), |net| net.forward(images(1))).unwrap();
    let (_, grads) = plan.finish(bound, seen.local_only()).unwrap();
    let gradient = vec(grads.get::<4>(start.conv2.layer().weight.id).unwrap());
    let expected: Vec<f64> =
        weights(&start)[1].iter().zip(gradient).map(|(weight, gradient)| weight - 0.1 * gradient).collect();
    let clipped = AdamConfig::new().with_grad_clipping(Some(GradientClippingConfig::Value(1e-6)));
    for base in [AdamConfig::new(), clipped] {
        assert_close("conv2", &run(base), &expected, 1e-6);
    }
}

fn last_entry() {
    // the last entry has neither optimizer nor rate: the rest's hold, not those of the entry before
    let plan = Plan::new()
        .with(Entry::backprop(".*").by(AdamConfig::new()).at_rate(0.5))
        .with(Entry::backprop("conv1"))
        .with(Entry::backprop("fc").by(AdamConfig::new()));
    let (net, mut optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let before = weights(&net);
    let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(1)))).unwrap();
    let updates = seen.backward(loss).unwrap();
    let after = weights(&optim.step(0.01, net, updates).unwrap());
    let largest = |layer: usize| {
        after[layer]
            .iter()
            .zip(&before[layer])
            .fold(0.0f64, |most, (now, before)| most.max((now - before).abs()))
    };
    assert!(largest(0) < 5e-3, "by SGD at 0.01: {}", largest(0));
    assert!((largest(1) - 0.5).abs() < 0.01, "by Adam at 0.5: {}", largest(1));
    assert!((largest(2) - 0.01).abs() < 1e-3, "by Adam at 0.01: {}", largest(2));
}

/// Both keep as many numbers.
fn another_rule() {
    let plan = |rule: Rule| Plan::new().local("conv2", rule).with_rest(Rest::Frozen);
    let (net, first) = moved_by(&plan(Rule::bcm()), net());
    assert!(first[1]);
    let learned = vec(net.conv2.rule_state().unwrap());
    let (again, _) = plan(Rule::bcm()).bind(net.clone()).unwrap();
    assert_eq!(vec(again.conv2.rule_state().unwrap()), learned, "the same rule goes on");
    let other = Rule::bcm().with_gate(match Rule::bcm().gate {
        Gate::Bcm { .. } => Gate::Bcm { momentum: 0.5 },
        gate => gate,
    });
    let (other, _) = plan(other).bind(net).unwrap();
    assert_ne!(vec(other.conv2.rule_state().unwrap()), learned, "another one starts anew");
}

fn exchanged_rule() {
    let mut net = net();
    net.conv2 = net.conv2.with_rule(Rule::hebb());
    let plan = Plan::new().with_rest(Rest::Frozen);
    let (mut net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let delta = |optim: &mut LocalOptimizer, net: &Net| {
        let (_, seen) = optim.observe(net, Signals::none(), |net| net.forward(images(1))).unwrap();
        let after = optim.step(1.0, net.clone(), seen.local_only()).unwrap();
        weights(&after)[1].clone()
    };
    let by_hebb = delta(&mut optim, &net);
    net.conv2 = net.conv2.with_rule(Rule::oja());
    assert_ne!(delta(&mut optim, &net), by_hebb);
}

/// conv2 by a rule with state, then at rest, then again.
fn phases() {
    let plan = Plan::new()
        .frozen("conv1")
        .with(Entry::local("conv2", Rule::bcm()).in_epochs(..=1))
        .with(Entry::backprop("fc").in_epochs(2..=2))
        .with(Entry::local("conv2", Rule::bcm()).in_epochs(3..));
    let (mut net, mut optim) = plan.init(net(), SgdConfig::new()).unwrap();
    let mut states = Vec::new();
    for epoch in 1..=3 {
        net = optim.begin_epoch(epoch, net).unwrap();
        states.push(net.conv2.rule_state().map(vec));
        let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(net.forward(images(1)))).unwrap();
        let updates = seen.backward(loss).unwrap();
        net = optim.step(0.1, net, updates).unwrap();
        states.push(net.conv2.rule_state().map(vec));
    }
    assert_ne!(states[0], states[1]);
    assert_eq!(states[1], states[2]);
    assert_eq!(states[2], states[3]);
    assert_eq!(states[3], states[4]);
    assert_ne!(states[4], states[5]);
    let _: Tensor<2> = net.forward(images(1));
}
