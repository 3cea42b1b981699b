//! STDP by traces: against loops over time, folded and step by step, and what it is known to do.

use burn::{
    module::Param,
    nn::{Linear, LinearConfig},
    optim::SgdConfig,
    tensor::{DType, Device, Tensor, TensorData},
};
use burn_hebbian::{
    nn::Synapses,
    prelude::*,
    rules::{Bounds, Dependence, Jump, Pairs, Span, Timing, Trace},
    spikes::{
        Train,
        encode::bernoulli,
        neuron::{LifConfig, Reset},
        readout::first_spikes,
        stdp::{self, Traces},
    },
};
use burn_hebbian_tests::{
    any_layer::{self, AnyLayer},
    oracle::{
        Layer,
        spikes::{Trains, pairs},
    },
    values::{assert_close, numbers, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, rules::layers};

/// f32 sums of a few hundred terms of order 1.
const TOLERANCE: f64 = 1e-5;

const STEPS: usize = 5;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("spikes_pairs::every_option_as_in_the_oracle", every_option);
    trials.push(on_flex("spikes_pairs::every_geometry_as_in_the_oracle", every_geometry));
    trials.push(on_flex("spikes_pairs::folding_is_stepping", folding_is_stepping));
    trials.push(on_flex("spikes_pairs::symmetric_windows_do_not_drift", symmetric_windows));
    trials.push(on_flex("spikes_pairs::weights_settle_where_rates_balance", weights_settle));
    trials.push(on_flex("spikes_pairs::a_repeated_pattern_is_found_earlier", earlier_and_earlier));
    trials.push(on_flex("spikes_pairs::weights_stay_in_their_bounds", weights_stay_in_bounds));
    trials
}

/// Spikes of one cell in three, the same for the same seed.
pub(crate) fn spikes(seed: u64, count: usize) -> Vec<f32> {
    numbers(seed, count).into_iter().map(|number| f32::from(number > 0.33)).collect()
}

pub(crate) fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

fn rule(pairs: Pairs) -> Rule {
    Rule::stdp(1.0, 1.0, 0.0, 0.0).with_timing(Timing::Pairs(pairs)).with_bounds(Bounds::None)
}

fn options() -> Vec<(&'static str, Pairs)> {
    let base = || Pairs::new(3.0, 5.0, 0.7, 0.4);
    let soft = |exponent| Dependence::Soft { min: -1.5, max: 1.25, exponent };
    let scaled = Trace::linear(4.0).with_jump(Jump::Add(0.25));
    vec![
        ("additive", base()),
        ("linear decay", base().with_traces(Trace::linear(3.0), Trace::linear(1.0))),
        ("scaled jumps", base().with_traces(scaled, Trace::exponential(2.0).with_jump(Jump::Add(2.0)))),
        (
            "set after",
            base().with_traces(Trace::exponential(3.0), Trace::exponential(5.0).with_jump(Jump::Set)),
        ),
        ("weight", base().with_dependence(Dependence::Weight)),
        ("soft", base().with_dependence(soft(1.0))),
        ("soft root", base().with_dependence(soft(0.5))),
        ("soft zero", base().with_dependence(soft(0.0))),
    ]
}

/// A layer over so many steps of two presentations, its trains, and what it learns by a rule.
struct Scene {
    layer: Layer,
    pre: Vec<f32>,
    post: Vec<f32>,
    reward: Vec<f32>,
}

impl Scene {
    fn new(mut layer: Layer, device: &Device) -> Self {
        layer.input[0] = STEPS * 2;
        let pre = spikes(11, layer.input.iter().product());
        let outputs = AnyLayer::new(&layer, device).plain_forward(any_layer::input(&layer, device)).dims();
        let post = spikes(12, outputs.iter().product());
        let reward = numbers(13, layer.input[0]);
        Self { layer, pre, post, reward }
    }

    fn tensors(&self, device: &Device) -> [Tensor<5>; 2] {
        let mut outputs =
            AnyLayer::new(&self.layer, device).plain_forward(any_layer::input(&self.layer, device)).dims();
        outputs[0] = self.layer.input[0];
        [(&self.pre, self.layer.input), (&self.post, outputs)]
            .map(|(values, dims)| Tensor::from_data(TensorData::new(values.clone(), dims), device))
    }

    fn check(&self, name: &str, pairs_rule: &Pairs, rewarded: bool, device: &Device) {
        let [pre, post] = self.tensors(device);
        let any = AnyLayer::new(&self.layer, device).with_rule(rule(*pairs_rule));
        let w = vec(any_layer::weight(&self.layer, device));
        let reward = if rewarded { self.reward.clone() } else { vec![1.0; self.reward.len()] };
        let trains = Trains {
            steps: STEPS,
            pre: &doubles(&self.pre),
            post: &doubles(&self.post),
            reward: &doubles(&reward),
        };
        let expected = pairs(pairs_rule, &self.layer, trains, &w);
        let signals = match rewarded {
            true => Signals::none()
                .with_third_factor(Tensor::<1>::from_data(self.reward.as_slice(), device).unsqueeze_dim(1)),
            false => Signals::none(),
        };
        let taught = any.try_taught(signals, |any| any.learn_from(pre, post, Span::trains(STEPS)));
        assert_close(name, &vec(taught.unwrap().0), &expected, TOLERANCE);
    }
}

fn every_option(device: &Device) {
    let scene = Scene::new(Layer::dense([1, 2, 5, 4], [3, 2, 2, 3]).padded([(1, 1), (0, 0)]), device);
    for (name, option) in options() {
        scene.check(name, &option, false, device);
        scene.check(name, &option, true, device);
    }
}

fn every_geometry(device: &Device) {
    for (name, layer) in layers() {
        let scene = Scene::new(layer, device);
        for (_, option) in options().into_iter().step_by(3) {
            scene.check(name, &option, true, device);
        }
    }
}

/// What a layer learns while it is taught.
fn delta<R>(layer: &HebbianLinear, signals: Signals, teach: impl FnOnce(&HebbianLinear) -> R) -> Vec<f64> {
    let (bound, plan) = Plan::new().bind(layer.clone()).unwrap();
    let (_, seen) = plan.observe(&bound, signals, teach).unwrap();
    let (bound, grads) = plan.finish(bound, seen.local_only()).unwrap();
    vec(grads.get::<2>(bound.layer().weight.id).unwrap().neg())
}

fn linear(weight: Tensor<2>, rule: Rule) -> Local<Linear> {
    let [inputs, neurons] = weight.dims();
    let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(&weight.device());
    linear.weight = Param::from_tensor(weight);
    Local::new(linear).with_rule(rule)
}

fn train(seed: u64, steps: usize, images: usize, width: usize, device: &Device) -> Train<2> {
    let values = TensorData::new(spikes(seed, steps * images * width), [steps * images, width]);
    Train::new(Tensor::from_data(values, device), steps).unwrap()
}

/// Whole trains at once, and traces carried from step to step, with the same weights; traces that spikes set, and targets, too.
fn folding_is_stepping(device: &Device) {
    let (steps, images) = (40, 3);
    // in f64, so that what differs is not the order of sums
    let double = |train: Train<2>| train.map(|spikes| spikes.cast(DType::F64));
    let [pre, post] = [train(1, steps, images, 7, device), train(2, steps, images, 4, device)].map(double);
    let weight: Tensor<2> = burn_hebbian_tests::values::tensor::<2>(3, [7, 4], device).cast(DType::F64);
    let set = Trace::exponential(6.0).with_jump(Jump::Set);
    let both = ("set", Pairs::new(1.0, 1.0, 0.3, 0.2).with_traces(set, set));
    for (name, pairs) in options().into_iter().chain([both]) {
        for target in [0.0, 0.3] {
            let layer = linear(weight.clone(), rule(pairs));
            let whole = delta(&layer, Signals::none(), |layer| {
                stdp::learn_traces(layer, &pairs, &pre, &post, target).unwrap();
            });
            let stepped = delta(&layer, Signals::none(), |layer| {
                let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
                for t in 0..steps {
                    traces = stdp::learn_step(layer, &pairs, traces, pre.at(t), post.at(t), target);
                }
            });
            assert_close(name, &whole, &stepped, 1e-12);
            if pairs.pre.is_linear() && target == 0.0 {
                let folded = delta(&layer, Signals::none(), |layer| stdp::learn(layer, &pre, &post).unwrap());
                assert_close(name, &folded, &stepped, 1e-12);
            }
        }
    }
}

/// Independent trains of these rates, and the mean change of their weights with its standard error.
fn drift(pairs: Pairs, device: &Device) -> (f64, f64) {
    let (steps, images) = (400, 16);
    let layer = linear(Tensor::full([12, 10], 0.5, device), rule(pairs));
    let rates = |width, rate: f64| Tensor::<2>::full([images, width], rate, device);
    let [pre, post] = [(rates(12, 0.2), 5), (rates(10, 0.1), 6)]
        .map(|(rates, seed)| bernoulli(rates, steps, seed).unwrap());
    let changes = delta(&layer, Signals::none(), |layer| stdp::learn(layer, &pre, &post).unwrap());
    let n = changes.len() as f64;
    let mean = changes.iter().sum::<f64>() / n;
    let variance = changes.iter().map(|change| (change - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // weights of one neuron share its train: as many independent values as neurons and inputs together
    (mean, (variance / 22.0).sqrt())
}

fn symmetric_windows(device: &Device) {
    let pairs = Pairs::new(8.0, 8.0, 0.1, 0.1);
    let (mean, error) = drift(pairs, device);
    assert!(mean.abs() < 4.0 * error, "{mean} ± {error}");
    // more depression than potentiation does drift, by as much as rates and windows say
    let (mean, error) = drift(Pairs { minus: 0.15, ..pairs }, device);
    let window = 1.0 / (1.0 - (-1.0_f64 / 8.0).exp());
    let expected = 400.0 * 16.0 * 0.2 * 0.1 * (0.1 - 0.15) * window;
    assert!((mean - expected).abs() < 4.0 * error && mean < -4.0 * error, "{mean} ± {error} for {expected}");
}

/// With soft bounds and independent trains, where `a₊ (1 − w)^μ` is `a₋ w^μ`.
fn weights_settle(device: &Device) {
    for (plus, minus, exponent) in [(0.002, 0.002, 1.0), (0.002, 0.004, 1.0), (0.002, 0.004, 0.5)] {
        let dependence = Dependence::Soft { min: 0.0, max: 1.0, exponent };
        let pairs = Pairs::new(5.0, 5.0, plus, minus).with_dependence(dependence);
        let start =
            burn_hebbian_tests::values::tensor::<2>(4, [20, 8], device).add_scalar(1.0).div_scalar(2.0);
        let (mut layer, mut optim) = Plan::new().init(linear(start, rule(pairs)), SgdConfig::new()).unwrap();
        for seed in 0..60 {
            let pre = bernoulli(Tensor::<2>::full([8, 20], 0.2, device), 20, 2 * seed).unwrap();
            let post = bernoulli(Tensor::<2>::full([8, 8], 0.2, device), 20, 2 * seed + 1).unwrap();
            let learn = |layer: &Local<Linear>| stdp::learn(layer, &pre, &post).unwrap();
            let (_, seen) = optim.observe(&layer, Signals::none(), learn).unwrap();
            layer = optim.step(1.0, layer, seen.local_only()).unwrap();
        }
        let weights = vec(layer.layer().weight.val());
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let expected = 1.0 / (1.0 + (minus / plus).powf(1.0 / exponent));
        assert!((mean - expected).abs() < 0.03, "{mean} for {expected}, μ = {exponent}");
    }
}

/// Inputs that spike one after the other, again and again: the neuron spikes earlier and earlier.
fn earlier_and_earlier(device: &Device) {
    let inputs = 40;
    let values: Vec<f32> =
        (0..inputs * inputs).map(|cell| f32::from(cell / inputs == cell % inputs)).collect();
    let pattern =
        Train::new(Tensor::<2>::from_data(TensorData::new(values, [inputs, inputs]), device), inputs)
            .unwrap();
    let neuron = LifConfig::new(0.95).with_threshold(5.0).with_reset(Reset::To(0.0)).init().unwrap();
    let layer = linear(Tensor::full([inputs, 1], 0.5, device), Rule::stdp(6.0, 6.0, 0.03, 0.035));
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let mut latencies = Vec::new();
    for _ in 0..80 {
        let learn = |layer: &Local<Linear>| {
            let (spikes, _) = neuron.run(&pattern.map(|spikes| layer.currents(spikes)), None);
            stdp::learn(layer, &pattern, &spikes).unwrap();
            first_spikes(&spikes).into_scalar::<f32>()
        };
        let (latency, seen) = optim.observe(&layer, Signals::none(), learn).unwrap();
        layer = optim.step(1.0, layer, seen.local_only()).unwrap();
        latencies.push(latency);
    }
    assert!(latencies.windows(2).all(|pair| pair[1] <= pair[0]), "{latencies:?}");
    assert!(latencies[79] < 0.6 * latencies[0], "{latencies:?}");
}

/// Rates far too high; weights start outside, too.
fn weights_stay_in_bounds(device: &Device) {
    let start = burn_hebbian_tests::values::tensor::<2>(5, [9, 6], device).mul_scalar(2.0);
    for bounds in [Bounds::Hard { min: -0.3, max: 0.7 }, Bounds::Soft { min: -0.3, max: 0.7 }] {
        let rule = Rule::stdp(5.0, 5.0, 3.0, 2.0).with_bounds(bounds);
        for rate in [0.1, 1.0, 7.0] {
            let layer = linear(start.clone(), rule.clone());
            let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
            for seed in 0..5 {
                let [pre, post] = [train(seed, 6, 2, 9, device), train(seed + 50, 6, 2, 6, device)];
                let learn = |layer: &Local<Linear>| stdp::learn(layer, &pre, &post).unwrap();
                let (_, seen) = optim.observe(&layer, Signals::none(), learn).unwrap();
                layer = optim.step(rate, layer, seen.local_only()).unwrap();
                let weights = vec(layer.layer().weight.val());
                let inside = |w: &f64| (f64::from(-0.3_f32)..=f64::from(0.7_f32)).contains(w);
                assert!(weights.iter().all(inside), "{bounds:?} at rate {rate}: {weights:?}");
            }
        }
    }
}
