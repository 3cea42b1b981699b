//! Plans over epochs: who learns when, by which optimizer, how fast.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use burn::{
    grad_clipping::GradientClippingConfig,
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, GradientsParams, SgdConfig},
    tensor::{Device, Int, Tensor},
};
use burn_hebbian::prelude::*;
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
        on_flex("schedules::learning_ends_at_the_last_layer_that_learns", ends_at_the_last_layer),
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

/// One epoch of one step, by whatever trains in it.
fn epoch(plan: &Plan, net: Net, number: usize) -> Net {
    let plan = plan.at_epoch(number);
    let net = plan.apply(net).unwrap();
    let device = net.conv1.weight.device();
    let forward = || {
        let logits = net.forward(x(&device));
        let labels = Tensor::<1, Int>::from_ints([0, 1, 2, 1], &logits.device());
        CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, labels)
    };
    let (loss, updates) = plan.observe(&net, Signals::none(), forward).unwrap();
    let mut grads = match plan.needs_backward(&net).unwrap() {
        true => GradientsParams::from_grads(loss.backward(), &net),
        false => GradientsParams::new(),
    };
    updates.register(&net, &mut grads);
    let mut optimizer = plan.optimizer(&net, SgdConfig::new().init()).unwrap();
    let rate = plan.schedule(0.1).unwrap().init().unwrap().step();
    plan.step(&mut optimizer, rate, net, grads).unwrap()
}

/// Epochs 1 and 2: conv2 learns locally, all else stands still. Then backprop everywhere but in conv1, which starts
/// at the fourth epoch.
fn pretraining_then_fine_tuning(device: &Device) {
    let plan = Plan::new()
        .local("conv2", Rule::swta())
        .in_epochs(1..=2)
        .backprop("conv2|fc")
        .in_epochs(3..)
        .backprop("conv1")
        .in_epochs(4..);
    let mut net: Net = PlainNet::new(&device.clone().autodiff()).into();
    let mut moved = Vec::new();
    for number in 1..=4 {
        let before = weights(&net);
        net = epoch(&plan, net, number);
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
    let trainers = |number: usize| plan.at_epoch(number).report(&net).unwrap().to_string();
    assert!(trainers(1).contains("conv2.weight  local") && trainers(1).contains("fc.weight     frozen"));
    assert!(trainers(3).contains("conv2.weight  backprop") && trainers(3).contains("conv1.weight  frozen"));
}

/// One step of each: SGD at 0.1 for the rest, Adam at 0.01 for fc, the local layer at 0.5.
fn optimizers_and_rates(device: &Device) {
    let plan = Plan::new()
        .local("conv2", Rule::hebb())
        .at_rate(0.5)
        .backprop("fc")
        .by(AdamConfig::new())
        .at_rate(0.01);
    let net: Net = PlainNet::new(&device.clone().autodiff()).into();
    let before = weights(&net);
    let after = weights(&epoch(&plan, net.clone(), 1));
    // the first step of Adam is the rate, whatever the size of the gradient (far above Adam's epsilon)
    let steps: Vec<f64> = before[2].iter().zip(&after[2]).map(|(a, b)| (a - b).abs()).collect();
    let largest = steps.iter().copied().fold(0.0, f64::max);
    assert!((largest - 0.01).abs() < 1e-4, "the largest step of Adam is {largest}");
    let slower = weights(&epoch(&Plan::new().local("conv2", Rule::hebb()).at_rate(0.25), net, 1));
    let double: Vec<f64> = before[1].iter().zip(&slower[1]).map(|(b, s)| b + 2.0 * (s - b)).collect();
    assert_close("twice the rate, twice the step", &after[1], &double, 1e-6);
}

/// Clipping of the rest does not reach local layers; of their own it does.
fn not_clipped_with_the_rest(device: &Device) {
    let clipping = || SgdConfig::new().with_gradient_clipping(Some(GradientClippingConfig::Norm(1e-6)));
    let net: Net = PlainNet::new(device).into();
    let step = |plan: &Plan| {
        let net = plan.apply(net.clone()).unwrap();
        let updates = plan.learn(&net, Signals::none(), || net.forward(x(device))).unwrap();
        let grads = updates.into_grads(&net);
        let mut optimizer = plan.optimizer(&net, clipping().init()).unwrap();
        let after = plan.step(&mut optimizer, 0.1, net.clone(), grads).unwrap();
        let [_, before, _] = weights(&net);
        let moved = weights(&after)[1].iter().zip(before).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        moved.sqrt()
    };
    let plan = Plan::new().local("conv2", Rule::swta());
    assert!(step(&plan) > 1e-4);
    assert!(step(&plan.by(clipping())) < 1e-6);
}

/// Nothing above the last local layer runs, and a panic below it is a panic.
fn ends_at_the_last_layer(device: &Device) {
    let net: Net = PlainNet::new(device).into();
    let plan = Plan::new().local("conv2", Rule::swta()).with_rest(Rest::Frozen);
    let reached = Cell::new(false);
    let forward = || {
        let y = net.conv2.forward(net.conv1.forward(x(device)));
        reached.set(true);
        y
    };
    let early = plan.learn(&net, Signals::none(), forward).unwrap().into_grads(&net);
    assert!(!reached.get(), "the pass ended at conv2");
    let (_, updates) = plan.observe(&net, Signals::none(), forward).unwrap();
    assert!(reached.get());
    let id = net.conv2.layer().weight.id;
    let whole = updates.into_grads(&net);
    assert_eq!(vec(early.get::<4>(id).unwrap()), vec(whole.get::<4>(id).unwrap()));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        plan.learn(&net, Signals::none(), || panic!("in the forward pass")).map(drop)
    }));
    assert_eq!(*panicked.unwrap_err().downcast_ref::<&str>().unwrap(), "in the forward pass");
}

fn rehearsals(device: &Device) {
    let net: Net = PlainNet::new(device).into();
    let plan = Plan::new().local("conv2|fc", Rule::swta());
    let whole = plan.rehearse(&net, Signals::none(), || net.forward(x(device))).unwrap();
    assert!(whole.unreached.is_empty());
    let part =
        plan.rehearse(&net, Signals::none(), || net.conv2.forward(net.conv1.forward(x(device)))).unwrap();
    assert_eq!(part.unreached, ["fc"]);
    assert!(part.to_string().ends_with("fc: the forward pass never reached this layer, it will not learn\n"));
}

fn round_trip(device: &Device) {
    let plan = Plan::new()
        .local("conv2", Rule::swta())
        .by(SgdConfig::new())
        .at_rate(0.1)
        .in_epochs(1..=2)
        .backprop("fc")
        .in_epochs(3..);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Plan>(&json).unwrap()).unwrap(), json);
    assert!(json.contains(r#""epochs":{"first":1,"last":2}"#), "{json}");
    let short = r#"{"entries":[{"pattern":"conv2","training":{"local":{}},"optimizer":{"Sgd":{}}}]}"#;
    let unknown = serde_json::from_str::<Plan>(short).unwrap_err().to_string();
    assert!(unknown.contains("unknown variant `Sgd`"), "{unknown}");
    let short = short.replace("Sgd", "sgd");
    assert!(serde_json::from_str::<Plan>(&short).is_ok());
    let misspelt = serde_json::from_str::<Plan>(&short.replace("optimizer", "optimiser")).unwrap_err();
    assert!(misspelt.to_string().contains("optimiser"), "{misspelt}");
    let net: Net = PlainNet::new(device).into();
    let refused = |plan: Plan| plan.report(&net).unwrap_err().to_string();
    let backwards = Plan::new().local("conv2", Rule::swta()).in_epochs(3..).in_epochs(3..3);
    assert!(refused(backwards).ends_with("the first not after the last, got 3 to 2"));
    assert!(refused(Plan::new().local("conv2", Rule::swta()).in_epochs(0..)).contains("counted from 1"));
}
