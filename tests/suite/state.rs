//! State of rules: in the model's record, one step on at each step, the same on every path to it.

use burn::{
    module::Module,
    optim::{GradientsAccumulator, SgdConfig},
    tensor::Device,
};
use burn_hebbian::{optim::TrainedBy, prelude::*};
use burn_hebbian_tests::{
    layers::{conv, hebbian_conv, input},
    net::{Net, PlainNet},
    oracle::Layer,
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, stages::stateful_rules};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("state::step_save_load_step_is_step_step", step_save_load_step);
    trials.push(on_flex("state::a_plan_makes_room_for_it", plan_makes_room));
    trials.push(on_flex("state::it_moves_once_a_step", moves_once_a_step));
    trials.push(on_flex("state::optimizers_leave_it_alone", optimizers_leave_it_alone));
    trials.push(on_flex("state::plain_layers_have_none", plain_layers_have_none));
    trials
}

fn layer() -> Layer {
    Layer::dense([4, 2, 4, 3], [6, 2, 2, 2])
}

/// A map that shrinks fast.
fn som() -> Rule {
    let neighbourhood = Neighbourhood::DifferenceOfGaussians;
    Rule::som([2, 3]).with_lateral(Lateral::Map {
        size: vec![2, 3],
        neighbourhood,
        sigma: Some(2.0),
        tau: 4.0,
    })
}

fn step(plan: &Plan, conv: HebbianConv2d, device: &Device) -> HebbianConv2d {
    let x = input(&layer(), device);
    let (_, updates) = plan.observe(&conv, Signals::none(), || conv.forward(x)).unwrap();
    let grads = updates.into_grads(&conv);
    plan.step(&mut SgdConfig::new().init(), 0.3, conv, grads).unwrap()
}

/// For every rule with state, its random stream included; and the state is what makes the difference.
fn step_save_load_step(device: &Device) {
    let plan = Plan::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, rule) in stateful_rules() {
        let mut once = hebbian_conv(&layer(), &rule, device);
        for _ in 0..3 {
            once = step(&plan, once, device);
        }
        let path = folder.path().join(format!("{name}.bpk"));
        once.clone().save_file(&path).unwrap();
        let loaded = hebbian_conv(&layer(), &rule, device).load_file(&path);
        let weight = |conv: &HebbianConv2d| vec(conv.layer().weight.val());
        let state = |conv: &HebbianConv2d| conv.rule_state().map(vec);
        let (expected, resumed) = (step(&plan, once.clone(), device), step(&plan, loaded.clone(), device));
        assert_eq!(state(&loaded), state(&once), "{name}");
        assert_eq!((weight(&resumed), state(&resumed)), (weight(&expected), state(&expected)), "{name}");
        let mut fresh = conv(&layer(), device);
        fresh.weight = once.layer().weight.clone();
        let fresh = step(&plan, Local::new(fresh).with_rule(rule), device);
        assert_ne!((weight(&fresh), state(&fresh)), (weight(&expected), state(&expected)), "{name}");
    }
}

/// Without the plan applied there is no room for the state; afterwards it is as if the layer carried the rule.
fn plan_makes_room(device: &Device) {
    let plan = Plan::new().local(".*", som());
    let bare = Local::new(conv(&layer(), device));
    let error = plan.observe(&bare, Signals::none(), || ()).unwrap_err().to_string();
    assert!(error.contains("has no room for it: call `Plan::apply` first"), "{error}");
    let applied = plan.apply(bare).unwrap();
    let carried = hebbian_conv(&layer(), &som(), device);
    let twice = |plan: &Plan, conv| step(plan, step(plan, conv, device), device);
    let weight = |conv: HebbianConv2d| vec(conv.layer().weight.val());
    assert_eq!(weight(twice(&plan, applied.clone())), weight(twice(&Plan::new(), carried)));
    // applying again keeps the state
    let stepped = step(&plan, applied, device);
    let again = plan.apply(stepped.clone()).unwrap();
    assert_eq!(weight(step(&plan, again, device)), weight(step(&plan, stepped, device)));
}

/// Whatever the plan says of its layer, state is none of an optimizer's business.
fn optimizers_leave_it_alone(device: &Device) {
    let device = device.clone().autodiff();
    let conv = Plan::new().backprop(".*").apply(hebbian_conv(&layer(), &som(), &device)).unwrap();
    let report = Plan::new().backprop(".*").report(&conv).unwrap();
    assert_eq!(report.parameters[1], ("rule_state".to_string(), TrainedBy::Frozen));
    assert!(conv.layer().weight.is_require_grad());
}

/// Two micro-batches see the same state and move it once, as one batch does.
fn moves_once_a_step(device: &Device) {
    let plan = Plan::new();
    let accumulate = |mut conv: HebbianConv2d, parts: &[(usize, usize)]| {
        for _ in 0..3 {
            let mut accumulator = GradientsAccumulator::new();
            for &(start, len) in parts {
                let x = input(&layer(), device).narrow(0, start, len);
                let (_, updates) = plan.observe(&conv, Signals::none(), || conv.forward(x)).unwrap();
                accumulator.accumulate(&conv, updates.into_grads(&conv));
            }
            conv = plan.step(&mut SgdConfig::new().init(), 0.3, conv, accumulator.grads()).unwrap();
        }
        vec(conv.layer().weight.val())
    };
    let conv = hebbian_conv(&layer(), &som(), device);
    let whole = accumulate(conv.clone(), &[(0, 4)]);
    assert_close("three steps", &accumulate(conv, &[(0, 1), (1, 3)]), &whole, 1e-6);
}

fn plain_layers_have_none(device: &Device) {
    let plain = PlainNet::new(device);
    let parameters = plain.num_params();
    let plan = Plan::new().local("conv2", Rule::swta());
    let net = plan.apply(Net::from(plain)).unwrap();
    assert_eq!(net.num_params(), parameters);
    let _ = net.forward(tensor(5, [4, 2, 6, 5], device));
}
