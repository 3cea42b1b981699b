//! Hard winners.

use alloc::vec::Vec;

use burn::tensor::{Bool, Int, Tensor};

use super::NEURONS;
use crate::precision::indicator;

/// A score no allowed neuron has; finite, so that a difference of two is not NaN.
pub(super) const EXCLUDED: f64 = -1e30;

/// 1 for exactly the `k` largest scores of each patch and group, 0 elsewhere; ties go to the lower neuron.
pub(super) fn winner_mask(scores: Tensor<4>, k: usize) -> Tensor<4> {
    let dtype = scores.dtype();
    let winners = successive_winners(scores, k).into_iter().reduce(Tensor::bool_or);
    indicator(winners.expect("k-winners: k is checked to be at least 1"), dtype)
}

/// 1 for the first, `−delta` for the `k`-th.
pub(super) fn ranked(scores: Tensor<4>, k: usize, delta: f64) -> Tensor<4> {
    let dtype = scores.dtype();
    let winners = successive_winners(scores, k);
    let mask = |rank: usize| indicator(winners[rank - 1].clone(), dtype);
    mask(1) - mask(k).mul_scalar(delta)
}

/// The winner, the winner without it, and so on: `k` masks of one neuron each.
///
/// One pass a winner, no sort: sorting reads back to the host on GPU backends.
fn successive_winners(mut scores: Tensor<4>, k: usize) -> Vec<Tensor<4, Bool>> {
    let neurons = scores.dims()[NEURONS];
    let index = Tensor::<1, Int>::arange(0..neurons as i64, &scores.device()).reshape([1, 1, neurons, 1]);
    let next = |_| {
        let winner = index.clone().equal(scores.clone().argmax(NEURONS));
        scores = scores.clone().mask_fill(winner.clone(), f64::NEG_INFINITY);
        winner
    };
    (0..k).map(next).collect()
}

pub(super) fn with_losers(mask: Tensor<4>, losers: f64) -> Tensor<4> {
    if losers == 0.0 { mask } else { mask.mul_scalar(1.0 - losers).add_scalar(losers) }
}

/// Takes neurons that may not win out of the running.
pub(super) fn exclude(scores: Tensor<4>, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    match allowed {
        None => scores,
        Some(allowed) => {
            let excluded = indicator(allowed.clone().equal_elem(0.0), scores.dtype()).mul_scalar(EXCLUDED);
            scores + excluded
        }
    }
}

/// An outcome without those who may not win: where too few are left, fewer than `k` win.
pub(super) fn present(z: Tensor<4>, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    match allowed {
        None => z,
        Some(allowed) => z * allowed.clone().sign(),
    }
}
