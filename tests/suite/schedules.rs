//! Plans over epochs: who learns when, by which optimizer, how fast.

use burn::{
    grad_clipping::GradientClippingConfig,
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, SgdConfig},
    tensor::{Device, Int, Tensor},
};
use burn_hebbian::{
    optim::{Entry, IntoOptimizer, PlanError, Rest, UpdateError},
    prelude::*,
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("schedules::pretraining_then_fine_tuning", pretraining_then_fine_tuning),
        on_flex("schedules::each_pattern_has_its_optimizer_and_rate", optimizers_and_rates),
        on_flex("schedules::local_layers_are_not_clipped_with_the_rest", not_clipped_with_the_rest),
        on_flex("schedules::a_plan_with_epochs_waits_for_the_first", waits_for_the_first),
        on_flex("schedules::a_pass_may_end_where_learning_ends", ends_where_it_likes),
        on_flex("schedules::rehearsals_tell_what_is_never_reached", rehearsals),
        on_flex("schedules::plans_with_epochs_round_trip_and_are_checked", round_trip),
    ]
}

fn x(device: &Device) -> Tensor<4> {
    tensor(5, [4, 2, 6, 5], device)
}

/// The weights of conv1, conv2 and fc.
fn weights(net: &Net) -> [Vec<f64>; 3] {
    [vec(net.conv1.weight.val()), vec(net.conv2.layer().weight.val()), vec(net.fc.layer().weight.val())]
}

/// A step, by whatever trains in it, the rest at a rate of 0.1.
fn step(optim: &mut LocalOptimizer, net: Net) -> Net {
    let forward = |net: &Net| {
        let logits = net.forward(x(&net.conv1.weight.device()));
        let labels = Tensor::<1, Int>::from_ints([0, 1, 2, 1], &logits.device());
        CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, labels)
    };
    let (loss, seen) = optim.observe(&net, Signals::none(), forward).unwrap();
    let updates = seen.backward(loss).unwrap();
    optim.step(0.1, net, updates).unwrap()
}

/// The weights after one step of a plan, from those of `net`.
fn stepped(plan: &Plan, net: &Net, base: impl IntoOptimizer) -> [Vec<f64>; 3] {
    let (net, mut optim) = plan.init(net.clone(), base).unwrap();
    weights(&step(&mut optim, net))
}

/// Epochs 1 and 2: conv2 learns locally, all else stands still. Then backprop everywhere but in conv1, which starts
/// at the fourth epoch.
fn pretraining_then_fine_tuning(device: &Device) {
    let plan = Plan::new()
        .with(Entry::local("conv2", Rule::swta()).in_epochs(1..=2))
        .with(Entry::backprop("conv2|fc").in_epochs(3..))
        .with(Entry::backprop("conv1").in_epochs(4..));
    let net: Net = PlainNet::new(&device.clone().autodiff()).into();
    let (mut net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let mut moved = Vec::new();
    for number in 1..=4 {
        let before = weights(&net);
        net = optim.begin_epoch(number, net).unwrap();
        net = step(&mut optim, net);
        let changed = |i: usize| weights(&net)[i] != before[i];
        moved.push([changed(0), changed(1), changed(2)]);
    }
    assert_eq!(
        moved,
        [[false, true, false], [false, true, false], [false, true, true], [true, true, true]],
        "conv1, conv2, fc"
    );
    assert_eq!(plan.phases(5), [1..=2, 3..=3, 4..=5]);
    assert_eq!(plan.phases(2), [1..=2]);
    assert_eq!(Plan::new().phases(3), [1..=3]);
    let trainers = |number: usize| plan.bind_in(number, net.clone()).unwrap().1.report().to_string();
    assert!(trainers(1).contains("conv2.weight  local") && trainers(1).contains("fc.weight     frozen"));
    assert!(trainers(3).contains("conv2.weight  backprop") && trainers(3).contains("conv1.weight  frozen"));
}

/// Until somebody says which epoch it is, nothing can be observed.
fn waits_for_the_first(device: &Device) {
    let plan = Plan::new().with(Entry::local("conv2", Rule::swta()).in_epochs(2..)).with_rest(Rest::Frozen);
    let net: Net = PlainNet::new(device).into();
    let (net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let pass = |optim: &LocalOptimizer, net: &Net| {
        optim.observe(net, Signals::none(), |net| net.forward(x(device))).map(|(_, seen)| seen.local_only())
    };
    assert_eq!(pass(&optim, &net).unwrap_err(), UpdateError::NoEpoch);
    assert_eq!(optim.begin_epoch(0, net.clone()).unwrap_err(), PlanError::EpochZero);
    let net = optim.begin_epoch(1, net).unwrap();
    let before = weights(&net);
    let updates = pass(&optim, &net).unwrap();
    let net = optim.step(0.1, net, updates).unwrap();
    assert_eq!(weights(&net), before, "its epoch has not come");
    // what was seen in an epoch is not learned in another phase
    let late = pass(&optim, &net).unwrap();
    let net = optim.begin_epoch(2, net).unwrap();
    let refused = optim.step(0.1, net, late).unwrap_err();
    assert!(matches!(refused.error(), UpdateError::Foreign { .. }), "{refused}");
    let net = refused.into_model();
    let updates = pass(&optim, &net).unwrap();
    assert_ne!(weights(&optim.step(0.1, net, updates).unwrap())[1], before[1]);
}

/// One step of each: SGD at 0.1 for the rest, Adam at 0.01 for fc, the local layer at 0.5.
fn optimizers_and_rates(device: &Device) {
    // conv1, below a layer that passes nothing on, stands still
    let hybrid = |hebb: Entry| Plan::new().with(hebb).frozen("conv1");
    let hebb = || Entry::local("conv2", Rule::hebb());
    let by_adam = Entry::backprop("fc").by(AdamConfig::new()).at_rate(0.01);
    let plan = hybrid(hebb().at_rate(0.5)).with(by_adam);
    let net: Net = PlainNet::new(&device.clone().autodiff()).into();
    let before = weights(&net);
    let after = stepped(&plan, &net, SgdConfig::new());
    // the first step of Adam is the rate, whatever the size of the gradient (far above Adam's epsilon)
    let steps: Vec<f64> = before[2].iter().zip(&after[2]).map(|(a, b)| (a - b).abs()).collect();
    let largest = steps.iter().copied().fold(0.0, f64::max);
    assert!((largest - 0.01).abs() < 1e-4, "the largest step of Adam is {largest}");
    let slower = stepped(&hybrid(hebb().at_rate(0.25)), &net, SgdConfig::new());
    let double: Vec<f64> = before[1].iter().zip(&slower[1]).map(|(b, s)| b + 2.0 * (s - b)).collect();
    assert_close("twice the rate, twice the step", &after[1], &double, 1e-6);
    // the rest's rate is the step's
    let at_the_rest = stepped(&hybrid(hebb().at_rate(0.1)), &net, SgdConfig::new());
    let without = stepped(&hybrid(hebb()), &net, SgdConfig::new());
    assert_eq!(without[1], at_the_rest[1]);
    // a local layer learns by plain SGD, whatever the rest learns by
    let by_adam = stepped(&hybrid(hebb()), &net, AdamConfig::new());
    assert_eq!(by_adam[1], without[1]);
    assert_ne!(by_adam[2], without[2]);
}

/// Clipping of the rest does not reach local layers; of their own it does.
fn not_clipped_with_the_rest(device: &Device) {
    let clipping = || SgdConfig::new().with_gradient_clipping(Some(GradientClippingConfig::Norm(1e-6)));
    let net: Net = PlainNet::new(device).into();
    let [_, before, _] = weights(&net);
    let moved = |entry: Entry| {
        let (net, mut optim) = Plan::new().with(entry).init(net.clone(), clipping()).unwrap();
        let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x(device))).unwrap();
        let after = optim.step(0.1, net, seen.local_only()).unwrap();
        weights(&after)[1].iter().zip(&before).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let entry = || Entry::local("conv2", Rule::swta());
    assert!(moved(entry()) > 1e-4);
    assert!(moved(entry().by(clipping())) < 1e-6);
}

/// Nothing above the last local layer has to run, and what is learned is the same.
fn ends_where_it_likes(device: &Device) {
    let net: Net = PlainNet::new(device).into();
    let plan = Plan::new().local("conv2", Rule::swta()).with_rest(Rest::Frozen);
    let (net, bound) = plan.bind(net).unwrap();
    assert!(!bound.needs_backward());
    let learned = |forward: &dyn Fn(&Net)| {
        let (_, seen) = bound.observe(&net, Signals::none(), forward).unwrap();
        let (net, grads) = bound.finish(net.clone(), seen.local_only()).unwrap();
        vec(grads.get::<4>(net.conv2.layer().weight.id).unwrap())
    };
    let early = learned(&|net| drop(net.conv2.forward(net.conv1.forward(x(device)))));
    let whole = learned(&|net| {
        let y = net.conv2.forward(net.conv1.forward(x(device)));
        drop(net.fc.forward(y.flatten::<2>(1, 3)));
    });
    assert_eq!(early, whole);
}

fn rehearsals(device: &Device) {
    let net: Net = PlainNet::new(device).into();
    let (net, optim) = Plan::new().local("conv2|fc", Rule::swta()).init(net, SgdConfig::new()).unwrap();
    let before = weights(&net);
    let whole = optim.rehearse(&net, Signals::none(), |net| net.forward(x(device))).unwrap();
    assert!(whole.unreached.is_empty());
    assert_eq!(whole, optim.report());
    let forward = |net: &Net| net.conv2.forward(net.conv1.forward(x(device)));
    let part = optim.rehearse(&net, Signals::none(), forward).unwrap();
    assert_eq!(part.unreached, ["fc"]);
    assert!(part.to_string().ends_with("fc: the forward pass never reached this layer, it will not learn\n"));
    assert_eq!(weights(&net), before);
}

fn round_trip(device: &Device) {
    let local = Entry::local("conv2", Rule::swta()).by(SgdConfig::new()).at_rate(0.1).in_epochs(1..=2);
    let plan = Plan::new().with(local).with(Entry::backprop("fc").in_epochs(3..).optional());
    let json = serde_json::to_string(&plan).unwrap();
    let read = serde_json::from_str::<Plan>(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(read, plan);
    assert!(json.contains(r#""epochs":{"first":1,"last":2}"#), "{json}");
    let short = r#"{"entries":[{"pattern":"conv2","training":{"local":{}},"optimizer":{"Sgd":{}}}]}"#;
    let unknown = serde_json::from_str::<Plan>(short).unwrap_err().to_string();
    assert!(unknown.contains("unknown variant `Sgd`"), "{unknown}");
    let short = short.replace("Sgd", "sgd");
    assert!(serde_json::from_str::<Plan>(&short).is_ok());
    let misspelt = serde_json::from_str::<Plan>(&short.replace("optimizer", "optimzer")).unwrap_err();
    assert!(misspelt.to_string().contains("optimizer"), "{misspelt}");
    let net: Net = PlainNet::new(device).into();
    let refused = |epochs: std::ops::Range<usize>| {
        let plan = Plan::new().with(Entry::local("conv2", Rule::swta()).in_epochs(epochs));
        plan.bind(net.clone()).unwrap_err().to_string()
    };
    assert!(refused(3..3).ends_with("the first not after the last, got 3 to 2"));
    assert!(refused(0..9).contains("counted from 1"));
}
