//! Spiking layers in a plan: they learn beside backprop, in parts of batches, in half precision, and resume to the bit.

use std::{sync::Arc, thread};

use burn::{
    module::{Module, Param},
    nn::{Linear, LinearConfig, conv::Conv2dConfig, loss::CrossEntropyLossConfig},
    optim::{AdamConfig, SgdConfig},
    tensor::{DType, Device, Int, Tensor, TensorData},
};
use burn_hebbian::{
    nn::{Synapses, replicas::InProcess},
    optim::Rest,
    prelude::*,
    rules::{Growth, Homeostasis, RankOrder, Rates, Timing},
    spikes::{
        Train,
        encode::{bernoulli, latencies},
        first_spike::FirstSpikes,
        neuron::{LifConfig, Surrogate},
        readout::{counts, largest},
        stdp,
    },
};
use burn_hebbian_tests::values::{assert_close, bits, tensor, vec};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("spikes_learning::a_hybrid_learns_and_resumes", hybrid_learns_and_resumes),
        on_flex("spikes_learning::micro_batches_add_up", micro_batches_add_up),
        on_flex("spikes_learning::replicas_are_one_device", replicas_are_one_device),
        on_flex("spikes_learning::first_spikes_in_half_precision", first_spikes_in_half_precision),
        on_flex("spikes_learning::untaught_layers_say_what_to_call", untaught),
        on_flex("spikes_learning::gradients_pass_or_end", gradients_pass_or_end),
        on_flex("spikes_learning::half_precision_learns_as_f32", half_precision),
        on_flex("spikes_learning::plans_in_json", plans_in_json),
    ]
}

/// A first-spike layer, a layer of integrate-and-fire neurons, both local, and a read-out by backprop.
#[derive(Module, Debug)]
struct Net {
    conv: HebbianConv2d,
    hidden: HebbianLinear,
    head: Linear,
}

const PAIRS: [f64; 4] = [5.0, 5.0, 0.01, 0.012];

impl Net {
    fn new(device: &Device) -> Self {
        let rule =
            RankOrder::new(Rates { plus: 0.04, minus: -0.03 }).with_growth(Growth { every: 3, max: 0.15 });
        let rule = Rule::rank_order_stdp(0.04, -0.03).with_timing(Timing::RankOrder(rule));
        let mut conv = Conv2dConfig::new([1, 4], [3, 3]).with_bias(false).init(device);
        conv.weight =
            Param::from_tensor(tensor::<4>(1, [4, 1, 3, 3], device).mul_scalar(0.2).add_scalar(0.5));
        let mut hidden = LinearConfig::new(4 * 16, 5).with_bias(false).init(device);
        hidden.weight = Param::from_tensor(tensor::<2>(2, [64, 5], device).mul_scalar(0.2).add_scalar(0.3));
        let [tau_plus, tau_minus, plus, minus] = PAIRS;
        let stdp = Rule::stdp(tau_plus, tau_minus, plus, minus)
            .with_homeostasis(Homeostasis::Threshold { increase: 0.01, decay: 0.99 });
        let mut head = LinearConfig::new(5, 3).init(device);
        head.weight = Param::from_tensor(tensor(3, [5, 3], device));
        head.bias = None;
        Self { conv: Local::new(conv).with_rule(rule), hidden: Local::new(hidden).with_rule(stdp), head }
    }

    fn loss(&self, images: Tensor<4>, labels: Tensor<1, Int>) -> Tensor<1> {
        let wave = latencies(images, 6).unwrap();
        let first = FirstSpikes::new(1.5, 2).unwrap().learn(&self.conv, &wave).unwrap();
        let spikes = first.spikes.map(|spikes| spikes.flatten::<2>(1, 3));
        let neuron = LifConfig::new(0.9).with_threshold(4.0).init().unwrap();
        let (fired, _) = neuron.run(&spikes.map(|spikes| self.hidden.currents(spikes)), None);
        stdp::learn(&self.hidden, &spikes, &fired).unwrap();
        CrossEntropyLossConfig::new()
            .init(&images_device(&fired))
            .forward(self.head.forward(counts(&fired)), labels)
    }
}

fn images_device(train: &Train<2>) -> Device {
    train.device()
}

fn batch(seed: u64, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let labels = Tensor::from_data(TensorData::from([0_i64, 1, 2, 1]), device);
    (tensor::<4>(100 + seed, [4, 1, 6, 6], device).clamp_min(0.0), labels)
}

type Bound = (Net, LocalOptimizer);

fn bound(device: &Device) -> Bound {
    Plan::new().init(Net::new(device), AdamConfig::new()).unwrap()
}

fn step((net, mut optim): Bound, seed: u64, device: &Device) -> Bound {
    let (images, labels) = batch(seed, device);
    let (loss, seen) = optim.observe(&net, Signals::none(), |net| net.loss(images, labels)).unwrap();
    (optim.step(0.1, net, seen.backward(loss).unwrap()).unwrap(), optim)
}

/// Saved, state of both rules included, and loaded in the middle.
fn hybrid_learns_and_resumes(device: &Device) {
    let device = &device.clone().autodiff();
    let start = bound(device);
    let before = start.0.clone();
    let mut whole = start;
    for seed in 0..4 {
        whole = step(whole, seed, device);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.bpk");
    whole.0.clone().save_file(&path).unwrap();
    let loaded = before.clone().load_file(&path);
    assert_eq!(bits(&loaded), bits(&whole.0));
    let [a, b] = [&before, &whole.0];
    assert_ne!(vec(a.conv.layer().weight.val()), vec(b.conv.layer().weight.val()));
    assert_ne!(vec(a.hidden.layer().weight.val()), vec(b.hidden.layer().weight.val()));
    assert_ne!(vec(a.head.weight.val()), vec(b.head.weight.val()));
    assert_eq!(b.conv.rule_state().map(vec), Some(vec![16.0]), "images so far");
    assert!(b.hidden.rule_state().map(vec).unwrap().iter().any(|theta| *theta > 0.0));
    // the optimizer goes on with what was loaded
    let (net, optim) = whole;
    let next = step((loaded, optim), 9, device).0;
    let mut straight = bound(device);
    for seed in [0, 1, 2, 3, 9] {
        straight = step(straight, seed, device);
    }
    assert_eq!(bits(&next), bits(&straight.0));
    drop(net);
}

fn micro_batches_add_up(device: &Device) {
    let layer = Net::new(device).hidden;
    let train = bernoulli(tensor::<2>(5, [6, 64], device).abs(), 8, 3).unwrap();
    let post = bernoulli(tensor::<2>(6, [6, 5], device).abs(), 8, 4).unwrap();
    let of = |train: &Train<2>, images: std::ops::Range<usize>| {
        Train::of_steps((0..8).map(|t| train.at(t).narrow(0, images.start, images.len())).collect())
    };
    let run = |parts: &[std::ops::Range<usize>]| {
        let (bound, mut optim) = Plan::new().init(layer.clone(), SgdConfig::new()).unwrap();
        let updates = parts.iter().map(|part| {
            let (pre, post) = (of(&train, part.clone()), of(&post, part.clone()));
            let learn = |layer: &HebbianLinear| stdp::learn(layer, &pre, &post).unwrap();
            optim.observe(&bound, Signals::none(), learn).unwrap().1.local_only()
        });
        let updates = updates.reduce(|a, b| a.merge(b).unwrap()).unwrap();
        vec(optim.step(0.1, bound, updates).unwrap().layer().weight.val())
    };
    let whole = run(std::slice::from_ref(&(0..6)));
    assert_close("micro-batches", &run(&[0..1, 1..4, 4..6]), &whole, 1e-6);
}

/// The local layers of [`Net`] over three steps, on replicas that see these images of each batch of 4: weights and states.
fn on_replicas(device: &Device, parts: &[std::ops::Range<usize>]) -> Vec<[Vec<f64>; 4]> {
    let together = Arc::new(InProcess::new(parts.len()).unwrap());
    let net = Net::new(device);
    let train = |part: std::ops::Range<usize>| {
        let plan = Plan::new().with_rest(Rest::Frozen);
        let plan = plan.local("conv|hidden", LocalTraining::of_the_layer());
        let (mut net, optim) = plan.init(net.clone().fork(device), SgdConfig::new()).unwrap();
        let mut optim = optim.with_replicas(together.clone());
        for seed in 0..3 {
            let (images, labels) = batch(seed, device);
            let images = images.narrow(0, part.start, part.len());
            let labels = labels.narrow(0, part.start, part.len());
            let pass = |net: &Net| net.loss(images, labels);
            let (_, seen) = optim.observe(&net, Signals::none(), pass).unwrap();
            net = optim.step(1.0, net, seen.local_only()).unwrap();
        }
        let state = |state: Option<Tensor<1>>| state.map(vec).unwrap();
        let Net { conv, hidden, .. } = net;
        [
            vec(conv.layer().weight.val()),
            state(conv.rule_state()),
            vec(hidden.layer().weight.val()),
            state(hidden.rule_state()),
        ]
    };
    thread::scope(|scope| {
        let train = &train;
        let threads: Vec<_> = parts.iter().cloned().map(|part| scope.spawn(move || train(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Two replicas of 1 and 3 images each step: both have the weights, counts of images and thresholds of one that saw all 4.
fn replicas_are_one_device(device: &Device) {
    let whole = on_replicas(device, std::slice::from_ref(&(0..4))).remove(0);
    let start = Net::new(device);
    assert_ne!(whole[0], vec(start.conv.layer().weight.val()));
    assert_ne!(whole[2], vec(start.hidden.layer().weight.val()));
    assert_eq!(whole[1], [12.0], "images so far");
    assert!(whole[3].iter().any(|threshold| *threshold > 0.0));
    let replicas = on_replicas(device, &[0..1, 1..4]);
    assert_eq!(replicas[0], replicas[1]);
    for (name, (replica, whole)) in
        ["conv", "images", "hidden", "thresholds"].iter().zip(replicas[0].iter().zip(&whole))
    {
        assert_close(name, replica, whole, 1e-6);
    }
}

fn untaught(device: &Device) {
    let layer = Net::new(device).hidden;
    let (layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let currents = |layer: &HebbianLinear| layer.currents(tensor::<2>(7, [12, 64], device));
    let (_, seen) = optim.observe(&layer, Signals::none(), currents).unwrap();
    let refused = optim.step(0.1, layer, seen.local_only()).unwrap_err().to_string();
    assert!(refused.starts_with("layer `weight` waits for spikes"), "{refused}");
    assert!(refused.contains("`Synapses::learn_from`"), "{refused}");
}

/// Through a spiking layer with a surrogate gradient, to the layer below.
fn gradients_pass_or_end(device: &Device) {
    let device = &device.clone().autodiff();
    for passes in [false, true] {
        let training = LocalTraining::of_the_layer();
        let training = if passes { training.passing_gradients() } else { training };
        let net = Net::new(device).hidden;
        let (net, optim) = Plan::new().local(".*", training).init(net, SgdConfig::new()).unwrap();
        let input = tensor::<2>(7, [12, 64], device).require_grad();
        let neuron = LifConfig::new(0.9).with_surrogate(Some(Surrogate::FastSigmoid(2.0))).init().unwrap();
        let run = |net: &HebbianLinear| {
            let train = Train::new(net.currents(input.clone()), 3).unwrap();
            let (spikes, _) = neuron.run(&train, None);
            let pre = Train::new(input.clone(), 3).unwrap();
            stdp::learn(net, &pre, &spikes).unwrap();
            // of a leaf, so that there always is something to go back to
            largest(&spikes).sum() + input.clone().sum().mul_scalar(0.0)
        };
        let (loss, _seen) = optim.observe(&net, Signals::none(), run).unwrap();
        let gradient = input.grad(&loss.backward()).unwrap();
        let moved = vec(gradient).iter().any(|value| *value != 0.0);
        assert_eq!(moved, passes);
    }
}

fn half_precision(device: &Device) {
    for dtype in [DType::F16, DType::BF16] {
        if !device.supports_dtype(dtype) {
            continue;
        }
        let pre = bernoulli(tensor::<2>(5, [6, 64], device).abs(), 8, 3).unwrap();
        let post = bernoulli(tensor::<2>(6, [6, 5], device).abs(), 8, 4).unwrap();
        let rounded = Net::new(device).hidden.into_inner().weight.val().cast(dtype).cast(DType::F32);
        let delta = |dtype: DType| {
            let mut layer = Net::new(device).hidden;
            layer.layer_mut().weight = Param::from_tensor(rounded.clone().cast(dtype));
            let [pre, post] = [&pre, &post].map(|train| train.map(|spikes| spikes.cast(dtype)));
            let (bound, plan) = Plan::new().bind(layer).unwrap();
            let learn = |layer: &HebbianLinear| stdp::learn(layer, &pre, &post).unwrap();
            let (_, seen) = plan.observe(&bound, Signals::none(), learn).unwrap();
            let (bound, grads) = plan.finish(bound, seen.local_only()).unwrap();
            let delta = grads.get::<2>(bound.layer().weight.id).unwrap();
            assert_eq!(delta.dtype(), dtype, "weights keep their type");
            vec(delta)
        };
        // what is summed is not rounded, only the update is
        let tolerance = if dtype == DType::F16 { 1e-3 } else { 8e-3 };
        assert_close("half precision", &delta(dtype), &delta(DType::F32), tolerance);
    }
}

/// The winners are those of single precision here, and so are their updates, but for the last rounding.
fn first_spikes_in_half_precision(device: &Device) {
    for dtype in [DType::F16, DType::BF16] {
        if !device.supports_dtype(dtype) {
            continue;
        }
        let wave = latencies(batch(0, device).0, 6).unwrap();
        let rounded = Net::new(device).conv.into_inner().weight.val().cast(dtype).cast(DType::F32);
        let learned = |dtype: DType| {
            let mut layer = Net::new(device).conv;
            layer.layer_mut().weight = Param::from_tensor(rounded.clone().cast(dtype));
            let wave = wave.map(|spikes| spikes.cast(dtype));
            let (bound, plan) = Plan::new().bind(layer).unwrap();
            let neurons = FirstSpikes::new(1.5, 2).unwrap();
            let learn = |layer: &HebbianConv2d| neurons.learn(layer, &wave).unwrap();
            let (learned, seen) = plan.observe(&bound, Signals::none(), learn).unwrap();
            let (bound, grads) = plan.finish(bound, seen.local_only()).unwrap();
            let delta = grads.get::<4>(bound.layer().weight.id).unwrap();
            assert_eq!(delta.dtype(), dtype, "weights keep their type");
            (learned.winners.coordinates().into_data().iter::<i64>().collect::<Vec<_>>(), vec(delta))
        };
        let (half, single) = (learned(dtype), learned(DType::F32));
        assert_eq!(half.0, single.0, "the same winners");
        assert!(single.1.iter().any(|delta| delta.abs() > 1e-3));
        let tolerance = if dtype == DType::F16 { 1e-3 } else { 8e-3 };
        assert_close("half precision", &half.1, &single.1, tolerance);
    }
}

fn plans_in_json(_: &Device) {
    let rule = |json: &str| serde_json::from_str::<Rule>(json).unwrap();
    let published = r#"{"preset":"rank_order_stdp","plus":0.004,"minus":-0.003}"#;
    assert_eq!(rule(published), Rule::rank_order_stdp(0.004, -0.003));
    let pairs = r#"{"preset":"stdp","tau_plus":20,"tau_minus":20,"plus":0.01,"minus":0.012}"#;
    assert_eq!(rule(pairs), Rule::stdp(20.0, 20.0, 0.01, 0.012));
    let full = RankOrder::new(Rates { plus: 0.1, minus: -0.2 })
        .with_per_neuron(vec![Rates { plus: 0.3, minus: -0.1 }; 2])
        .with_punishment(Rates { plus: -0.004, minus: 0.0005 })
        .with_growth(Growth { every: 500, max: 0.15 });
    let full = Rule::rank_order_stdp(0.1, -0.2).with_timing(Timing::RankOrder(full));
    let plan = Plan::new().local("conv.*", full);
    let written = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&written).unwrap(), plan, "{written}");
}
