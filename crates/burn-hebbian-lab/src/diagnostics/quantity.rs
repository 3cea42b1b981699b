//! What is read of a layer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is read of a layer, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Quantity {
    /// The mean length of its weight vectors, of [`norms`](super::norms).
    MeanNorm,
    /// The least.
    MinNorm,
    /// The largest.
    MaxNorm,
    /// [`unit_distance`](super::unit_distance).
    UnitDistance,
    /// [`update_ratio`](super::update_ratio), since the reading before.
    UpdateRatio,
    /// [`effective_rank`](super::effective_rank) of the weight's singular values.
    WeightRank,
    /// [`participation_ratio`](super::participation_ratio) of the weight's squared singular values, the eigenvalues of `WᵀW`.
    WeightParticipation,
    /// The share of neurons that [won nothing](super::Wins::dead).
    Dead,
    /// How [evenly wins are shared](super::Wins::entropy).
    WinEntropy,
    /// [`effective_rank`](super::effective_rank) of the covariance of the responses.
    ResponseRank,
    /// [`participation_ratio`](super::participation_ratio) of the covariance of the responses.
    ResponseParticipation,
}

impl Quantity {
    /// All of them, those of weights first.
    pub const ALL: [Self; 11] = [
        Self::MeanNorm,
        Self::MinNorm,
        Self::MaxNorm,
        Self::UnitDistance,
        Self::UpdateRatio,
        Self::WeightRank,
        Self::WeightParticipation,
        Self::Dead,
        Self::WinEntropy,
        Self::ResponseRank,
        Self::ResponseParticipation,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanNorm => "mean_norm",
            Self::MinNorm => "min_norm",
            Self::MaxNorm => "max_norm",
            Self::UnitDistance => "unit_distance",
            Self::UpdateRatio => "update_ratio",
            Self::WeightRank => "weight_rank",
            Self::WeightParticipation => "weight_participation",
            Self::Dead => "dead",
            Self::WinEntropy => "win_entropy",
            Self::ResponseRank => "response_rank",
            Self::ResponseParticipation => "response_participation",
        }
    }

    /// Whether more of it speaks for a layer.
    pub fn higher_is_better(self) -> bool {
        matches!(
            self,
            Self::WeightRank
                | Self::WeightParticipation
                | Self::WinEntropy
                | Self::ResponseRank
                | Self::ResponseParticipation
        )
    }
}

/// In words.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MeanNorm => "mean norm",
            Self::MinNorm => "least norm",
            Self::MaxNorm => "largest norm",
            Self::UnitDistance => "distance from unit norm",
            Self::UpdateRatio => "update to weight",
            Self::WeightRank => "rank of the weight",
            Self::WeightParticipation => "participation of the weight",
            Self::Dead => "dead neurons",
            Self::WinEntropy => "entropy of wins",
            Self::ResponseRank => "rank of responses",
            Self::ResponseParticipation => "participation of responses",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json_and_differ() {
        for (i, quantity) in Quantity::ALL.into_iter().enumerate() {
            assert_eq!(serde_json::to_string(&quantity).unwrap(), format!("\"{}\"", quantity.name()));
            assert!(Quantity::ALL[i + 1..].iter().all(|other| other.to_string() != quantity.to_string()));
        }
    }
}
