//! What weights are held to after a step, and decays of the user's.

use burn::{
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::Constraint,
    prelude::*,
    rules::{Activation, Activity},
};
use burn_hebbian_tests::{
    layers::{hebbian_conv, input},
    oracle::Layer,
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("constraints::hold_after_every_step", hold_after_every_step);
    trials.push(on_flex("constraints::by_hand_as_in_the_step", by_hand_as_in_the_step));
    trials.push(on_flex("constraints::plans_round_trip_and_are_checked", plans_round_trip));
    trials.push(on_flex("constraints::a_decay_of_ones_own", a_decay_of_ones_own));
    trials
}

fn layer() -> Layer {
    Layer::dense([4, 2, 4, 3], [6, 2, 2, 2])
}

fn plan(constraint: Constraint) -> Plan {
    let training = LocalTraining::new(Rule::hebb().with_activation(Activation::Tanh));
    Plan::new().local(".*", training.with_constraint(constraint))
}

/// The weights before and after a few long steps.
fn stepped(plan: &Plan, device: &Device) -> [Vec<f64>; 2] {
    let conv = hebbian_conv(&layer(), &Rule::hebb(), device);
    let (mut conv, mut optim) = plan.init(conv, SgdConfig::new()).unwrap();
    let before = vec(conv.layer().weight.val());
    for seed in 0..3 {
        let x: Tensor<4> = tensor(300 + seed, [4, 2, 4, 3], device);
        let (_, seen) = optim.observe(&conv, Signals::none(), |conv| conv.forward(x)).unwrap();
        conv = optim.step(3.0, conv, seen.local_only()).unwrap();
    }
    [before, vec(conv.layer().weight.val())]
}

fn hold_after_every_step(device: &Device) {
    let [_, free] = stepped(&Plan::new().local(".*", Rule::hebb().with_activation(Activation::Tanh)), device);
    let norm = |w: &[f64]| w.iter().map(|w| w * w).sum::<f64>().sqrt();

    let [_, unit] = stepped(&plan(Constraint::UnitNorm), device);
    assert!(unit.chunks(8).all(|w| (norm(w) - 1.0).abs() < 1e-5), "{unit:?}");
    assert!(free.chunks(8).any(|w| (norm(w) - 1.0).abs() > 0.1), "without the constraint they are not");

    let [_, positive] = stepped(&plan(Constraint::NonNegative), device);
    assert!(positive.iter().all(|w| *w >= 0.0), "{positive:?}");
    assert!(free.iter().any(|w| *w < 0.0));

    let [before, signed] = stepped(&plan(Constraint::KeepSigns), device);
    assert!(before.iter().zip(&signed).all(|(before, after)| before * after > 0.0), "{signed:?}");
    assert!(before.iter().zip(&free).any(|(before, after)| before * after < 0.0));

    let [_, clipped] = stepped(&plan(Constraint::Clip { max: 0.5 }), device);
    assert!(clipped.iter().all(|w| w.abs() <= 0.5), "{clipped:?}");
    assert!(free.iter().any(|w| w.abs() > 0.5));
}

/// With an optimizer of one's own; other layers are left alone.
fn by_hand_as_in_the_step(device: &Device) {
    let conv = hebbian_conv(&layer(), &Rule::hebb(), device);
    let hold = |plan: Plan| {
        let (conv, plan) = plan.bind(conv.clone()).unwrap();
        plan.constrain(&conv, conv.clone())
    };
    let held = hold(plan(Constraint::Clip { max: 0.5 }));
    let expected: Vec<f64> = vec(conv.layer().weight.val()).iter().map(|w| w.clamp(-0.5, 0.5)).collect();
    assert_close("clipped", &vec(held.layer().weight.val()), &expected, 1e-7);
    let frozen = hold(Plan::new().frozen(".*"));
    assert_eq!(vec(frozen.layer().weight.val()), vec(conv.layer().weight.val()));
}

fn plans_round_trip(device: &Device) {
    let training = LocalTraining::new(Rule::oja())
        .with_constraint(Constraint::KeepSigns)
        .with_constraint(Constraint::Clip { max: 2.0 });
    let json = serde_json::to_string(&Plan::new().local("conv.*", training)).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Plan>(&json).unwrap()).unwrap(), json);
    assert!(json.contains(r#""constraints":["keep_signs",{"clip":{"max":2.0}}]"#), "{json}");
    let conv = hebbian_conv(&layer(), &Rule::hebb(), device);
    let error = plan(Constraint::Clip { max: -1.0 }).bind(conv).unwrap_err().to_string();
    assert_eq!(
        error,
        "plan: pattern `.*`: weights must be clipped to a positive value that f32 can hold, got -1"
    );
}

/// `γ = c` is the instar, `γ = c y` is Oja's rule; a recurrence beside it is refused.
fn a_decay_of_ones_own(device: &Device) {
    let learn = |plan: Plan| {
        let (conv, plan) = plan.bind(hebbian_conv(&layer(), &Rule::hebb(), device)).unwrap();
        let x = input(&layer(), device);
        let (_, seen) = plan.observe(&conv, Signals::none(), |conv| conv.forward(x)).unwrap();
        let (conv, grads) = plan.finish(conv, seen.local_only()).unwrap();
        vec(grads.get::<4>(conv.layer().weight.id).unwrap())
    };
    let known = |rule: Rule| learn(Plan::new().local(".*", rule));
    let instar = Rule::hebb().decaying(|activity: &Activity| activity.dot());
    let instar = learn(Plan::new().local(".*", LocalTraining::custom(instar)));
    assert_close("instar", &instar, &known(Rule::instar()), 1e-6);
    let oja = Rule::hebb().decaying(|activity: &Activity| activity.dot() * activity.dot());
    let oja = learn(Plan::new().local(".*", LocalTraining::custom(oja)));
    assert_close("oja", &oja, &known(Rule::oja()), 1e-6);
    // the state of the rule stays the rule's
    let bcm = LocalTraining::custom(Rule::bcm().decaying(|activity: &Activity| activity.dot().zeros_like()));
    let conv = hebbian_conv(&layer(), &Rule::hebb(), device);
    let (conv, plan) = Plan::new().local(".*", bcm).bind(conv).unwrap();
    let x = input(&layer(), device);
    let (_, seen) = plan.observe(&conv, Signals::none(), |conv| conv.forward(x)).unwrap();
    let (next, _) = plan.finish(conv.clone(), seen.local_only()).unwrap();
    assert_ne!(vec(next.rule_state().unwrap()), vec(conv.rule_state().unwrap()));

    let conv = hebbian_conv(&layer(), &Rule::hebb(), device);
    let twice = LocalTraining::custom(Rule::oja().decaying(|activity: &Activity| activity.dot()));
    let error = Plan::new().local(".*", twice).bind(conv).unwrap_err().to_string();
    assert!(error.contains("takes the place of the recurrence"), "{error}");
}
