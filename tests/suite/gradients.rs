//! Gradient flow: blocked, passing, mixed; who moves, and by what.

use burn::{
    module::Module,
    optim::{GradientsParams, SgdConfig, momentum::MomentumConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::{BoundPlan, Entry, Rest, Updates},
    prelude::*,
    rules::Activation,
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input},
    net::{Net, PlainNet},
    oracle::Layer,
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{
    geometry::{by_burn, small},
    on_flex,
    rules::layers,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex(
            "gradients::passing_gives_what_autodiff_alone_gives",
            passing_gives_what_autodiff_alone_gives,
        ),
        on_flex("gradients::passing_is_exact_on_every_layer", |device| {
            // more positions added than a stride has: some outputs are read by no input
            let spread = Layer::transposed([2, 2, 4], [2, 3, 3]).dilated([3]).padded_out([2]);
            passing_is_exact(device, layers().into_iter().chain([("spread", spread)]).collect());
        }),
        on_flex("gradients::passing_is_exact_with_checkpointing", |device| {
            passing_is_exact(&device.clone().autodiff().gradient_checkpointing(), small());
        }),
        on_flex("gradients::backprop_is_burns_on_every_layer", |device| {
            // Burn 0.22.1 does not cut its gradient of grouped 1-D layers to size when the stride leaves a rest
            let known = layers().into_iter().filter(|(name, _)| *name != "conv1d_depthwise");
            backprop_is_burns(device, known.collect());
        }),
        on_flex("gradients::backprop_is_burns_with_checkpointing", |device| {
            backprop_is_burns(&device.clone().autodiff().gradient_checkpointing(), small());
        }),
        on_flex("gradients::blocked_gives_none_below", blocked_gives_none_below),
        on_flex("gradients::local_weights_are_untracked", local_weights_are_untracked),
        on_flex("gradients::local_weights_get_sums_alone", local_weights_get_sums_alone),
        on_flex("gradients::shares_mix_both_gradients", shares_mix_both_gradients),
        on_flex("gradients::steps_move_each_by_its_own", steps_move_each_by_its_own),
        on_flex("gradients::plain_and_autodiff_step_alike", plain_and_autodiff_step_alike),
    ]
}

const X: [usize; 4] = [4, 2, 6, 5];

fn twins(device: &Device) -> (PlainNet, Net) {
    let plain = PlainNet::new(device);
    (plain.clone(), plain.into())
}

/// Some scalar that depends on every logit.
fn loss(logits: Tensor<2>) -> Tensor<1> {
    logits.powi_scalar(2).sum()
}

/// What a local net is taught under a plan, by rules and by the loss.
fn updates(plan: &BoundPlan, net: &Net, x: Tensor<4>) -> Updates {
    let (loss, seen) = plan.observe(net, Signals::none(), |net| loss(net.forward(x))).unwrap();
    seen.backward(loss).unwrap()
}

fn conv2_passing() -> Plan {
    Plan::new().local("conv2", LocalTraining::new(Rule::swta()).passing_gradients())
}

fn passing_gives_what_autodiff_alone_gives(device: &Device) {
    let device = device.clone().autodiff();
    let (plain, net) = twins(&device);
    let (net, plan) = conv2_passing().bind(net).unwrap();
    let x: Tensor<4> = tensor(5, X, &device);
    let expected = GradientsParams::from_grads(loss(plain.forward(x.clone())).backward(), &plain);
    let got = updates(&plan, &net, x).into_grads();
    let pairs = [(plain.conv1.weight.id, net.conv1.weight.id)];
    for (plain, local) in pairs {
        let (expected, got) = (expected.get::<4>(plain).unwrap(), got.get::<4>(local).unwrap());
        assert_close("conv1.weight", &vec(got), &vec(expected), 1e-6);
    }
    let expected = expected.get::<2>(plain.fc.weight.id).unwrap();
    let got = got.get::<2>(net.fc.layer().weight.id).unwrap();
    assert_close("fc.weight", &vec(got), &vec(expected), 1e-6);
}

/// The gradient of the input is that of the plain layer, which keeps the input for it; ours keeps the weight.
fn passing_is_exact(device: &Device, layers: Vec<(&'static str, Layer)>) {
    let device = device.clone().autodiff();
    for (name, layer) in layers {
        let plan = Plan::new().local(".*", LocalTraining::new(Rule::hebb()).passing_gradients());
        let (local, plan) = plan.bind(AnyLayer::new(&layer, &device)).unwrap();
        let plain = AnyLayer::new(&layer, &device);
        let x = input(&layer, &device).require_grad();
        let gradient = |y: Tensor<5>| vec(x.grad(&y.powi_scalar(3).sum().backward()).unwrap());
        let expected = gradient(plain.forward(x.clone()));
        let (y, _) = plan.observe(&local, Signals::none(), |local| local.forward(x.clone())).unwrap();
        assert_close(name, &gradient(y), &expected, 1e-5);
    }
}

/// What backprop trains has the gradients that Burn's own operations have, for weight and input, or for one of them.
fn backprop_is_burns(device: &Device, layers: Vec<(&'static str, Layer)>) {
    let device = device.clone().autodiff();
    for (name, layer) in layers {
        let x = input(&layer, &device).require_grad();
        let backward = |local: &AnyLayer, x: Tensor<5>| local.forward(x).powi_scalar(3).sum().backward();
        let (burn, local) = (by_burn(&layer, &device), AnyLayer::new(&layer, &device));
        let (expected, grads) = (backward(&burn, x.clone()), backward(&local, x.clone()));
        let of_weight = vec(burn.weight_grad(&expected));
        assert_close(name, &vec(local.weight_grad(&grads)), &of_weight, 1e-5);
        assert_close(name, &vec(x.grad(&grads).unwrap()), &vec(x.grad(&expected).unwrap()), 1e-5);
        for alone in [x.clone().detach(), x.clone().inner()] {
            let grads = backward(&local, alone);
            assert_close(name, &vec(local.weight_grad(&grads)), &of_weight, 1e-5);
            assert!(x.grad(&grads).is_none(), "{name}");
        }
    }
}

/// A step that was to move what lies below is refused by name.
fn blocked_gives_none_below(device: &Device) {
    let device = device.clone().autodiff();
    let (_, net) = twins(&device);
    let (net, plan) = Plan::new().local("conv2", Rule::swta()).bind(net).unwrap();
    let taught = || updates(&plan, &net, tensor(5, X, &device));
    let error = plan.finish(net.clone(), taught()).unwrap_err().to_string();
    assert!(
        error.starts_with("`conv1.weight` was to learn by backprop, and no gradient reached it"),
        "{error}"
    );
    let grads = taught().into_grads();
    assert!(grads.get::<4>(net.conv1.weight.id).is_none(), "a gradient crossed a blocked layer");
    assert!(grads.get::<2>(net.fc.layer().weight.id).is_some());
}

/// Weights that were to require gradients, and which of them are reached by those of a loss: conv1's weight and bias, those
/// of conv2, fc's weight.
fn tracked(net: &Net, x: Tensor<4>) -> ([bool; 5], [bool; 5]) {
    let (conv1, conv2, fc) = (&net.conv1, net.conv2.layer(), net.fc.layer());
    let (bias1, bias2) = (conv1.bias.as_ref().unwrap(), conv2.bias.as_ref().unwrap());
    let require = [
        conv1.weight.is_require_grad(),
        bias1.is_require_grad(),
        conv2.weight.is_require_grad(),
        bias2.is_require_grad(),
        fc.weight.is_require_grad(),
    ];
    let grads = loss(net.forward(x)).backward();
    let reached = [
        conv1.weight.val().grad(&grads).is_some(),
        bias1.val().grad(&grads).is_some(),
        conv2.weight.val().grad(&grads).is_some(),
        bias2.val().grad(&grads).is_some(),
        fc.weight.val().grad(&grads).is_some(),
    ];
    (require, reached)
}

/// In the copy that a pass runs; a local layer's bias is frozen. The model itself stays as it is.
fn local_weights_are_untracked(device: &Device) {
    let device = device.clone().autodiff();
    let (_, net) = twins(&device);
    let x: Tensor<4> = tensor(5, X, &device);
    let observed = |plan: Plan| {
        let (net, plan) = plan.bind(net.clone()).unwrap();
        let pass = plan.observe(&net, Signals::none(), |net| tracked(net, x.clone()));
        assert_eq!(tracked(&net, x.clone()), ([true; 5], [true; 5]));
        pass.unwrap().0
    };
    let (require, reached) = observed(conv2_passing().frozen("conv1.bias"));
    assert_eq!(reached, [true, false, false, false, true]);
    assert_eq!((require[1], require[3]), (false, false));
    assert_eq!(observed(Plan::new().backprop("conv2")), ([true; 5], [true; 5]));
}

/// What a gradient could cross: the local weight gets its sums alone. A model that no plan has bound is refused.
fn local_weights_get_sums_alone(device: &Device) {
    let device = device.clone().autodiff();
    let (_, unbound) = twins(&device);
    let x: Tensor<4> = tensor(5, X, &device);
    let (net, plan) = conv2_passing().bind(unbound.clone()).unwrap();
    let finish = |updates: Updates| {
        let (net, grads) = plan.finish(net.clone(), updates).unwrap();
        vec(grads.get::<4>(net.conv2.layer().weight.id).unwrap())
    };
    let (_, seen) = plan.observe(&net, Signals::none(), |net| net.forward(x.clone())).unwrap();
    assert_eq!(finish(updates(&plan, &net, x)), finish(seen.local_only()));
    let error = plan.observe(&unbound, Signals::none(), |_| ()).unwrap_err().to_string();
    assert!(error.starts_with("layer `conv2` is of another model"), "{error}");
}

fn shares_mix_both_gradients(device: &Device) {
    let device = device.clone().autodiff();
    let (plain, net) = twins(&device);
    let x: Tensor<4> = tensor(5, X, &device);
    let backprop = GradientsParams::from_grads(loss(plain.forward(x.clone())).backward(), &plain);
    let backprop = vec(backprop.get::<4>(plain.conv2.weight.id).unwrap());
    let finished = |local, share| {
        let training = LocalTraining::new(Rule::swta()).passing_gradients().with_shares(local, share);
        let (net, plan) = Plan::new().local("conv2", training).bind(net.clone()).unwrap();
        let taught = updates(&plan, &net, x.clone());
        let (net, grads) = plan.finish(net, taught).unwrap();
        vec(grads.get::<4>(net.conv2.layer().weight.id).unwrap())
    };
    let local = finished(1.0, 0.0);
    assert_close("backprop alone", &finished(0.0, 1.0), &backprop, 1e-6);
    let expected: Vec<f64> = local.iter().zip(&backprop).map(|(l, b)| 0.3 * l + 0.2 * b).collect();
    assert_close("0.3 local + 0.2 backprop", &finished(0.3, 0.2), &expected, 1e-6);
}

/// After a step of SGD each parameter has moved by its own gradient, frozen ones by nothing.
fn steps_move_each_by_its_own(device: &Device) {
    let device = device.clone().autodiff();
    let (_, net) = twins(&device);
    let (net, mut optim) = conv2_passing().frozen("fc").init(net, SgdConfig::new()).unwrap();
    let taught = || updates(optim.plan(), &net, tensor(5, X, &device));
    let (_, grads) = optim.plan().finish(net.clone(), taught()).unwrap();
    let raw = taught();
    let moved = optim.step(0.1, net.clone(), raw).unwrap();
    let check = |what, before: Vec<f64>, after: Vec<f64>, gradient: Option<Vec<f64>>| {
        let gradient = gradient.unwrap_or(vec![0.0; before.len()]);
        let expected: Vec<f64> = before.iter().zip(gradient).map(|(w, g)| w - 0.1 * g).collect();
        assert_close(what, &after, &expected, 1e-6);
        after != before
    };
    let weight = |net: &Net| {
        [vec(net.conv1.weight.val()), vec(net.conv2.layer().weight.val()), vec(net.fc.layer().weight.val())]
    };
    let ([a1, a2, a3], [b1, b2, b3]) = (weight(&net), weight(&moved));
    assert!(check("conv1", a1, b1, grads.get::<4>(net.conv1.weight.id).map(vec)));
    assert!(check("conv2", a2, b2, grads.get::<4>(net.conv2.layer().weight.id).map(vec)));
    assert!(!check("fc", a3, b3, None));
    let untouched = [&moved.conv1.weight, &moved.conv2.layer().weight];
    assert!(
        untouched.iter().all(|weight| weight.is_require_grad()) && moved.fc.layer().weight.is_require_grad()
    );
}

/// Ten steps with momentum on a plain device give the weights of an autodiff device, and stay plain.
fn plain_and_autodiff_step_alike(device: &Device) {
    let train = |device: &Device, net: Net| {
        let momentum = || SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
        let plan = Plan::new()
            .with(Entry::local("conv2", Rule::swta()).by(momentum()))
            .with(Entry::local("fc", Rule::hpca(Activation::Tanh)).by(momentum()))
            .with_rest(Rest::Frozen);
        let (mut net, mut optim) = plan.init(net, SgdConfig::new()).unwrap();
        for step in 0..10 {
            let x: Tensor<4> = tensor(step, X, device);
            let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x)).unwrap();
            net = optim.step(0.05, net, seen.local_only()).unwrap();
        }
        net
    };
    let (_, plain) = twins(device);
    let traced = train(&device.clone().autodiff(), plain.clone().train());
    let before = vec(plain.fc.layer().weight.val());
    let stepped = train(device, plain);
    assert!(!stepped.conv2.layer().weight.is_autodiff() && !stepped.fc.layer().weight.is_autodiff());
    assert_ne!(vec(stepped.fc.layer().weight.val()), before);
    assert_eq!(vec(stepped.conv2.layer().weight.val()), vec(traced.conv2.layer().weight.val()));
    assert_eq!(vec(stepped.fc.layer().weight.val()), vec(traced.fc.layer().weight.val()));
}
