//! Steps by the million, by jumping ahead.

use alloc::{vec, vec::Vec};

use super::{NEURONS, map, rules};
use crate::{
    Bias, DenseView, Lateral, Neighborhood, Rule, WeightLayout,
    fixture::{learn, learn_from, noise, noisy, numbers, start, tensor},
    stages::memory::{Stage, blend, steps},
};

const KERNELS: [Neighborhood; 4] = [
    Neighborhood::Gaussian,
    Neighborhood::Exponential,
    Neighborhood::DifferenceOfGaussians,
    Neighborhood::DifferenceOfExponentials,
];

/// What a winner in the middle of a map of 9 gives to the neurons around it, after so many steps.
fn spread(rule: &Rule, steps: u64) -> Vec<f32> {
    let mut z = [0.0; 9];
    z[4] = 1.0;
    let state = tensor(&steps::tests::at(steps), [steps::DIGITS]);
    numbers(rule.lateral.of(Some(tensor(&z, [1, 1, 9, 1])), Some(state)).unwrap())
}

const TIMES: [u64; 8] = [0, 1, 1000, 40_379, 40_381, 1_000_000, 100_000_000, 4_000_000_000];

#[test]
fn maps_of_any_width_live_for_ever() {
    for kernel in KERNELS {
        for sigma in [None, Some(1e-300), Some(1e-3), Some(0.5), Some(1.0), Some(3.0), Some(1e3), Some(1e300)]
        {
            for tau in [1e-300, 0.1, 1.0, 1000.0, 1e7, 1e300] {
                let rule = map(&[9], kernel, sigma, tau);
                for steps in TIMES {
                    let spread = spread(&rule, steps);
                    let what = format!("{kernel:?} of {sigma:?}, tau {tau}, step {steps}: {spread:?}");
                    assert!(spread.iter().all(|h| (-1.0..=1.0).contains(h)), "{what}");
                    assert_eq!(spread[4], 1.0, "{what}");
                }
            }
        }
    }
}

/// `σ^(1 − t/τ)`, in f64.
#[test]
fn widths_are_those_of_the_formula() {
    for (sigma, tau) in [(3.0, 1000.0), (2.0, 1e6), (4.0, 1e8)] {
        for share in [0.0, 0.25, 1.0, 1.5] {
            let steps = (share * tau) as u64;
            let radius = f64::powf(sigma, 1.0 - steps as f64 / tau);
            let spread = spread(&map(&[9], Neighborhood::Gaussian, Some(sigma), tau), steps);
            for (distance, h) in spread[4..].iter().enumerate() {
                let expected = (-0.5 * (distance as f64 / radius).powi(2)).exp();
                assert!((f64::from(*h) - expected).abs() < 1e-5, "{sigma}, {tau}, {share}: {h} {expected}");
            }
        }
    }
}

#[test]
fn a_width_never_grows() {
    for kernel in [Neighborhood::Gaussian, Neighborhood::Exponential] {
        for sigma in [1e-3, 0.3, 0.9, 1.0, 1.1, 3.0, 50.0] {
            let rule = map(&[9], kernel, Some(sigma), 20.0);
            let over_time = TIMES.map(|steps| spread(&rule, steps)[5]);
            assert!(
                over_time.is_sorted_by(|now, later| now >= later),
                "{kernel:?} of {sigma}: {over_time:?}"
            );
            assert!(sigma > 1.0 || over_time[0] == over_time[7], "{kernel:?} of {sigma}: {over_time:?}");
        }
    }
}

#[test]
fn a_step_of_a_map_is_one_count() {
    let layout = WeightLayout { groups: 1, before: 1, neurons: 9, after: 4 };
    let Rule { lateral, .. } = map(&[3, 3], Neighborhood::Gaussian, None, 1000.0);
    assert!(Lateral::None.memory(&layout).is_none());
    let steps = lateral.memory(&layout).unwrap();
    let state = tensor(&steps.initial(), [steps::DIGITS]);
    assert_eq!(numbers(steps.next(state, None)), [1.0, 0.0, 0.0, 0.0]);
}

/// The stream of every neuron, its state jumped ahead by modular powers in integers.
#[test]
fn random_streams_run_on() {
    const PARTS: [(u64, u64); 3] = [(30269, 171), (30307, 172), (30323, 170)];
    let power = |(modulus, multiplier): (u64, u64), exponent: u64| {
        let bits = (0..64).rev().map(|bit| exponent >> bit & 1);
        bits.fold(1, |power, bit| power * power % modulus * if bit == 1 { multiplier } else { 1 } % modulus)
    };
    let rule = Rule::abstaining_wta(11);
    let (layer, start) = (noisy(3, 5, NEURONS), start(&rule, NEURONS));
    for ahead in [1_000_000, 100_000_000, 6_000_000_000_000] {
        let jumped = |state: &[f32], by: u64| -> Vec<f32> {
            let stream =
                |i: usize| state[i] as u64 * power(PARTS[i / NEURONS - 1], by) % PARTS[i / NEURONS - 1].0;
            (NEURONS..4 * NEURONS).map(|i| stream(i) as f32).collect()
        };
        let mut state = start.clone();
        state[NEURONS..4 * NEURONS].copy_from_slice(&jumped(&start, ahead));
        for _ in 0..300 {
            state = learn(&layer, &rule, &state).state;
        }
        assert_eq!(state[NEURONS..4 * NEURONS], jumped(&start, ahead + 300), "{ahead}");
    }
}

/// A running mean of numbers that stay the same gets there, and stays, at any speed that floats resolve.
#[test]
fn running_means_stay_where_they_should() {
    for momentum in [0.5, 0.1, 1e-3, 1e-5, 1e-7] {
        // 1 − 1e-7 is rounded to 1 − 1.19e-7: a product by it at every step would end at 0.84
        let ahead = blend(tensor(&[0.84], [1]), tensor(&[0.84], [1]), momentum);
        let ahead = (0..2000).fold(ahead, |old, _| blend(old, tensor(&[0.84], [1]), momentum));
        assert_eq!(numbers(ahead), [0.84], "{momentum}");
    }
}

/// States at the edges of what a million steps can make of them.
#[test]
fn extreme_states_give_finite_updates() {
    for (name, rule) in rules() {
        let (layer, start) = (noisy(7, 5, NEURONS), start(&rule, NEURONS));
        for scale in [0.0, 1e-38, 1e-20, 1e20] {
            // counts of wins and steps are no moments
            if rule.abstention != crate::Abstention::None || rule.lateral != Lateral::None {
                continue;
            }
            let state: Vec<f32> = start.iter().map(|value| if *value == 0.0 { 0.0 } else { scale }).collect();
            let step = learn(&layer, &rule, &state);
            assert!(
                [step.delta, step.state].concat().iter().all(|value| value.is_finite()),
                "{name} at {scale}"
            );
        }
    }
}

/// A neuron that never wins: its share falls by a factor a step, and stops where `f32` still has its inverse.
#[test]
fn a_bias_of_no_wins_stops_falling() {
    for temperature in [0.02, 1.0, 30.0] {
        let rule = Rule::soft_hebb(temperature).with_bias(Bias::LogPrior);
        let layer = DenseView::new(noise(1, NEURONS).mul_scalar(3.0 * temperature), noise(7, 5));
        for depth in [1.0, 59.0, 61.0, 87.0, 90.0, 200.0, 1e6] {
            let mut bias = vec![-temperature as f32; NEURONS];
            bias[2] = -depth * temperature as f32;
            let update = learn_from(&layer, &rule, &[], &bias).bias;
            let what = format!("{temperature}, {depth}: {update:?}");
            assert!(update.iter().all(|value| value.abs() <= 1.0001 * temperature as f32), "{what}");
            assert!(update.iter().any(|value| *value != 0.0), "{what}");
            assert!(depth != 59.0 || update[2] < 0.0, "{what}");
            assert!(depth < 60.0 || update[2] >= 0.0, "{what}");
        }
    }
}
