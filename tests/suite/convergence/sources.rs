//! Independent sources.

use burn::tensor::{Device, Tensor, TensorData};
use burn_hebbian::{
    prelude::*,
    rules::{Activation, Criterion},
};
use burn_hebbian_tests::values::{numbers, tensor};
use libtest_mimic::Trial;

use super::train;
use crate::on_flex;

const SOURCES: usize = 4;
const SAMPLES: usize = 2048;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("convergence::ica_separates_with_a_fixed_share", |device| {
            separates(Rule::ica(0.5), device);
        }),
        on_flex("convergence::ica_separates_by_kurtosis", |device| {
            separates(adaptive(Criterion::Kurtosis), device);
        }),
        on_flex("convergence::ica_separates_by_stability", |device| {
            separates(adaptive(Criterion::Stability), device);
        }),
        on_flex("convergence::ica_by_the_wrong_score_does_not_separate", |device| {
            let index = amari_index(Rule::ica(0.0), device);
            assert!(index > 0.1, "all units super-Gaussian: {index}");
        }),
    ]
}

fn adaptive(criterion: Criterion) -> Rule {
    Rule::ica(0.0).with_activation(Activation::AdaptiveScore { criterion, momentum: 0.1 })
}

/// Two Laplacian and two uniform sources of unit variance.
fn sources() -> Vec<[f64; SOURCES]> {
    let uniform = numbers(31, SAMPLES * SOURCES);
    let source = |i: usize, j: usize| {
        let u = f64::from(uniform[i * SOURCES + j]);
        let laplacian = -u.signum() * (1.0 - u.abs()).max(1e-9).ln() / 2.0_f64.sqrt();
        if j < 2 { laplacian } else { 3.0_f64.sqrt() * u }
    };
    (0..SAMPLES).map(|i| [0, 1, 2, 3].map(|j| source(i, j))).collect()
}

const MIXING: [[f64; SOURCES]; SOURCES] =
    [[1.0, 0.4, -0.3, 0.2], [-0.5, 0.9, 0.3, 0.1], [0.2, -0.4, 1.1, 0.5], [0.3, 0.2, -0.6, 0.8]];

/// How far `W A` is from a scaled permutation: 0 to 1.
fn amari_index(rule: Rule, device: &Device) -> f64 {
    let mix = |source: &[f64; SOURCES]| {
        MIXING.map(|row| row.iter().zip(source).map(|(a, s)| a * s).sum::<f64>() as f32)
    };
    let values: Vec<f32> = sources().iter().flat_map(mix).collect();
    let x: Tensor<2> = Tensor::from_data(TensorData::new(values, [SAMPLES, SOURCES]), device);
    let start =
        Tensor::<2>::eye(SOURCES, device) + tensor::<2>(32, [SOURCES, SOURCES], device).mul_scalar(0.2);
    let w = train(start, rule, |_| 0.15, 400, |_| x.clone());
    let global = |i: usize, j: usize| (0..SOURCES).map(|f| w[i][f] * MIXING[f][j]).sum::<f64>().abs();
    let spread = |entries: Vec<f64>| {
        let largest = entries.iter().copied().fold(0.0, f64::max);
        entries.iter().sum::<f64>() / largest - 1.0
    };
    let rows: f64 = (0..SOURCES).map(|i| spread((0..SOURCES).map(|j| global(i, j)).collect())).sum();
    let columns: f64 = (0..SOURCES).map(|j| spread((0..SOURCES).map(|i| global(i, j)).collect())).sum();
    (rows + columns) / (2 * SOURCES * (SOURCES - 1)) as f64
}

fn separates(rule: Rule, device: &Device) {
    let index = amari_index(rule, device);
    assert!(index < 0.1, "Amari index {index}");
}
