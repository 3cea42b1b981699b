//! A constant factor of the update.

use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::WeightLayout;

/// A constant factor on the finished update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scale {
    /// 1.
    #[default]
    None,
    /// `1 / √fan-in`: one learning rate fits layers of different fan-in.
    InverseSqrtFanIn,
}

impl Scale {
    /// The factor for a layer.
    pub fn factor(&self, layout: &WeightLayout) -> f64 {
        match self {
            Self::None => 1.0,
            Self::InverseSqrtFanIn => Float::sqrt(layout.fan_in() as f64).recip(),
        }
    }
}
