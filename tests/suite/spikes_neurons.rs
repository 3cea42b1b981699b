//! Neurons and encoders against loops over scalars; state, gradients, thresholds.

use burn::{
    optim::SgdConfig,
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{
    nn::Synapses,
    prelude::*,
    rules::Homeostasis,
    spikes::{
        Train,
        encode::{bernoulli, latencies, poisson},
        neuron::{Comparison, LifConfig, Refractory, Reset, ResetAt, Surrogate},
        readout::{counts, first_spikes, largest},
        stdp,
    },
};
use burn_hebbian_tests::values::{assert_close, numbers, tensor, vec};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, spikes_pairs::doubles};

const STEPS: usize = 30;
const CELLS: usize = 2 * 3;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("spikes_neurons::every_option_as_in_loops", every_option);
    trials.push(on_flex("spikes_neurons::a_state_goes_on_where_it_was", state_goes_on));
    trials.push(on_flex("spikes_neurons::later_inputs_do_not_change_earlier_potentials", causality));
    trials.push(on_flex("spikes_neurons::surrogates_have_their_derivatives", surrogates));
    trials.push(on_flex("spikes_neurons::gradients_go_through_time", gradients_go_through_time));
    trials.push(on_flex("spikes_neurons::thresholds_are_rule_state", thresholds_are_rule_state));
    trials.extend(on_every_backend("spikes_neurons::latencies_as_in_loops", latencies_as_in_loops));
    trials.extend(on_every_backend("spikes_neurons::rates_are_those_of_the_images", rates));
    trials
}

fn options() -> Vec<LifConfig> {
    let mut all = Vec::new();
    for reset in [Reset::Subtract, Reset::To(-0.25), Reset::None] {
        for reset_at in [ResetAt::Step, ResetAt::NextStep, ResetAt::Carried] {
            for refractory in [
                Refractory::None,
                Refractory::Freeze { steps: 2.0 },
                Refractory::BlockInput { duration: 1.5, step: 0.5 },
            ] {
                for current_decay in [None, Some(0.5)] {
                    let base = LifConfig::new(0.8).with_rest(0.125).with_gain(0.7);
                    let comparison =
                        if current_decay.is_some() { Comparison::From } else { Comparison::Above };
                    all.push(
                        base.with_reset(reset)
                            .with_reset_at(reset_at)
                            .with_refractory(refractory)
                            .with_current_decay(current_decay)
                            .with_comparison(comparison),
                    );
                }
            }
        }
    }
    all
}

/// Spikes and potentials of one neuron, step after step.
fn loops(config: &LifConfig, inputs: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let over = |u: f64| match config.comparison {
        Comparison::Above => u > config.threshold,
        Comparison::From => u >= config.threshold,
    };
    let (mut v, mut current, mut left) = (config.rest, 0.0_f64, 0.0_f64);
    let (mut spikes, mut potentials) = (Vec::new(), Vec::new());
    for input in inputs {
        let blocked = matches!(config.refractory, Refractory::BlockInput { .. }) && left > 0.0;
        let mut drive = if blocked { 0.0 } else { *input };
        if let Some(decay) = config.current_decay {
            current += drive;
            drive = current;
            current *= decay;
        }
        let was = over(v);
        let kept = match (config.reset, config.reset_at) {
            (Reset::To(value), ResetAt::NextStep) if was => value,
            _ => v,
        };
        let mut u = config.rest + config.decay * (kept - config.rest) + config.gain * drive;
        let taken = config.reset == Reset::Subtract && config.reset_at != ResetAt::Step && was;
        if taken {
            u -= config.threshold;
        }
        let fires = over(u);
        let mut next = u;
        match (config.reset, config.reset_at) {
            (Reset::None, _) | (_, ResetAt::NextStep) => {}
            (Reset::To(value), _) => next = if fires { value } else { u },
            (Reset::Subtract, _) => {
                next -= config.threshold * (f64::from(u8::from(fires)) - f64::from(u8::from(taken)));
            }
        }
        let mut spike = fires;
        match config.refractory {
            Refractory::None => {}
            Refractory::Freeze { steps } => {
                let rests = left > 0.0;
                if rests {
                    (spike, next) = (false, v);
                    left = (left - 1.0).max(0.0);
                }
                if spike {
                    left = steps;
                }
            }
            Refractory::BlockInput { duration, step } => left = if fires { duration } else { left - step },
        }
        v = next;
        spikes.push(f64::from(u8::from(spike)));
        potentials.push(v);
    }
    (spikes, potentials)
}

/// Of several neurons at once, `[steps, cells]` → cell by cell.
fn cells(values: &[f64]) -> Vec<Vec<f64>> {
    (0..CELLS).map(|cell| values.iter().skip(cell).step_by(CELLS).copied().collect()).collect()
}

fn inputs(device: &Device) -> (Train<2>, Vec<f64>) {
    let values: Vec<f32> = numbers(21, STEPS * CELLS).into_iter().map(|number| number + 0.4).collect();
    let doubled = doubles(&values);
    let values = Tensor::from_data(TensorData::new(values, [STEPS * 2, 3]), device);
    (Train::new(values, STEPS).unwrap(), doubled)
}

fn every_option(device: &Device) {
    let (train, values) = inputs(device);
    let mut fired = 0.0;
    for config in options() {
        let recorded = config.init().unwrap().record(&train, None);
        let [spikes, potentials] =
            [recorded.spikes, recorded.potentials].map(|train| cells(&vec(train.values())));
        for (cell, input) in cells(&values).iter().enumerate() {
            let (expected_spikes, expected) = loops(&config, input);
            assert_eq!(spikes[cell], expected_spikes, "{config:?}");
            assert_close("potentials", &potentials[cell], &expected, 1e-5);
            fired += expected_spikes.iter().sum::<f64>();
        }
    }
    assert!(fired > 500.0, "neurons spiked {fired} times");
}

fn part(train: &Train<2>, steps: std::ops::Range<usize>) -> Train<2> {
    Train::of_steps(steps.map(|t| train.at(t)).collect())
}

fn state_goes_on(device: &Device) {
    let (train, _) = inputs(device);
    for config in options() {
        let neuron = config.init().unwrap();
        let whole = vec(neuron.run(&train, None).0.values());
        let (first, state) = neuron.run(&part(&train, 0..11), None);
        let (second, _) = neuron.run(&part(&train, 11..STEPS), Some(state));
        let halves = [vec(first.values()), vec(second.values())].concat();
        assert_eq!(halves, whole, "{config:?}");
    }
}

fn causality(device: &Device) {
    let (train, _) = inputs(device);
    let other = Train::of_steps(
        (0..STEPS).map(|t| if t < 12 { train.at(t) } else { train.at(t).add_scalar(3.0) }).collect(),
    );
    for config in options() {
        let neuron = config.init().unwrap();
        let [a, b] = [&train, &other].map(|train| neuron.record(train, None));
        let early = |recorded: &Train<2>| vec(part(recorded, 0..12).values());
        assert_eq!(early(&a.potentials), early(&b.potentials), "{config:?}");
        assert_eq!(early(&a.spikes), early(&b.spikes), "{config:?}");
        assert_ne!(vec(a.potentials.values()), vec(b.potentials.values()), "{config:?}");
    }
}

/// The derivative of a spike with respect to its input, at rest.
fn surrogates(device: &Device) {
    let device = device.clone().autodiff();
    let at = [-0.7_f64, 0.2, 0.999, 1.001, 2.5];
    for (surrogate, slope) in [
        (Surrogate::Atan(2.0), (|x: f64| 1.0 / (1.0 + (std::f64::consts::PI * x).powi(2))) as fn(f64) -> f64),
        (Surrogate::FastSigmoid(25.0), |x| (1.0 + 25.0 * x.abs()).powi(-2)),
        (Surrogate::Sigmoid(4.0), |x| {
            let s = 1.0 / (1.0 + (-4.0 * x).exp());
            4.0 * s * (1.0 - s)
        }),
    ] {
        let neuron = LifConfig::new(0.9).with_surrogate(Some(surrogate)).init().unwrap();
        let input = Tensor::<2>::from_data(TensorData::new(at.to_vec(), [1, 5]), &device).require_grad();
        let (spikes, _) = neuron.step(input.clone(), neuron.init_state(&input));
        assert_eq!(vec(spikes.clone().inner()), [0.0, 0.0, 0.0, 1.0, 1.0], "{surrogate:?}");
        let gradient = input.grad(&spikes.sum().backward()).unwrap();
        let expected: Vec<f64> = at.iter().map(|u| slope(u - 1.0)).collect();
        assert_close("surrogate", &vec(gradient), &expected, 1e-5);
    }
}

/// A later spike has a gradient for an earlier input; without a surrogate it has none.
fn gradients_go_through_time(device: &Device) {
    let device = device.clone().autodiff();
    for surrogate in [None, Some(Surrogate::FastSigmoid(5.0))] {
        let neuron = LifConfig::new(0.9).with_surrogate(surrogate).init().unwrap();
        let first = tensor::<2>(3, [1, 4], &device).require_grad();
        let inputs = Train::of_steps(vec![first.clone(), first.clone().zeros_like().detach()]);
        let (spikes, _) = neuron.run(&inputs, None);
        // of a leaf, so that there always is something to go back to
        let loss = spikes.at(1).sum() + first.clone().sum().mul_scalar(0.0);
        let gradient = first.grad(&loss.backward()).unwrap();
        let moved = vec(gradient).iter().any(|value| *value != 0.0);
        assert_eq!(moved, surrogate.is_some());
    }
}

/// Every spike raises its neuron's threshold, by what the rule says; neurons read them beside the layer's weight.
fn thresholds_are_rule_state(device: &Device) {
    let (increase, decay) = (0.05, 0.9);
    let rule = Rule::stdp(5.0, 5.0, 0.0, 0.0).with_homeostasis(Homeostasis::Threshold { increase, decay });
    let layer = HebbianLinearConfig::new(4, 3, rule.clone()).init(device);
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    let neuron = LifConfig::new(0.9).with_threshold(0.3).init().unwrap();
    let layout = burn_hebbian::nn::Trainable::layout(layer.layer());
    let mut expected = vec![0.0; 3];
    let mut totals = Vec::new();
    for _ in 0..8 {
        let train = bernoulli(Tensor::<2>::full([2, 4], 0.6, device), 10, 3).unwrap();
        let learn = |layer: &HebbianLinear| {
            let thresholds = layer.rule_state().and_then(|state| rule.thresholds(state, &layout));
            let currents = train.map(|spikes| layer.currents(spikes).abs());
            let (spikes, _) = neuron.run_above(&currents, None, thresholds);
            stdp::learn(layer, &train, &spikes).unwrap();
            vec(counts(&spikes).sum_dim(0))
        };
        let (spikes, seen) = optim.observe(&layer, Signals::none(), learn).unwrap();
        layer = optim.step(1.0, layer, seen.local_only()).unwrap();
        for (theta, spikes) in expected.iter_mut().zip(&spikes) {
            *theta = decay * *theta + increase * spikes;
        }
        assert_close("thresholds", &vec(layer.rule_state().unwrap()), &expected, 1e-5);
        totals.push(spikes.iter().sum::<f64>());
    }
    assert!(totals[7] < 0.7 * totals[0], "raised thresholds: {totals:?}");
}

fn latencies_as_in_loops(device: &Device) {
    let (images, width) = (5, 23);
    let mut values: Vec<f32> = numbers(17, images * width);
    values[3 * width..4 * width].fill(0.0); // blank
    values[4 * width..]
        .iter_mut()
        .enumerate()
        .for_each(|(i, value)| *value = if i < 4 { *value } else { 0.0 });
    for steps in [1, 4, 7, 30] {
        let intensities = Tensor::<2>::from_data(TensorData::new(values.clone(), [images, width]), device);
        let wave = latencies(intensities, steps).unwrap();
        let first: Vec<f64> = vec(first_spikes(&wave));
        for (image, first) in values.chunks(width).zip(first.chunks(width)) {
            let mut order: Vec<usize> = (0..width).filter(|i| image[*i] > 0.0).collect();
            order.sort_by(|a, b| image[*b].total_cmp(&image[*a]));
            let per_step = (order.len() / steps).max(1);
            let mut expected = vec![steps as f64; width];
            for (rank, i) in order.iter().enumerate() {
                expected[*i] = ((rank / per_step) as f64).min(steps as f64);
            }
            assert_eq!(first, expected, "{steps} steps");
        }
        let last: Vec<f64> = vec(largest(&wave));
        assert_eq!(
            last,
            first.iter().map(|step| f64::from(u8::from(*step < steps as f64))).collect::<Vec<_>>()
        );
    }
}

fn rates(device: &Device) {
    let intensities = || Tensor::<2>::from_data([[0.0, 0.2, 0.5, 1.0], [1.0, 0.5, 0.2, 0.0]], device);
    let steps = 2000;
    let drawn = bernoulli(intensities(), steps, 9).unwrap();
    assert_eq!(vec(drawn.values()), vec(bernoulli(intensities(), steps, 9).unwrap().values()));
    assert_ne!(vec(drawn.values()), vec(bernoulli(intensities(), steps, 10).unwrap().values()));
    // 100 spikes a second at most, steps of 2 ms
    let poisson = poisson(intensities(), steps, 100.0, 0.002, 9).unwrap();
    let values = vec(intensities());
    for (train, probability) in [(drawn, (|x| x) as fn(f64) -> f64), (poisson, |x| 1.0 - (-0.2 * x).exp())] {
        for (count, x) in vec(counts(&train)).into_iter().zip(&values) {
            let p = probability(*x);
            let deviation = (steps as f64 * p * (1.0 - p)).sqrt();
            assert!((count - steps as f64 * p).abs() <= 4.0 * deviation, "{count} spikes at {p}");
        }
    }
}
