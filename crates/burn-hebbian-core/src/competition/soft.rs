//! Soft winners.

use burn::tensor::{Tensor, activation::softmax};

use super::{NEURONS, winners::EXCLUDED};
use crate::{WeightLayout, running::Running};

/// Softmax over the allowed neurons, weighted by how much each is allowed: `e^l a / Σ e^l a`.
pub(super) fn soft(logits: Tensor<4>, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    match allowed {
        None => softmax(logits, NEURONS),
        Some(allowed) => softmax(logits + allowed.clone().log().clamp_min(EXCLUDED), NEURONS),
    }
}

/// `ln s`, with scores of 0 and below far down but finite.
pub(super) fn log_clamped(s: Tensor<4>) -> Tensor<4> {
    s.clamp_min(1e-30).log()
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
