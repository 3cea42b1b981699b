//! One phase of settling.

use serde::{Deserialize, Serialize};

use crate::FeedbackError;

/// One phase: where states begin, what happens to the output, for how long, and how much it counts.
///
/// ```
/// use burn_hebbian_feedback::{OutputState, Phase, Start};
///
/// let nudged = Phase::new(OutputState::Nudged { beta: 0.5 }, 20).from(Start::EndOfFirst).weighing(1.0 / 0.5);
/// assert_eq!(nudged.weight, 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Phase {
    /// What happens to the output.
    pub output: OutputState,
    /// Where the states begin.
    pub start: Start,
    /// How many sweeps there are, at most.
    pub sweeps: usize,
    /// What the products of its states count in the update, `k`; 0 if nothing.
    pub weight: f64,
}

/// What happens to the output in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum OutputState {
    /// It follows the layer below.
    Free,
    /// It is held at `o + share (y − o)`, `o` being where the first phase left it: clamped to the target for 1, where it was for
    /// 0.
    Held {
        /// The share.
        share: f64,
    },
    /// It follows the layer below and `−β ∂cost/∂s`, with its own state of the last sweep; of a linear output this converges for
    /// `|β| < 1` alone.
    Nudged {
        /// The nudging.
        beta: f64,
    },
}

/// Where the states of a phase begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Start {
    /// Where settling itself began: at 0, or at the states that were given.
    #[default]
    Initial,
    /// Where the first phase ended.
    EndOfFirst,
}

impl Phase {
    /// From the initial states, with a weight of 0.
    pub fn new(output: OutputState, sweeps: usize) -> Self {
        Self { output, start: Start::Initial, sweeps, weight: 0.0 }
    }

    /// A free phase from the initial states, with a weight of 0.
    pub fn free(sweeps: usize) -> Self {
        Self::new(OutputState::Free, sweeps)
    }

    /// With another start.
    pub fn from(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// With another weight.
    pub fn weighing(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// Whether the targets have a part in it.
    pub(super) fn is_nudged(&self) -> bool {
        matches!(self.output, OutputState::Nudged { beta } if beta != 0.0)
    }
}

/// Refuses phases that make no protocol.
pub(super) fn check(phases: &[Phase]) -> Result<(), FeedbackError> {
    let refuse = |reason: String| Err(FeedbackError::Phases { reason });
    match phases.first() {
        None => return refuse("there are none".into()),
        Some(first) if first.output != OutputState::Free || first.start != Start::Initial => {
            return refuse(format!("the first must be free and begin at the initial states, got {first:?}"));
        }
        _ => {}
    }
    for (number, phase) in phases.iter().enumerate() {
        let number = number + 1;
        if phase.sweeps == 0 {
            return refuse(format!("phase {number} has no sweep"));
        }
        if !phase.weight.is_finite() {
            return refuse(format!("the weight of phase {number} must be finite, got {}", phase.weight));
        }
        match phase.output {
            OutputState::Nudged { beta } if !beta.is_finite() => return Err(FeedbackError::Beta { beta }),
            OutputState::Held { share } if !share.is_finite() => {
                return refuse(format!("the share of phase {number} must be finite, got {share}"));
            }
            _ => {}
        }
    }
    Ok(())
}
