//! Plans: patterns, rests, reports, and what they refuse.

use burn::{
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::{BoundPlan, Entry, Report, Rest, UpdateError},
    prelude::*,
};
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
        on_flex("plans::unreached_layers_are_listed_and_refused", unreached),
        on_flex("plans::json_round_trip", json_round_trip),
        on_flex("plans::the_layers_own_rule_is_the_default", own_rule),
        on_flex("plans::passes_nest_and_end", passes_nest_and_end),
        on_flex("plans::the_model_outside_a_pass_teaches_nothing", outside_a_pass),
        on_flex("plans::other_threads_teach_too", other_threads),
    ]
}

fn net(device: &Device) -> Net {
    PlainNet::new(device).into()
}

fn x(device: &Device) -> Tensor<4> {
    tensor(5, [4, 2, 6, 5], device)
}

/// The report of a plan on a model.
fn report_of(plan: &Plan, net: &Net) -> Report {
    plan.bind(net.clone()).unwrap().1.report()
}

fn refusal(plan: &Plan, net: Net) -> String {
    plan.bind(net).unwrap_err().to_string()
}

fn trainers(plan: &Plan, net: &Net) -> Vec<String> {
    report_of(plan, net)
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
    let text = report_of(&plan, &net(device)).to_string();
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
    assert!(Plan::new().frozen("conv").bind(net.clone()).is_err());
    assert!(Plan::new().local("onv2", Rule::swta()).bind(net).is_err());
}

fn matches_nothing(device: &Device) {
    let text = refusal(&Plan::new().local("conv3", Rule::swta()), net(device));
    assert!(
        text.starts_with("plan: pattern `conv3` matches nothing; the model has conv1.weight, conv1.bias"),
        "{text}"
    );
}

fn not_local(device: &Device) {
    assert_eq!(
        refusal(&Plan::new().local("conv1", Rule::swta()), net(device)),
        "plan: local pattern `conv1` matches `conv1.weight`, which is in no local layer: wrap the layer in `Local`"
    );
}

fn no_rule(device: &Device) {
    assert_eq!(
        refusal(&Plan::new().local("conv2", LocalTraining::of_the_layer()), net(device)),
        "plan: layer `conv2` is to learn locally, but neither it nor the plan has a rule for it"
    );
}

fn rule_does_not_fit(device: &Device) {
    let error = refusal(&Plan::new().local("conv2", Rule::k_wta(40)), net(device));
    assert_eq!(error, "plan: layer `conv2`: k-winners: k must be in 1..=5, got 40");
}

fn shares_and_patterns(device: &Device) {
    let shares = |local, backprop| {
        let training = LocalTraining::new(Rule::swta()).with_shares(local, backprop);
        refusal(&Plan::new().local("conv2", training), net(device))
    };
    assert!(shares(-0.5, 1.0).contains("got local -0.5 and backprop 1"));
    assert!(shares(0.0, 0.0).contains("not both 0"));
    assert!(shares(f64::NAN, 1.0).contains("NaN"));
    let error = refusal(&Plan::new().frozen("conv("), net(device));
    assert!(error.starts_with("plan: pattern `conv(` is not a regular expression"), "{error}");
}

fn unreached(device: &Device) {
    let plan = Plan::new().local(".*", Rule::swta()).with_rest(Rest::Frozen);
    let (net, mut optim) = plan.init(net(device), SgdConfig::new()).unwrap();
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x(device))).unwrap();
    assert!(seen.unreached().is_empty());
    let part = |optim: &LocalOptimizer, net: &Net| {
        let forward = |net: &Net| net.conv2.forward(net.conv1.forward(x(device)));
        optim.observe(net, Signals::none(), forward).unwrap().1
    };
    let seen = part(&optim, &net);
    assert_eq!(seen.unreached(), ["fc"]);
    let refused = optim.step(0.1, net, seen.local_only()).unwrap_err();
    assert_eq!(*refused.error(), UpdateError::Unreached { layer: "fc".to_string() });
    // but for steps that may leave it out: by the updates, or by the plan
    let net = refused.into_model();
    let before = vec(net.conv2.layer().weight.val());
    let updates = part(&optim, &net).local_only().partial();
    let net = optim.step(0.1, net, updates).unwrap();
    assert_ne!(vec(net.conv2.layer().weight.val()), before);
    let plan = plan.with(Entry::local("fc", Rule::swta()).optional());
    let (net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
    let updates = part(&optim, &net).local_only();
    assert!(optim.step(0.1, net, updates).is_ok());
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
    assert_eq!(read, plan);
    assert_eq!(report_of(&read, &net(device)), report_of(&plan, &net(device)));
    let unknown = serde_json::from_str::<Plan>(r#"{"entrys":[]}"#).unwrap_err().to_string();
    assert!(unknown.contains("entrys"), "{unknown}");
}

fn own_rule(device: &Device) {
    let mut net = net(device);
    net.conv2 = net.conv2.with_rule(Rule::hard_wta());
    assert!(trainers(&Plan::new(), &net).contains(&"conv2.weight local".to_string()));
    assert!(trainers(&Plan::new().backprop("conv2"), &net).contains(&"conv2.weight backprop".to_string()));
    // a rule of the plan overrides the layer's
    let text = report_of(&Plan::new().local("conv2", Rule::sanger()), &net).to_string();
    assert!(text.contains("recurrence: Sanger") && !text.contains("KWinners"), "{text}");
}

/// What a pass over conv2 taught, if it did.
fn taught(net: &Net, bound: &BoundPlan, forward: impl FnOnce(&Net)) -> Option<Vec<f64>> {
    let (_, seen) = bound.observe(net, Signals::none(), forward).unwrap();
    let (net, grads) = bound.finish(net.clone(), seen.local_only().partial()).unwrap();
    grads.get::<4>(net.conv2.layer().weight.id).map(vec)
}

/// Each pass has a copy of its own; after a panic nothing is left of it.
fn passes_nest_and_end(device: &Device) {
    let (net, bound) = Plan::new().local("conv2", Rule::swta()).bind(net(device)).unwrap();
    let pass = |net: &Net| drop(net.forward(x(device)));
    let alone = taught(&net, &bound, pass);
    assert!(alone.is_some());
    let mut inner = None;
    let outer = taught(&net, &bound, |_| inner = taught(&net, &bound, pass));
    assert_eq!((inner, outer), (alone.clone(), None));
    let both = taught(&net, &bound, |copy| {
        pass(copy);
        drop(bound.observe(&net, Signals::none(), |other| other.forward(x(device))).unwrap());
    });
    assert_eq!(both, alone);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        taught(&net, &bound, |copy| {
            pass(copy);
            panic!("in the forward pass")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(taught(&net, &bound, pass), alone);
    let unobserved = net.forward(x(device));
    let (observed, _) = bound.observe(&net, Signals::none(), |net| net.forward(x(device))).unwrap();
    assert_eq!(vec(unobserved), vec(observed));
}

/// The closure's model teaches, not the one outside.
fn outside_a_pass(device: &Device) {
    let (net, bound) = Plan::new().local("conv2", Rule::swta()).bind(net(device)).unwrap();
    let (_, seen) = bound.observe(&net, Signals::none(), |_| net.forward(x(device))).unwrap();
    assert_eq!(seen.unreached(), ["conv2"]);
}

fn other_threads(device: &Device) {
    let (net, bound) = Plan::new().local("conv2", Rule::swta()).bind(net(device)).unwrap();
    let pass = |net: &Net| drop(net.forward(x(device)));
    let elsewhere =
        |net: &Net| std::thread::scope(|scope| scope.spawn(|| pass(net)).join().expect("the pass ends"));
    let there = taught(&net, &bound, elsewhere);
    assert!(there.is_some());
    assert_eq!(there, taught(&net, &bound, pass));
}
