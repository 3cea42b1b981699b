//! How states settle under feedback.

use burn_hebbian_feedback::{FeedbackError, Settling as Protocol, Sides};
use serde::{Deserialize, Serialize};

/// What settles, and how often states follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum SettlingMethod {
    /// Sweeps of the free phase, and of each of the two that are nudged.
    Equilibrium { sides: Sides, beta: f64, free: usize, nudged: usize },
    /// Sweeps of each phase.
    ContrastiveHebbian { gamma: f64, sweeps: usize },
}

impl SettlingMethod {
    /// So many sweeps of each phase, as published, whether states rest then or not.
    pub(crate) fn protocol(self) -> Result<Protocol, FeedbackError> {
        let protocol = match self {
            Self::Equilibrium { sides, beta, free, nudged } => {
                Protocol::equilibrium(sides, beta, free, nudged)?
            }
            Self::ContrastiveHebbian { gamma, sweeps } => Protocol::contrastive_hebbian(gamma, sweeps)?,
        };
        let protocol = protocol.with_fixed_sweeps();
        protocol.check()?;
        Ok(protocol)
    }

    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Equilibrium { .. } => "equilibrium propagation",
            Self::ContrastiveHebbian { .. } => "contrastive Hebbian learning",
        }
    }
}
