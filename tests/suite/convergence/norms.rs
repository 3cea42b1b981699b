//! Norms that rules drive their weights to.

use burn::tensor::{Device, Tensor};
use burn_hebbian::prelude::*;
use burn_hebbian_tests::values::tensor;
use libtest_mimic::Trial;

use super::{norm, train};
use crate::on_flex;

const INPUTS: usize = 12;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("convergence::soft_hebb_norms_fall_to_one", |device| soft_hebb(25.0, device)),
        on_flex("convergence::soft_hebb_norms_rise_to_one", |device| soft_hebb(0.5, device)),
        on_flex("convergence::krotov_p_norms_go_to_one", krotov),
    ]
}

/// Positive inputs, other ones at each step.
fn patterns(step: usize, device: &Device) -> Tensor<2> {
    tensor::<2>(1000 + step as u64, [32, INPUTS], device).abs()
}

fn soft_hebb(initial: f64, device: &Device) {
    let weight: Tensor<2> = tensor(41, [INPUTS, 5], device);
    let norms = (weight.clone() * weight.clone()).sum_dim(0).sqrt();
    let start = weight / norms * initial;
    let rate = |step: usize| 0.1 / (1.0 + step as f64 / 100.0);
    for w in train(start, Rule::soft_hebb(1.0), rate, 1000, |step| patterns(step, device)) {
        assert!((norm(&w) - 1.0).abs() < 0.02, "norm {} from {initial}", norm(&w));
    }
}

fn krotov(device: &Device) {
    let (p, steps) = (3.0, 2000);
    let rate = |step: usize| 0.02 * (1.0 - step as f64 / steps as f64);
    let start = tensor(42, [INPUTS, 4], device);
    let weights = train(start, Rule::krotov(p, 2, 0.2), rate, steps, |step| patterns(step, device));
    for w in weights {
        let sum: f64 = w.iter().map(|w| w.abs().powf(p)).sum();
        assert!((sum - 1.0).abs() < 0.05, "Σ|w|^p is {sum}");
    }
}
