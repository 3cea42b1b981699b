//! A constant factor of the update.

use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::WeightLayout;

/// A constant factor on the finished update.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Rule, Scale, Signals};
/// # let device = Device::flex();
///
/// let rule = Rule::hebb().with_scale(Scale::InverseSqrtFanIn);
/// let layer = DenseView::from_data([[1.0, 0.0, 0.0, 0.0]], [[1.0, 2.0, 3.0, 4.0]], &device); // y = 1
/// let update = layer.update(&rule, Signals::none()).unwrap();
/// update.into_data().assert_eq(&[[0.5, 1.0, 1.5, 2.0]].into(), false); // y x / √4
/// ```
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
