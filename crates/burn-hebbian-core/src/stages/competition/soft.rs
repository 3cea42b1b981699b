//! Soft winners.

use burn::tensor::{Tensor, activation::softmax};

use super::{NEURONS, winners::EXCLUDED};
use crate::{WeightLayout, precision::indicator, stages::memory::running::Running};

/// Softmax over the allowed neurons, weighted by how much each is allowed: `e^l a / Σ e^l a`.
pub(super) fn soft(logits: Tensor<4>, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    match allowed {
        None => softmax(logits, NEURONS),
        Some(allowed) => softmax(logits + allowed.clone().log().clamp_min(EXCLUDED), NEURONS),
    }
}

/// `s^(1/p) a / Σ s^(1/p) a`; scores of 0 and below have no share, and nobody has where all are.
pub(super) fn power_soft(s: Tensor<4>, power: f64, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    let positive = indicator(s.clone().greater_elem(0.0), s.dtype());
    // a share of 1e-20 is not nothing to a weighted mean: such neurons are out, not far down
    let logits = logits(s.clamp_min(f32::MIN_POSITIVE).log(), power);
    let logits = logits + positive.clone().sub_scalar(1.0).mul_scalar(-EXCLUDED);
    soft(logits, allowed) * positive
}

/// `s / T` for a softmax, which does not change if all of a patch's logits move together.
pub(super) fn logits(s: Tensor<4>, temperature: f64) -> Tensor<4> {
    /// Quotients of this and less of any sensible similarity are finite.
    const SHARP: f64 = 1e-20;
    if temperature >= SHARP {
        return s.div_scalar(temperature);
    }
    let largest = s.clone().max_dim(NEURONS);
    (s - largest).div_scalar(temperature)
}

/// The spread of the similarities of each group.
pub(super) fn spread(momentum: f64, layout: &WeightLayout) -> Running {
    Running { width: layout.groups, momentum }
}

/// `s / σ` with the running deviation `σ` of each group, updated by these similarities.
pub(super) fn over_deviation(s: Tensor<4>, spread: Running, state: Tensor<1>) -> Tensor<4> {
    let variance = spread.updated(by_group(s.clone()), state).variance;
    // clamp: similarities that are all the same have no spread, and no winner either.
    s / variance.clamp_min(1e-30).sqrt().reshape([1, spread.width, 1, 1])
}

/// `[n, groups, neurons, positions]` → `[n, groups, neurons · positions]`.
pub(super) fn by_group(s: Tensor<4>) -> Tensor<3> {
    let [n, groups, neurons, positions] = s.dims();
    s.reshape([n, groups, neurons * positions])
}
