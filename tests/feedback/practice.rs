//! Feedback as it is used: plans that mix it, batches in parts, replicas, training that gets somewhere.

use std::{sync::Arc, thread};

use burn::{
    lr_scheduler::exponential::ExponentialLrSchedulerConfig,
    module::{Module, Param},
    nn::{LinearConfig, conv::Conv2dConfig},
    optim::{AdamConfig, SgdConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    feedback::{Chain, CostFunction, DualPropagation, Method, Pool, Settling, Sides},
    nn::replicas::InProcess,
    optim::{
        Entry,
        checkpoint::{Checkpoints, Progress, Training},
    },
    prelude::*,
    rules::Activation,
};
use burn_hebbian_tests::{
    backends::{backends, is_required},
    values::{assert_close, bits, one_hot, tensor, vec},
};

use crate::net::{Dense, bound, flat, targets, values};

fn batch(images: usize) -> (Tensor<2>, Tensor<2>) {
    let device = Device::flex();
    (values(7, [images, 6], 1.0, &device), targets(images, 3, &device))
}

#[test]
fn parts_of_a_batch_add_up() {
    let (x, y) = batch(7);
    let (net, optim) = bound(Dense::new(0.5, &Device::flex()));
    let method = Settling::default().with_fixed_sweeps();
    let learn = |from: usize, images: usize| {
        let part = |rows: &Tensor<2>| rows.clone().narrow(0, from, images);
        method.learn(&optim, &net, Dense::chain, part(&x), part(&y)).unwrap().1
    };
    let whole = flat(&net, &optim, learn(0, 7));
    let parts = flat(&net, &optim, learn(0, 3).merge(learn(3, 4)).unwrap());
    assert_close("3 + 4 of 7 images", &parts, &whole, 1e-11);
    assert!(whole.iter().any(|value| value.abs() > 1e-3));
}

#[test]
fn replicas_add_up() {
    let (x, y) = batch(6);
    let (net, optim) = bound(Dense::new(0.5, &Device::flex()));
    let method = DualPropagation::default();
    let (_, updates) = method.learn(&optim, &net, Dense::chain, x.clone(), y.clone()).unwrap();
    let whole = flat(&net, &optim, updates);
    let together = Arc::new(InProcess::new(2).unwrap());
    let halves: Vec<_> = thread::scope(|scope| {
        let run = |half: usize| {
            let (net, optim) = (net.clone(), optim.clone().with_replicas(together.clone()));
            let part = |rows: &Tensor<2>| rows.clone().narrow(0, half * 3, 3);
            let (x, y) = (part(&x), part(&y));
            let method = &method;
            scope.spawn(move || {
                let (_, updates) = method.learn(&optim, &net, Dense::chain, x, y).unwrap();
                flat(&net, &optim, updates)
            })
        };
        [0, 1].map(run).into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for half in &halves {
        assert_close("each replica has the sums of both", half, &whole, 1e-11);
    }
}

/// Of feed-forward rules, given states and backprop in one step, each moves its own.
#[derive(Module, Debug)]
struct Mixed {
    first: HebbianLinear,
    second: HebbianLinear,
    output: HebbianLinear,
    aside: burn::nn::Linear,
}

#[test]
fn a_plan_mixes_all_ways_to_learn() {
    let device = Device::flex().autodiff();
    let linear = |i, o| LinearConfig::new(i, o).init(&device);
    let net = Mixed {
        first: linear(6, 5).into(),
        second: linear(5, 4).into(),
        output: linear(4, 3).into(),
        aside: linear(5, 2),
    };
    let json = r#"{"entries": [
        {"pattern": "first", "training": {"local": {"rule": "oja"}}},
        {"pattern": "second|output", "training": {"local": {"rule": "given_states"}}}
    ]}"#;
    let plan: Plan = serde_json::from_str(json).unwrap();
    let given =
        Plan::new().local("first", Rule::oja()).local("second|output", LocalTraining::from_given_states());
    assert_eq!(plan, given);
    let (net, mut optim) = plan.init(net, AdamConfig::new()).unwrap();
    let (x, y) = (tensor::<2>(7, [8, 6], &device), one_hot(8, 3, &Device::flex()));
    let (loss, seen) = optim
        .observe(&net, Signals::none(), |net| {
            let features = net.first.forward(x);
            let chain = Chain::new([5]).layer(&net.second).layer(&net.output);
            Settling::default()
                .teach(&chain, features.clone(), y)
                .map(|_| net.aside.forward(features).powi_scalar(2).mean())
        })
        .unwrap();
    assert!(seen.unreached().is_empty());
    let before = [&net.first, &net.second, &net.output].map(|layer| vec(layer.layer().weight.val()));
    let (aside, bias) = (vec(net.aside.weight.val()), vec(net.second.layer().bias.clone().unwrap().val()));
    let net = optim.step(0.1, net, seen.backward(loss.unwrap()).unwrap()).unwrap();
    for (layer, before) in [&net.first, &net.second, &net.output].into_iter().zip(before) {
        assert_ne!(vec(layer.layer().weight.val()), before);
    }
    assert_ne!(vec(net.aside.weight.val()), aside);
    assert_ne!(vec(net.second.layer().bias.clone().unwrap().val()), bias, "the bias learns too");
}

#[test]
fn forward_passes_teach_nothing_and_layers_need_no_bias() {
    let device = Device::flex();
    let layer: HebbianLinear = LinearConfig::new(6, 3).with_bias(false).init(&device).into();
    let plan = Plan::new().local(".*", LocalTraining::from_given_states());
    let (layer, mut optim) = plan.init(layer, SgdConfig::new()).unwrap();
    let x = tensor::<2>(1, [4, 6], &device);
    let (y, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x.clone())).unwrap();
    assert_eq!(vec(y), vec(layer.forward(x.clone())));
    assert_eq!(seen.unreached(), ["weight"]);
    let refused = optim.step(0.1, layer, seen.local_only()).unwrap_err().to_string();
    let expected = "layer `weight` waits for given states, and no observed pass handed it any";
    assert!(refused.starts_with(expected) && refused.contains("observe_at"), "{refused}");
}

/// Steps at a rate that falls, of a net whose layers all learn from given states.
fn trained(mut training: Training<Dense>, epochs: usize) -> Training<Dense> {
    let method = Settling::equilibrium(Sides::Centered, 0.25, 20, 10).unwrap().with_fixed_sweeps();
    while training.progress.epochs < epochs {
        let Training { progress, mut model, mut optim } = training;
        model = optim.begin_epoch(progress.epochs + 1, model).unwrap();
        for step in 0..3 {
            let seed = 10 * progress.epochs as u64 + step;
            let x = values(seed, [5, 6], 1.0, &Device::flex());
            let y = targets(5, 3, &Device::flex());
            let (_, updates) = method.learn(&optim, &model, Dense::chain, x, y).unwrap();
            model = optim.step(0.05, model, updates).unwrap();
        }
        let progress = Progress { epochs: progress.epochs + 1, ..progress };
        training = Training { progress, model, optim };
    }
    training
}

#[test]
fn given_states_resume_to_the_bit() {
    let start_from = |net: Dense, epochs: usize| {
        let falling = ExponentialLrSchedulerConfig::new(0.02, 0.9);
        let entry = Entry::local(".*", LocalTraining::from_given_states()).at_rate(falling);
        let plan = Plan::new().with(entry);
        let (model, optim) = plan.init(net, SgdConfig::new()).unwrap();
        Training { progress: Progress { seed: 0, epochs }, model, optim }
    };
    let start = || start_from(Dense::new(0.5, &Device::flex()), 0);
    let whole = bits(&trained(start(), 4).model);
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    let half = trained(start(), 2);
    assert_ne!(bits(&half.model), whole);
    checkpoints.save(&half).unwrap();
    let resumed = checkpoints.resume(start()).unwrap();
    assert_eq!((resumed.progress.epochs, bits(&resumed.model)), (2, bits(&half.model)));
    assert_eq!(bits(&trained(resumed, 4).model), whole);
    // the place in the schedule is part of it
    let forgotten = start_from(half.model, 2);
    assert_ne!(bits(&trained(forgotten, 4).model), whole);
}

/// The mean cost of what a net answers to a batch.
fn cost(method: &Settling, net: &Dense, x: &Tensor<2>, y: &Tensor<2>) -> f64 {
    let answer = method.predict(&net.chain(), x.clone()).unwrap();
    vec(CostFunction::SquaredError.value(answer, y.clone())).iter().sum::<f64>() / y.dims()[0] as f64
}

#[test]
fn the_default_learns() {
    let (x, y) = batch(9);
    let (mut net, mut optim) = bound(Dense::new(0.3, &Device::flex()));
    let method = Settling::default();
    let before = cost(&method, &net, &x, &y);
    for _ in 0..60 {
        let (settled, updates) = method.learn(&optim, &net, Dense::chain, x.clone(), y.clone()).unwrap();
        assert!(settled.residual() <= 1e-3);
        assert!(settled.phases[0].sweeps < 200, "it stops early");
        net = optim.step(0.2, net, updates).unwrap();
    }
    let after = cost(&method, &net, &x, &y);
    assert!(after < 0.7 * before, "{before} → {after}");
}

/// The same net on every backend of this machine, in single precision, pooled both ways.
#[test]
fn backends_agree() {
    let learn = |device: &Device, pool: Pool| {
        let conv = |seed, channels: [usize; 2]| {
            let mut conv = Conv2dConfig::new(channels, [3, 3]).with_bias(false).init(device);
            let weight = tensor::<4>(seed, [channels[1], channels[0], 3, 3], device);
            conv.weight = Param::from_tensor(weight.mul_scalar(0.3));
            Local::from(conv)
        };
        let mut linear = LinearConfig::new(12, 3).with_bias(false).init(device);
        linear.weight = Param::from_tensor(tensor::<2>(3, [12, 3], device).mul_scalar(0.3));
        let (net, optim) = bound(Pooled { conv: conv(1, [2, 3]), fc: linear.into() });
        let (x, y) = (tensor::<4>(5, [4, 2, 6, 7], device), one_hot(4, 3, device));
        let method = Settling::equilibrium(Sides::Centered, 0.25, 12, 6).unwrap().with_fixed_sweeps();
        let observed = optim.observe(&net, Signals::none(), |net| {
            let chain = Chain::new([2, 6, 7]).pooled(&net.conv, pool).layer(&net.fc);
            method.teach(&chain, x, y).map(|_| ())
        });
        let (taught, seen) = observed.unwrap();
        taught.unwrap();
        flat(&net, &optim, seen.local_only())
    };
    for pool in [Pool::max(2), Pool::average(2)] {
        let expected = learn(&Device::flex(), pool);
        for backend in backends() {
            match &backend.device {
                Some(device) => {
                    assert_close(
                        &format!("{pool:?} on {}", backend.name),
                        &learn(device, pool),
                        &expected,
                        1e-4,
                    );
                }
                None => assert!(!is_required(backend.name), "{} is required", backend.name),
            }
        }
    }
}

#[derive(Module, Debug)]
struct Pooled {
    conv: HebbianConv2d,
    fc: HebbianLinear,
}

fn relu(net: &Dense) -> Chain<'_> {
    net.chain().with_activation(Activation::Relu)
}

#[test]
fn records_have_no_states() {
    let (x, y) = batch(5);
    let plain = Dense::new(0.5, &Device::flex());
    let count = bits(&plain).len();
    let (net, mut optim) = bound(plain);
    let (_, updates) = DualPropagation::default().learn(&optim, &net, relu, x, y).unwrap();
    let net = optim.step(0.1, net, updates).unwrap();
    assert_eq!(bits(&net).len(), count);
}
