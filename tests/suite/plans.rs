//! Plans: patterns, rests, reports, and what they refuse.

use burn::tensor::{Device, Tensor};
use burn_hebbian::prelude::*;
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{tensor, vec},
};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("plans::report_says_what_trains_each_parameter", report),
        on_flex("plans::patterns_are_anchored_and_the_last_wins", patterns),
        on_flex("plans::a_pattern_that_matches_nothing_is_refused", matches_nothing),
        on_flex("plans::a_local_pattern_on_a_plain_layer_is_refused", not_local),
        on_flex("plans::a_layer_without_a_rule_is_refused", no_rule),
        on_flex("plans::a_rule_that_does_not_fit_is_refused_by_name", rule_does_not_fit),
        on_flex("plans::shares_and_patterns_are_checked", shares_and_patterns),
        on_flex("plans::unreached_layers_are_listed", unreached),
        on_flex("plans::json_round_trip", json_round_trip),
        on_flex("plans::the_layers_own_rule_is_the_default", own_rule),
        on_flex("plans::observers_nest_and_end", observers_nest_and_end),
        on_flex("plans::other_threads_are_not_observed", other_threads),
    ]
}

fn net(device: &Device) -> Net {
    PlainNet::new(device).into()
}

fn x(device: &Device) -> Tensor<4> {
    tensor(5, [4, 2, 6, 5], device)
}

fn trainers(plan: &Plan, net: &Net) -> Vec<String> {
    let report = plan.report(net).unwrap();
    report
        .parameters
        .iter()
        .map(|(path, by)| format!("{path} {}", by.to_string().split(':').next().unwrap()))
        .collect()
}

fn report(device: &Device) {
    let plan = Plan::new().local("conv2", Rule::swta()).frozen("conv1.bias");
    assert_eq!(
        trainers(&plan, &net(device)),
        [
            "conv1.weight backprop",
            "conv1.bias frozen",
            "conv2.weight local",
            "conv2.bias frozen",
            "fc.weight backprop",
            "fc.bias backprop"
        ]
    );
    let text = plan.report(&net(device)).unwrap().to_string();
    assert!(text.lines().any(|line| line.starts_with("conv2.weight  local: Rule")), "{text}");
}

fn patterns(device: &Device) {
    let net = net(device);
    // `.*` covers plain parameters too, which local patterns do not concern
    let plan = Plan::new().local(".*", Rule::swta()).with_rest(Rest::Frozen).backprop("fc");
    assert_eq!(
        trainers(&plan, &net),
        [
            "conv1.weight frozen",
            "conv1.bias frozen",
            "conv2.weight local",
            "conv2.bias frozen",
            "fc.weight backprop",
            "fc.bias backprop"
        ]
    );
    let plan = Plan::new().frozen("conv.*").local("conv2", Rule::swta()).backprop("conv2.bias");
    assert_eq!(
        trainers(&plan, &net)[..4],
        ["conv1.weight frozen", "conv1.bias frozen", "conv2.weight local", "conv2.bias backprop"]
    );
    // `conv` is no whole path component, `c` even less
    assert!(Plan::new().frozen("conv").report(&net).is_err());
    assert!(Plan::new().local("onv2", Rule::swta()).report(&net).is_err());
}

fn matches_nothing(device: &Device) {
    let error = Plan::new().local("conv3", Rule::swta()).apply(net(device)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("plan: pattern `conv3` matches nothing; the model has conv1.weight, conv1.bias"),
        "{text}"
    );
}

fn not_local(device: &Device) {
    let error = Plan::new().local("conv1", Rule::swta()).apply(net(device)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "plan: local pattern `conv1` matches `conv1.weight`, which is in no local layer: wrap the layer in `Local`"
    );
}

fn no_rule(device: &Device) {
    let error = Plan::new().local("conv2", LocalTraining::of_the_layer()).apply(net(device)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "plan: layer `conv2` is to learn locally, but neither it nor the plan has a rule for it"
    );
}

fn rule_does_not_fit(device: &Device) {
    let error = Plan::new().local("conv2", Rule::k_wta(40)).apply(net(device)).unwrap_err();
    assert_eq!(error.to_string(), "plan: layer `conv2`: k-winners: k must be in 1..=5, got 40");
}

fn shares_and_patterns(device: &Device) {
    let shares = |local, backprop| {
        let training = LocalTraining::new(Rule::swta()).with_shares(local, backprop);
        Plan::new().local("conv2", training).apply(net(device)).unwrap_err().to_string()
    };
    assert!(shares(-0.5, 1.0).contains("got local -0.5 and backprop 1"));
    assert!(shares(0.0, 0.0).contains("not both 0"));
    assert!(shares(f64::NAN, 1.0).contains("NaN"));
    let error = Plan::new().frozen("conv(").apply(net(device)).unwrap_err().to_string();
    assert!(error.starts_with("plan: pattern `conv(` is no regular expression"), "{error}");
}

fn unreached(device: &Device) {
    let net = net(device);
    let plan = Plan::new().local(".*", Rule::swta());
    let (_, updates) = plan.observe(&net, Signals::none(), || net.conv1.forward(x(device))).unwrap();
    assert_eq!(updates.unreached(), ["conv2", "fc"]);
    let (_, updates) = plan.observe(&net, Signals::none(), || net.forward(x(device))).unwrap();
    assert!(updates.unreached().is_empty());
}

fn json_round_trip(device: &Device) {
    let plan = Plan::new()
        .local("conv2", LocalTraining::new(Rule::k_wta(3)).passing_gradients().with_shares(0.5, 0.25))
        .frozen("conv1")
        .with_rest(Rest::Frozen)
        .with_finite_check_every(7);
    let json = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(read.report(&net(device)).unwrap(), plan.report(&net(device)).unwrap());
    let unknown = serde_json::from_str::<Plan>(r#"{"entrys":[]}"#).unwrap_err().to_string();
    assert!(unknown.contains("entrys"), "{unknown}");
}

fn own_rule(device: &Device) {
    let mut net = net(device);
    net.conv2 = net.conv2.with_rule(Rule::hard_wta());
    assert!(trainers(&Plan::new(), &net).contains(&"conv2.weight local".to_string()));
    assert!(trainers(&Plan::new().backprop("conv2"), &net).contains(&"conv2.weight backprop".to_string()));
    // a rule of the plan overrides the layer's
    let text = Plan::new().local("conv2", Rule::sanger()).report(&net).unwrap().to_string();
    assert!(text.contains("recurrence: Sanger") && !text.contains("KWinners"), "{text}");
}

/// The innermost observer sees the layer; after a panic nobody does.
fn observers_nest_and_end(device: &Device) {
    let net = net(device);
    let plan = Plan::new().local("conv2", Rule::swta());
    let inner = || plan.observe(&net, Signals::none(), || net.forward(x(device))).unwrap().1;
    let (inner, outer) = plan.observe(&net, Signals::none(), inner).unwrap();
    assert!(inner.unreached().is_empty());
    assert_eq!(outer.unreached(), ["conv2"]);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = plan.observe(&net, Signals::none(), || panic!("in the forward pass"));
    }));
    assert!(panicked.is_err());
    assert!(burn_hebbian::core::observe::observer().is_none());
    let unobserved = net.forward(x(device));
    assert_eq!(
        vec(unobserved),
        vec(plan.observe(&net, Signals::none(), || net.forward(x(device))).unwrap().0)
    );
}

fn other_threads(device: &Device) {
    let net = net(device);
    let plan = Plan::new().local("conv2", Rule::swta());
    let elsewhere = || std::thread::scope(|scope| scope.spawn(|| net.forward(x(device))).join().unwrap());
    let (_, updates) = plan.observe(&net, Signals::none(), elsewhere).unwrap();
    assert_eq!(updates.unreached(), ["conv2"]);
}
