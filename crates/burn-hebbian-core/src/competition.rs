//! Which neurons of a group learn from a patch.

use alloc::vec::Vec;

use burn::tensor::{Bool, Int, Tensor, activation::softmax};
use serde::{Deserialize, Serialize};

use crate::{
    RuleError, WeightLayout,
    error::{finite, positive},
};

/// The neuron axis of `[n, groups, neurons, positions]`.
const NEURONS: usize = 2;

/// A score no allowed neuron has; finite, so that a difference of two is not NaN.
const EXCLUDED: f64 = -1e30;

/// How the neurons of one group compete for a patch: from similarity `s` and activity `y` to `z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Competition {
    /// Every neuron learns: `z = 1`.
    #[default]
    None,
    /// No competition, but the activity stands in its place: `z = y`.
    Activity,
    /// Exactly `k` neurons win, `z = 1`; the others get `z = losers`.
    ///
    /// Of equal scores the lower neuron wins, so an all-zero patch has `k` winners too, never all.
    KWinners {
        /// Number of winners.
        k: usize,
        /// Coefficient of the losers; 0, or a small negative number to push them away.
        losers: f64,
    },
    /// `z = softmax(s / T)` over the neurons, with the maximum subtracted first.
    Softmax {
        /// The temperature `T`, positive.
        temperature: f64,
    },
    /// `z = P` for the winner and `−P` for the losers, with `P = softmax(s / T)`: SoftHebb's anti-Hebbian losers.
    SignedSoftmax {
        /// The temperature `T`, positive.
        temperature: f64,
    },
    /// `z = 1` for the winner, `−delta` for the neuron of rank `k`, 0 for the others (Krotov and Hopfield 2019).
    Ranked {
        /// The rank that is pushed away, at least 2.
        k: usize,
        /// How strongly.
        delta: f64,
    },
    /// `z = s^(1/p) / Σ s^(1/p)`; negative scores count as 0.
    PowerSoftmax {
        /// The power `p`, positive; the smaller, the harder the competition.
        power: f64,
    },
}

impl Competition {
    /// The competition's outcome, `[n, groups, neurons, positions]`, or `None` where every `z` is 1.
    ///
    /// Neurons with `allowed = 0` (a teacher, broadcast along positions) cannot win and leave the others their
    /// share; `0 < allowed < 1` scales a soft winner's share.
    pub(crate) fn of(
        &self,
        s: Tensor<4>,
        y: Option<&Tensor<4>>,
        allowed: Option<&Tensor<4>>,
    ) -> Option<Tensor<4>> {
        match *self {
            Self::None => None,
            Self::Activity => y.cloned(),
            Self::KWinners { k, losers } => Some(with_losers(winner_mask(exclude(s, allowed), k), losers)),
            Self::Softmax { temperature } => Some(soft(s.div_scalar(temperature), allowed)),
            Self::SignedSoftmax { temperature } => {
                let winner = winner_mask(exclude(s.clone(), allowed), 1);
                let sign = winner.mul_scalar(2.0).sub_scalar(1.0);
                Some(soft(s.div_scalar(temperature), allowed) * sign)
            }
            Self::Ranked { k, delta } => Some(ranked(exclude(s, allowed), k, delta)),
            Self::PowerSoftmax { power } => Some(soft(log_clamped(s).div_scalar(power), allowed)),
        }
    }

    pub(crate) fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        match *self {
            Self::None | Self::Activity => Ok(()),
            Self::KWinners { k, losers } => {
                finite("k-winners loser value", losers)?;
                self.check_group(layout)?;
                if (1..=layout.neurons).contains(&k) {
                    Ok(())
                } else {
                    Err(RuleError::Winners { k, neurons: layout.neurons })
                }
            }
            Self::Ranked { k, delta } => {
                finite("ranked competition delta", delta)?;
                self.check_group(layout)?;
                if (2..=layout.neurons).contains(&k) {
                    Ok(())
                } else {
                    Err(RuleError::Rank { k, neurons: layout.neurons })
                }
            }
            Self::Softmax { temperature } | Self::SignedSoftmax { temperature } => {
                positive("softmax temperature", temperature)?;
                self.check_group(layout)
            }
            Self::PowerSoftmax { power } => {
                positive("power softmax power", power)?;
                self.check_group(layout)
            }
        }
    }

    fn check_group(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        if layout.neurons >= 2 {
            return Ok(());
        }
        Err(RuleError::GroupTooSmall {
            competition: self.name(),
            neurons: layout.neurons,
            total: layout.total_neurons(),
            groups: layout.groups,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Activity => "activity",
            Self::KWinners { .. } => "k-winners",
            Self::Softmax { .. } => "softmax",
            Self::SignedSoftmax { .. } => "signed softmax",
            Self::Ranked { .. } => "ranked competition",
            Self::PowerSoftmax { .. } => "power softmax",
        }
    }
}

/// 1 for exactly the `k` largest scores of each patch and group, 0 elsewhere; ties go to the lower neuron.
fn winner_mask(scores: Tensor<4>, k: usize) -> Tensor<4> {
    let winners = successive_winners(scores, k).into_iter().reduce(Tensor::bool_or);
    winners.expect("k-winners: k is checked to be at least 1").float()
}

/// 1 for the first, `−delta` for the `k`-th.
fn ranked(scores: Tensor<4>, k: usize, delta: f64) -> Tensor<4> {
    let winners = successive_winners(scores, k);
    let mask = |rank: usize| winners[rank - 1].clone().float();
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

fn with_losers(mask: Tensor<4>, losers: f64) -> Tensor<4> {
    if losers == 0.0 { mask } else { mask.mul_scalar(1.0 - losers).add_scalar(losers) }
}

/// Softmax over the allowed neurons, weighted by how much each is allowed: `e^l a / Σ e^l a`.
fn soft(logits: Tensor<4>, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    match allowed {
        None => softmax(logits, NEURONS),
        Some(allowed) => softmax(logits + allowed.clone().log().clamp_min(EXCLUDED), NEURONS),
    }
}

fn exclude(scores: Tensor<4>, allowed: Option<&Tensor<4>>) -> Tensor<4> {
    match allowed {
        None => scores,
        Some(allowed) => {
            let excluded = allowed.clone().equal_elem(0.0).float().mul_scalar(EXCLUDED);
            scores + excluded
        }
    }
}

/// `ln s`, with scores of 0 and below far down but finite.
fn log_clamped(s: Tensor<4>) -> Tensor<4> {
    s.clamp_min(1e-30).log()
}
