//! Gradient flow: blocked, passing, mixed; who moves, and by what.

use burn::{
    module::Module,
    optim::{GradientsParams, SgdConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::prelude::*;
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
        on_flex("gradients::without_apply_local_weights_get_no_backprop", without_apply_no_backprop),
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

/// The gradients of a local net under a plan, sums included.
fn gradients(plan: &Plan, net: &Net, x: Tensor<4>) -> GradientsParams {
    let (loss, updates) = plan.observe(net, Signals::none(), || loss(net.forward(x))).unwrap();
    let mut grads = GradientsParams::from_grads(loss.backward(), net);
    updates.register(net, &mut grads);
    grads
}

fn conv2_passing() -> Plan {
    Plan::new().local("conv2", LocalTraining::new(Rule::swta()).passing_gradients())
}

fn passing_gives_what_autodiff_alone_gives(device: &Device) {
    let device = device.clone().autodiff();
    let (plain, net) = twins(&device);
    let plan = conv2_passing();
    let net = plan.apply(net).unwrap();
    let x: Tensor<4> = tensor(5, X, &device);
    let expected = GradientsParams::from_grads(loss(plain.forward(x.clone())).backward(), &plain);
    let got = gradients(&plan, &net, x);
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
        let local = plan.apply(AnyLayer::new(&layer, &device)).unwrap();
        let plain = AnyLayer::new(&layer, &device);
        let x = input(&layer, &device).require_grad();
        let gradient = |y: Tensor<5>| vec(x.grad(&y.powi_scalar(3).sum().backward()).unwrap());
        let expected = gradient(plain.forward(x.clone()));
        let (y, _) = plan.observe(&local, Signals::none(), || local.forward(x.clone())).unwrap();
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

fn blocked_gives_none_below(device: &Device) {
    let device = device.clone().autodiff();
    let (_, net) = twins(&device);
    let plan = Plan::new().local("conv2", Rule::swta());
    let net = plan.apply(net).unwrap();
    let grads = gradients(&plan, &net, tensor(5, X, &device));
    assert!(grads.get::<4>(net.conv1.weight.id).is_none(), "a gradient crossed a blocked layer");
    assert!(grads.get::<2>(net.fc.layer().weight.id).is_some());
}

fn local_weights_are_untracked(device: &Device) {
    let (_, net) = twins(&device.clone().autodiff());
    let plan = Plan::new().local("conv2", Rule::swta()).frozen("conv1.bias");
    let net = plan.apply(net).unwrap();
    assert!(!net.conv2.layer().weight.is_require_grad());
    assert!(!net.conv2.layer().bias.as_ref().unwrap().is_require_grad(), "a local layer's bias is frozen");
    assert!(!net.conv1.bias.as_ref().unwrap().is_require_grad());
    assert!(net.conv1.weight.is_require_grad() && net.fc.layer().weight.is_require_grad());
    // back to backprop by another plan
    let net = Plan::new().backprop("conv2").apply(net).unwrap();
    assert!(net.conv2.layer().weight.is_require_grad());
}

/// A plan that was never applied leaves weights tracked; the local one still gets its sums alone.
fn without_apply_no_backprop(device: &Device) {
    let device = device.clone().autodiff();
    let (_, net) = twins(&device);
    let (plan, x) = (conv2_passing(), tensor(5, X, &device));
    let applied = plan.apply(net.clone()).unwrap();
    let finish = |net: &Net, x: Tensor<4>| {
        let (_, grads) = plan.finish(net.clone(), gradients(&plan, net, x)).unwrap();
        vec(grads.get::<4>(net.conv2.layer().weight.id).unwrap())
    };
    assert_eq!(finish(&net, x.clone()), finish(&applied, x));
}

fn shares_mix_both_gradients(device: &Device) {
    let device = device.clone().autodiff();
    let (plain, net) = twins(&device);
    let x: Tensor<4> = tensor(5, X, &device);
    let backprop = GradientsParams::from_grads(loss(plain.forward(x.clone())).backward(), &plain);
    let backprop = vec(backprop.get::<4>(plain.conv2.weight.id).unwrap());
    let finished = |local, share| {
        let training = LocalTraining::new(Rule::swta()).passing_gradients().with_shares(local, share);
        let plan = Plan::new().local("conv2", training);
        let net = plan.apply(net.clone()).unwrap();
        let (_, grads) = plan.finish(net.clone(), gradients(&plan, &net, x.clone())).unwrap();
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
    let plan = conv2_passing().frozen("fc");
    let net = plan.apply(net).unwrap();
    let x: Tensor<4> = tensor(5, X, &device);
    let (_, grads) = plan.finish(net.clone(), gradients(&plan, &net, x.clone())).unwrap();
    let raw = gradients(&plan, &net, x);
    let moved = plan.step(&mut SgdConfig::new().init(), 0.1, net.clone(), raw).unwrap();
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
    assert!(moved.conv1.weight.is_require_grad() && !moved.conv2.layer().weight.is_require_grad());
}

/// Ten steps with momentum on a plain device give the weights of an autodiff device, and stay plain.
fn plain_and_autodiff_step_alike(device: &Device) {
    let train = |device: &Device, mut net: Net| {
        let plan = Plan::new()
            .local("conv2", Rule::swta())
            .local("fc", Rule::hpca(Activation::Tanh))
            .with_rest(Rest::Frozen);
        net = plan.apply(net).unwrap();
        let momentum = burn::optim::momentum::MomentumConfig::new();
        let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
        for step in 0..10 {
            let x: Tensor<4> = tensor(step, X, device);
            let (_, updates) = plan.observe(&net, Signals::none(), || net.forward(x)).unwrap();
            let grads = updates.into_grads(&net);
            net = plan.step(&mut optimizer, 0.05, net, grads).unwrap();
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
