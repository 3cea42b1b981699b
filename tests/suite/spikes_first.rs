//! First-spike layers: against loops, image by image and in batches, and what they are known to do.

use burn::{
    nn::conv::Conv2dConfig,
    optim::SgdConfig,
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{
    nn::Synapses,
    prelude::*,
    rules::{Bounds, Growth, RankOrder, Rates, Timing},
    spikes::{
        Train,
        encode::latencies,
        first_spike::{FirstSpikes, Winners, fire},
    },
};
use burn_hebbian_tests::{
    any_layer::{self, AnyLayer},
    oracle::{
        Layer,
        spikes::{Contest, Winner, potentials, rank_order, winners},
    },
    values::{assert_close, numbers, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, rules::layers};

/// f32 products of rates and rooms; differences of 0.8 and 0.3.
const TOLERANCE: f64 = 1e-5;

const STEPS: usize = 6;
const RATES: Rates = Rates { plus: 0.4, minus: -0.3 };
const PUNISHED: Rates = Rates { plus: -0.2, minus: 0.1 };

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("spikes_first::a_convolution_as_in_the_oracle", |device| {
        check(&Layer::dense([1, 2, 6, 7], [5, 2, 3, 2]).padded([(1, 1), (1, 1)]), device);
    });
    trials.push(on_flex("spikes_first::every_geometry_as_in_the_oracle", |device| {
        layers().iter().for_each(|(_, layer)| check(layer, device));
    }));
    trials.push(on_flex("spikes_first::one_winner_a_map_and_radius", one_winner_a_map_and_radius));
    trials.push(on_flex("spikes_first::later_spikes_do_not_change_earlier_potentials", causality));
    trials.push(on_flex("spikes_first::rates_double_as_published", rates_double));
    trials.push(on_flex("spikes_first::a_batch_is_the_sum_of_its_images", batches));
    trials.push(on_flex("spikes_first::weights_stay_in_their_bounds", weights_stay_in_bounds));
    trials
}

/// Cumulative waves, `[steps · presentations, ..]`, of which one cell in three never spikes.
fn wave(seed: u64, presentations: usize, cells: usize) -> Vec<f32> {
    let starts: Vec<f32> = numbers(seed, presentations * cells)
        .into_iter()
        .map(|number| (number + 1.0) * 0.75 * STEPS as f32)
        .collect();
    (0..STEPS).flat_map(|step| starts.iter().map(move |start| f32::from(step as f32 >= *start))).collect()
}

/// Weights between 0.2 and 0.8.
fn weight(layer: &Layer, device: &Device) -> Tensor<5> {
    any_layer::weight(layer, device).mul_scalar(0.3).add_scalar(0.5)
}

fn rewards(presentations: usize) -> Vec<f64> {
    (0..presentations).map(|n| [1.0, -1.0, 0.5, 0.0][n % 4]).collect()
}

/// Winners and update of a batch of four, with and without rewards, by all kinds of contests.
fn check(layer: &Layer, device: &Device) {
    let presentations = 4;
    let mut layer = layer.clone();
    layer.input[0] = STEPS * presentations;
    let cells = layer.input[1..].iter().product();
    let values = wave(31, presentations, cells);
    let x = Tensor::from_data(TensorData::new(values.clone(), layer.input), device);
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    let w = vec(weight(&layer, device));
    let seen = potentials(&layer, &values, &w);
    // half of what the most excited neuron reaches
    let threshold = 0.5 * seen.iter().fold(0.0_f64, |most, potential| most.max(*potential));
    for (k, radius, inhibition) in [(1, 0, true), (3, 1, true), (4, 0, false), (3, 2, false)] {
        let contest = Contest { threshold, k, radius, inhibition };
        let won = winners(&contest, &layer, STEPS, &seen);
        let neurons = FirstSpikes::new(threshold, k).unwrap().with_radius(radius).with_inhibition(inhibition);
        for rewarded in [false, true] {
            let rates: Vec<[f64; 2]> = rewards(presentations)
                .into_iter()
                .map(|reward| match (rewarded, reward < 0.0) {
                    (false, _) => [RATES.plus, RATES.minus],
                    (true, false) => [reward * RATES.plus, reward * RATES.minus],
                    (true, true) => [-reward * PUNISHED.plus, -reward * PUNISHED.minus],
                })
                .collect();
            let rule = RankOrder::new(RATES).with_punishment(PUNISHED);
            let rule = Rule::rank_order_stdp(0.0, 0.0).with_timing(Timing::RankOrder(rule));
            let any = AnyLayer::with_weight(&layer, weight(&layer, device), device).with_rule(rule);
            let signals = match rewarded {
                false => Signals::none(),
                true => {
                    let rewards = TensorData::new(rewards(presentations), [presentations, 1]);
                    Signals::none().with_third_factor(Tensor::from_data(rewards, device))
                }
            };
            let mut found = None;
            let (delta, _) = any
                .try_taught(signals, |any| found = Some(any.learn_first_spikes(&neurons, x.clone(), STEPS)))
                .unwrap();
            assert_eq!(listed(&found.unwrap()), won, "{layer:?}, {contest:?}");
            let plain = rank_order(&layer, STEPS, &values, &won, &rates);
            let expected: Vec<f64> = plain.iter().zip(&w).map(|(delta, w)| delta * w * (1.0 - w)).collect();
            assert_close("update", &vec(delta), &expected, TOLERANCE);
        }
    }
}

/// Winners as the oracle lists them.
fn listed(winners: &Winners) -> Vec<Winner> {
    let ints = |values: &Tensor<2, burn::tensor::Int>| -> Vec<i64> { values.to_data().iter().collect() };
    let [neurons, positions, steps] = [&winners.neurons, &winners.positions, &winners.steps].map(ints);
    let there = |at: &usize| neurons[*at] >= 0;
    let winner = |at: usize| Winner {
        presentation: at / winners.k(),
        step: steps[at] as usize,
        neuron: neurons[at] as usize,
        position: positions[at] as usize,
    };
    (0..neurons.len()).filter(there).map(winner).collect()
}

fn conv(device: &Device, rule: Rule) -> HebbianConv2d {
    let conv = Conv2dConfig::new([2, 6], [3, 3]).with_bias(false).init(device);
    let mut layer = Local::new(conv).with_rule(rule);
    let start = Tensor::from_data(TensorData::new(numbers(5, 6 * 18), [6, 2, 3, 3]), device);
    layer.layer_mut().weight = burn::module::Param::from_tensor(start.mul_scalar(0.3).add_scalar(0.5));
    layer
}

fn waves(seed: u64, presentations: usize, device: &Device) -> Train<4> {
    let values = TensorData::new(wave(seed, presentations, 2 * 9 * 8), [STEPS * presentations, 2, 9, 8]);
    Train::new(Tensor::from_data(values, device), STEPS).unwrap()
}

fn one_winner_a_map_and_radius(device: &Device) {
    let layer = conv(device, Rule::rank_order_stdp(0.004, -0.003));
    let mut several = 0;
    for (seed, radius) in (0..6).flat_map(|seed| [(seed, 0), (seed, 1), (seed, 2)]) {
        let neurons = FirstSpikes::new(3.0, 5).unwrap().with_radius(radius);
        let found = neurons.compete(&layer, &waves(seed, 5, device)).unwrap().winners;
        let at: Vec<i64> = found.coordinates().into_data().iter().collect();
        for image in at.chunks(5 * 3) {
            let winners: Vec<&[i64]> = image.chunks(3).filter(|winner| winner[0] >= 0).collect();
            several += usize::from(winners.len() > 1);
            for (i, a) in winners.iter().enumerate() {
                for b in &winners[..i] {
                    assert_ne!(a[0], b[0], "one winner a map");
                    let apart = (a[1] - b[1]).abs().max((a[2] - b[2]).abs());
                    assert!(radius == 0 || apart > radius as i64, "{winners:?} within {radius}");
                }
            }
        }
    }
    assert!(several > 20, "images with several winners: {several}");
}

fn causality(device: &Device) {
    let layer = conv(device, Rule::rank_order_stdp(0.004, -0.003));
    let early = waves(7, 2, device);
    let potentials = |wave: &Train<4>| wave.map(|wave| layer.currents(wave));
    for step in 1..STEPS {
        // from this step on, everything spikes
        let images = early.images();
        let kept = early.values().narrow(0, 0, step * images);
        let changed = early.values().narrow(0, step * images, (STEPS - step) * images).ones_like();
        let late = Train::new(Tensor::cat(vec![kept, changed], 0), STEPS).unwrap();
        let [a, b] = [&early, &late].map(potentials);
        for t in 0..step {
            assert_eq!(vec(a.at(t)), vec(b.at(t)), "step {t}, changed from {step} on");
            let [a, b] = [&a, &b].map(|potentials| vec(fire(potentials, 2.0).at(t)));
            assert_eq!(a, b, "spikes at step {t}");
        }
        assert_ne!(vec(a.at(step)), vec(b.at(step)));
    }
}

/// Every second image, up to the bound, by the image that completes the two.
fn rates_double(device: &Device) {
    let growth = Growth { every: 2, max: 0.15 };
    let rates = Rates { plus: 0.04, minus: -0.03 };
    let rule = |rule| {
        Rule::rank_order_stdp(0.0, 0.0)
            .with_timing(Timing::RankOrder(rule))
            .with_bounds(Bounds::Hard { min: -9.0, max: 9.0 })
    };
    let layer = conv(device, rule(RankOrder::new(rates).with_growth(growth)));
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let neurons = FirstSpikes::new(2.0, 3).unwrap();
    let expected = [0.04, 0.08, 0.08, 0.15, 0.15, 0.15, 0.15];
    for (image, plus) in expected.into_iter().enumerate() {
        let wave = waves(40 + image as u64, 1, device);
        let alone = Rates { plus, minus: -0.75 * plus };
        let twin = Local::new(layer.layer().clone()).with_rule(rule(RankOrder::new(alone)));
        let (twin, mut of_twin) = Plan::new().init(twin, SgdConfig::new()).unwrap();
        let (_, seen) = of_twin.observe(&twin, Signals::none(), |twin| neurons.learn(twin, &wave)).unwrap();
        let twin = of_twin.step(1.0, twin, seen.local_only()).unwrap();
        let before = vec(layer.layer().weight.val());
        let (_, seen) = optim.observe(&layer, Signals::none(), |layer| neurons.learn(layer, &wave)).unwrap();
        layer = optim.step(1.0, layer, seen.local_only()).unwrap();
        let [ours, expected] = [&layer, &twin].map(|layer| vec(layer.layer().weight.val()));
        assert_close("weights", &ours, &expected, 1e-6);
        assert_ne!(ours, before, "image {image} taught something");
        assert_eq!(layer.rule_state().map(vec), Some(vec![image as f64 + 1.0]));
    }
}

/// At fixed weights; no loss of accuracy in a batch.
fn batches(device: &Device) {
    let layer = conv(device, Rule::rank_order_stdp(0.3, -0.2));
    let neurons = FirstSpikes::new(3.0, 4).unwrap().with_radius(1);
    let delta = |wave: &Train<4>| {
        let (bound, plan) = Plan::new().bind(layer.clone()).unwrap();
        let (_, seen) = plan.observe(&bound, Signals::none(), |layer| neurons.learn(layer, wave)).unwrap();
        let (bound, grads) = plan.finish(bound, seen.local_only()).unwrap();
        vec(grads.get::<4>(bound.layer().weight.id).unwrap().neg())
    };
    let all = waves(9, 5, device);
    let alone = |n: usize| Train::of_steps((0..STEPS).map(|t| all.at(t).narrow(0, n, 1)).collect());
    let sum = (0..5).map(|n| delta(&alone(n))).reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect());
    assert_close("batch", &delta(&all), &sum.unwrap(), 1e-6);
}

fn weights_stay_in_bounds(device: &Device) {
    let neurons = FirstSpikes::new(2.0, 6).unwrap();
    for bounds in [Bounds::Hard { min: 0.2, max: 0.8 }, Bounds::Soft { min: 0.2, max: 0.8 }] {
        let rule = Rule::rank_order_stdp(3.0, -2.0).with_bounds(bounds);
        let (mut layer, mut optim) = Plan::new().init(conv(device, rule), SgdConfig::new()).unwrap();
        let inside = |layer: &HebbianConv2d| {
            let range = f64::from(0.2_f32)..=f64::from(0.8_f32);
            vec(layer.layer().weight.val()).iter().all(|w| range.contains(w))
        };
        for seed in 0..6 {
            let wave = latencies(waves(seed, 3, device).at(2), STEPS).unwrap();
            let (_, seen) =
                optim.observe(&layer, Signals::none(), |layer| neurons.learn(layer, &wave)).unwrap();
            layer = optim.step(1.0, layer, seen.local_only()).unwrap();
            assert!(inside(&layer), "{bounds:?}");
        }
    }
    // a silent image clamps what lies outside, and changes nothing else
    let rule = Rule::rank_order_stdp(3.0, -2.0).with_bounds(Bounds::Soft { min: 0.4, max: 0.6 });
    let (layer, mut optim) = Plan::new().init(conv(device, rule), SgdConfig::new()).unwrap();
    let before = vec(layer.layer().weight.val());
    let silent = Train::new(waves(1, 1, device).values().zeros_like(), STEPS).unwrap();
    let (learned, seen) =
        optim.observe(&layer, Signals::none(), |layer| neurons.learn(layer, &silent)).unwrap();
    assert!(listed(&learned.unwrap().winners).is_empty());
    let layer = optim.step(1.0, layer, seen.local_only()).unwrap();
    let expected: Vec<f64> = before.iter().map(|w| w.clamp(f64::from(0.4_f32), f64::from(0.6_f32))).collect();
    assert_eq!(vec(layer.layer().weight.val()), expected);
}
