//! State of rules: in the model's record, one step on at each step, the same on every path to it.

use burn::{
    module::Module,
    optim::{SgdConfig, decay::WeightDecayConfig},
    tensor::Device,
};
use burn_hebbian::{
    optim::TrainedBy,
    prelude::*,
    rules::{Lateral, Neighborhood},
};
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
    let neighborhood = Neighborhood::DifferenceOfGaussians;
    Rule::som([2, 3]).with_lateral(Lateral::Map {
        size: vec![2, 3],
        neighborhood,
        sigma: Some(2.0),
        tau: 4.0,
    })
}

type Bound = (HebbianConv2d, LocalOptimizer);

fn bound(plan: &Plan, conv: HebbianConv2d) -> Bound {
    plan.init(conv, SgdConfig::new()).unwrap()
}

fn step((conv, mut optim): Bound, device: &Device) -> Bound {
    let x = input(&layer(), device);
    let (_, seen) = optim.observe(&conv, Signals::none(), |conv| conv.forward(x)).unwrap();
    (optim.step(0.3, conv, seen.local_only()).unwrap(), optim)
}

/// For every rule with state, its random stream included; and the state is what makes the difference.
fn step_save_load_step(device: &Device) {
    let plan = Plan::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, rule) in stateful_rules() {
        let mut once = bound(&plan, hebbian_conv(&layer(), &rule, device));
        for _ in 0..3 {
            once = step(once, device);
        }
        let path = folder.path().join(format!("{name}.bpk"));
        once.0.clone().save_file(&path).unwrap();
        let (loaded, optim) = bound(&plan, hebbian_conv(&layer(), &rule, device));
        let loaded = loaded.load_file(&path);
        let state = |conv: &HebbianConv2d| conv.rule_state().map(vec);
        let all = |(conv, _): Bound| (vec(conv.layer().weight.val()), state(&conv));
        assert_eq!(state(&loaded), state(&once.0), "{name}");
        let mut fresh = conv(&layer(), device);
        fresh.weight = once.0.layer().weight.clone();
        let fresh = bound(&plan, Local::new(fresh).with_rule(rule));
        let expected = all(step(once, device));
        assert_eq!(all(step((loaded, optim), device)), expected, "{name}");
        assert_ne!(all(step(fresh, device)), expected, "{name}");
    }
}

/// Unbound there is no room for the state; afterwards it is as if the layer carried the rule.
fn plan_makes_room(device: &Device) {
    let plan = Plan::new().local(".*", som());
    let bare = Local::new(conv(&layer(), device));
    let carried = hebbian_conv(&layer(), &som(), device);
    assert!(bare.rule_state().is_none() && carried.rule_state().is_none());
    let weight = |(conv, _): Bound| vec(conv.layer().weight.val());
    let (made, optim) = bound(&plan, bare.clone());
    assert!(made.rule_state().is_some() && bare.rule_state().is_none(), "clones stay as they are");
    let error = optim.observe(&bare, Signals::none(), |_| ()).unwrap_err().to_string();
    assert!(error.starts_with("layer `weight` is of another model"), "{error}");
    let twice = |bound: Bound| step(step(bound, device), device);
    let expected = weight(twice(bound(&Plan::new(), carried)));
    assert_eq!(weight(twice((made.clone(), optim.clone()))), expected);
    // binding again keeps the state
    let stepped = step((made, optim), device);
    let again = bound(&plan, stepped.0.clone());
    assert_eq!(weight(step(again, device)), weight(step(stepped, device)));
}

/// Whatever the plan says of its layer, state is none of an optimizer's business.
fn optimizers_leave_it_alone(device: &Device) {
    let device = device.clone().autodiff();
    let (conv, _) = step(bound(&Plan::new(), hebbian_conv(&layer(), &som(), &device)), &device);
    let before = [vec(conv.layer().weight.val()), vec(conv.rule_state().unwrap())];
    let decaying = SgdConfig::new().with_weight_decay(Some(WeightDecayConfig::new(0.1)));
    let (conv, mut optim) = Plan::new().backprop(".*").init(conv, decaying).unwrap();
    assert_eq!(optim.report().parameters[1], ("rule_state".to_string(), TrainedBy::Frozen));
    assert!(conv.layer().weight.is_require_grad());
    let x = input(&layer(), &device);
    let (loss, seen) = optim.observe(&conv, Signals::none(), |conv| conv.forward(x).sum()).unwrap();
    let conv = optim.step(0.1, conv, seen.backward(loss).unwrap()).unwrap();
    assert_ne!(vec(conv.layer().weight.val()), before[0]);
    assert_eq!(vec(conv.rule_state().unwrap()), before[1]);
}

/// Two micro-batches see the same state and move it once, as one batch does.
fn moves_once_a_step(device: &Device) {
    let train = |parts: &[(usize, usize)]| {
        let (mut conv, mut optim) = bound(&Plan::new(), hebbian_conv(&layer(), &som(), device));
        for _ in 0..3 {
            let learn = |&(start, len): &(usize, usize)| {
                let x = input(&layer(), device).narrow(0, start, len);
                optim.observe(&conv, Signals::none(), |conv| conv.forward(x)).unwrap().1.local_only()
            };
            let updates = parts.iter().map(learn).reduce(|all, more| all.merge(more).unwrap()).unwrap();
            conv = optim.step(0.3, conv, updates).unwrap();
        }
        [vec(conv.layer().weight.val()), vec(conv.rule_state().unwrap())].concat()
    };
    assert_close("three steps", &train(&[(0, 1), (1, 3)]), &train(&[(0, 4)]), 1e-6);
}

fn plain_layers_have_none(device: &Device) {
    let plain = PlainNet::new(device);
    let parameters = plain.num_params();
    let plan = Plan::new().local("conv2", Rule::swta());
    let (net, _) = plan.bind(Net::from(plain)).unwrap();
    assert_eq!(net.num_params(), parameters);
    let _ = net.forward(tensor(5, [4, 2, 6, 5], device));
}
