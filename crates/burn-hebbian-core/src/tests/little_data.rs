//! Batches of one row, and of blank rows.

use alloc::vec::Vec;

use burn::tensor::Tensor;

use super::{NEURONS, rules};
use crate::{
    DenseView, Rule, Variance,
    fixture::{blank, learn, noise, noisy, start},
};

/// The rules whose formula moves weights where patches are blank: what wins moves towards what it won, and independent
/// components grow until their outputs have a size.
const MOVED_BY_BLANKS: [&str; 13] = [
    "foldiak",
    "abstaining_wta",
    "hard_wta",
    "k_wta",
    "swta",
    "abstaining_swta",
    "som",
    "teacher",
    "ica",
    "ica_kurtosis",
    "ica_stability",
    "adaptive_softmax",
    "adaptive_softmax_dot",
];

/// Those that count steps or wins go on counting.
const COUNTING: [&str; 3] = ["abstaining_wta", "abstaining_swta", "som"];

#[test]
fn one_row_gives_finite_updates_and_states() {
    for (name, rule) in rules() {
        let mut state = start(&rule, NEURONS);
        for seed in 0..300 {
            let step = learn(&noisy(seed, 1, NEURONS), &rule, &state);
            let values = [step.delta, step.state.clone(), step.bias].concat();
            assert!(values.iter().all(|value| value.is_finite()), "{name}, step {seed}: {values:?}");
            state = step.state;
        }
    }
}

#[test]
fn blank_batches_move_nothing() {
    for (name, rule) in rules() {
        let mut state = start(&rule, NEURONS);
        for seed in 0..20 {
            state = learn(&noisy(seed, 5, NEURONS), &rule, &state).state;
        }
        for rows in [1, 7] {
            let step = learn(&blank(rows, NEURONS), &rule, &state);
            let values = [step.delta.clone(), step.bias.clone(), step.state.clone()].concat();
            assert!(values.iter().all(|value| value.is_finite()), "{name}: {values:?}");
            assert!(step.bias.iter().all(|bias| *bias == 0.0), "{name}: {:?}", step.bias);
            assert!(COUNTING.contains(&name) || step.state == state, "{name}: {:?}", step.state);
            // running moments of patches that were not blank leave an output where they are
            let moved = step.delta.iter().any(|delta| *delta != 0.0) && name != "hpca_adaptive";
            assert_eq!(moved, MOVED_BY_BLANKS.contains(&name), "{name}: {:?}", step.delta);
        }
    }
}

/// A blank row among others is a row like them.
#[test]
fn a_blank_row_counts_among_others() {
    let (rows, rule) = (noise(5, 3), Rule::bcm());
    let more = Tensor::cat([rows.clone(), noise(0, 1).zeros_like()].to_vec(), 0);
    let theta = |x| learn(&DenseView::new(noise(99, NEURONS), x), &rule, &[1.0; NEURONS]).state;
    for (few, more) in theta(rows).into_iter().zip(theta(more)) {
        assert!((0.9 + (few - 0.9) * 0.75 - more).abs() < 1e-6, "{few} {more}");
    }
}

/// The variances that a state of moments ends with.
fn variances(state: &[f32]) -> &[f32] {
    &state[state.len() - NEURONS..]
}

/// Over many steps the mean of the running variance is the variance, whatever the number of rows.
#[test]
fn the_variance_of_single_rows_is_that_of_many() {
    for momentum in [0.1, 1.0] {
        let rule = Rule::hpca_adaptive().with_variance(Variance::Running { momentum, epsilon: 1e-5 });
        let mean = |rows: usize, steps: u64| -> Vec<f64> {
            let mut state = start(&rule, NEURONS);
            let mut sums = [0.0; NEURONS];
            for seed in 0..steps {
                state = learn(&noisy(1000 + seed, rows, NEURONS), &rule, &state).state;
                let late = if seed < 100 { 0.0 } else { 1.0 / (steps - 100) as f64 };
                sums.iter_mut().zip(variances(&state)).for_each(|(sum, v)| *sum += late * f64::from(*v));
            }
            sums.to_vec()
        };
        for (single, many) in mean(1, 2000).into_iter().zip(mean(50, 200)) {
            assert!((single / many - 1.0).abs() < 0.12, "momentum {momentum}: {single}, of many rows {many}");
        }
    }
}

#[test]
fn single_rows_keep_the_variance() {
    let rule = Rule::hpca_adaptive();
    let mut state = start(&rule, NEURONS);
    for seed in 0..400 {
        state = learn(&noisy(seed, 1, NEURONS), &rule, &state).state;
        assert!(variances(&state).iter().all(|v| (1e-2..10.0).contains(v)), "step {seed}: {state:?}");
    }
}
