//! Which neurons of a group learn from a patch.

mod anti_hebbian;
mod soft;
mod winners;

use alloc::boxed::Box;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    RuleError, WeightLayout,
    error::{finite, positive, share},
    stages::memory::{Memory, Stage, running::OfSimilarities},
};
pub use anti_hebbian::AntiHebbian;
use anti_hebbian::Inhibition;
use soft::{by_group, logits, over_deviation, power_soft, soft, spread};
use winners::{exclude, present, ranked, winner_mask, with_losers};

/// The neuron axis of `[n, groups, neurons, positions]`.
const NEURONS: usize = 2;

/// How the neurons of one group compete for a patch: from similarity `s` and activity `y` to `z`.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{Competition, DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// // y = 2 and 1: alone, the neurons would learn 2 (x − w) = (2, 2) and 1 (x − w) = (2, 0)
/// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0]], &device);
/// for (competition, expected) in [
///     (Competition::None, [[2.0, 2.0], [2.0, 0.0]]),
///     (Competition::KWinners { k: 1, losers: 0.0 }, [[2.0, 2.0], [0.0, 0.0]]),
///     (Competition::Ranked { k: 2, delta: 0.5 }, [[2.0, 2.0], [-1.0, 0.0]]),
/// ] {
///     let rule = Rule::instar().with_competition(competition);
///     let update = layer.update(&rule, Signals::none()).unwrap();
///     update.into_data().assert_eq(&expected.into(), false);
/// }
/// ```
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
    /// `z = s^(1/p) / Σ s^(1/p)`; scores of 0 and below have no share, and nobody has where all are.
    PowerSoftmax {
        /// The power `p`, positive; the smaller, the harder the competition.
        power: f64,
    },
    /// `z = softmax(s / (T σ))`, with the running standard deviation `σ` of all similarities of the group: as hard
    /// a competition whatever the scale of the similarities. Mean and variance run as in batch normalization,
    /// updated by the batch before they are used; each of several micro-batches uses them as updated by itself
    /// alone, and what stays is updated by all of them together. Blank batches move neither.
    ///
    /// Source: G. Lagani, "HebbianLearning" (code, 2020–2023), where the temperature is called `k`.
    AdaptiveSoftmax {
        /// The temperature `T` in standard deviations, positive.
        temperature: f64,
        /// How fast mean and variance run, in 0..=1.
        momentum: f64,
    },
    /// Competition by inhibition that is learned itself; see [`AntiHebbian`].
    AntiHebbian(AntiHebbian),
}

impl Competition {
    /// The competition's outcome, `[n, groups, neurons, positions]`, or `None` where every `z` is 1.
    ///
    /// Neurons with `allowed = 0` (broadcast along images and positions) cannot win and leave the others their share;
    /// `0 < allowed < 1` scales a soft winner's share. `state` is this stage's own.
    pub(crate) fn of(
        &self,
        s: Tensor<4>,
        y: Option<&Tensor<4>>,
        allowed: Option<&Tensor<4>>,
        state: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Option<Tensor<4>> {
        match *self {
            Self::None => None,
            Self::Activity => y.cloned(),
            Self::KWinners { k, losers } => {
                Some(with_losers(present(winner_mask(exclude(s, allowed), k), allowed), losers))
            }
            Self::Softmax { temperature } => Some(soft(logits(s, temperature), allowed)),
            Self::SignedSoftmax { temperature } => {
                let winner = winner_mask(exclude(s.clone(), allowed), 1);
                let sign = winner.mul_scalar(2.0).sub_scalar(1.0);
                Some(soft(logits(s, temperature), allowed) * sign)
            }
            Self::Ranked { k, delta } => Some(present(ranked(exclude(s, allowed), k, delta), allowed)),
            Self::PowerSoftmax { power } => Some(power_soft(s, power, allowed)),
            Self::AdaptiveSoftmax { temperature, momentum } => {
                let scaled = over_deviation(s, spread(momentum, layout), state?);
                Some(soft(logits(scaled, temperature), allowed))
            }
            Self::AntiHebbian(inhibition) => Some(present(inhibition.settle(s, state?, layout), allowed)),
        }
    }

    /// The temperature of a softmax of fixed temperature.
    pub(crate) fn temperature(&self) -> Option<f64> {
        match *self {
            Self::Softmax { temperature } | Self::SignedSoftmax { temperature } => Some(temperature),
            _ => None,
        }
    }

    /// Whether statistics are made of the similarities.
    pub(crate) fn reads_similarity(&self) -> bool {
        matches!(self, Self::AdaptiveSoftmax { .. })
    }

    /// Whether statistics are made of the outcome.
    pub(crate) fn reads_outcome(&self) -> bool {
        matches!(self, Self::AntiHebbian(_))
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
            Self::AdaptiveSoftmax { temperature, momentum } => {
                positive("softmax temperature", temperature)?;
                share("adaptive softmax momentum", momentum)?;
                self.check_group(layout)
            }
            Self::AntiHebbian(inhibition) => {
                inhibition.check()?;
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
            Self::AdaptiveSoftmax { .. } => "adaptive softmax",
            Self::AntiHebbian(_) => "anti-Hebbian competition",
        }
    }
}

impl Stage for Competition {
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        match *self {
            Self::AdaptiveSoftmax { momentum, .. } => {
                Some(Box::new(OfSimilarities { running: spread(momentum, layout), of: by_group }))
            }
            Self::AntiHebbian(inhibition) => Some(Box::new(Inhibition { by: inhibition, layout: *layout })),
            _ => None,
        }
    }
}
