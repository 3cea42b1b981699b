//! How large an update may be.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::WeightLayout;

/// What the largest value of an update becomes.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Normalization, Rule, Signals};
/// # let device = Device::flex();
///
/// let rule = Rule::hebb().with_normalization(Normalization::MaxPerGroup);
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device); // y x = (4, 2)
/// let update = layer.update(&rule, Signals::none()).unwrap();
/// update.into_data().assert_eq(&[[1.0, 0.5]].into(), false);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Normalization {
    /// The update stays as it is.
    #[default]
    None,
    /// Divided by the largest magnitude in each group: the largest becomes 1, whatever the batch. A zero update
    /// stays zero.
    MaxPerGroup,
}

impl Normalization {
    pub(super) fn apply(&self, delta: Tensor<4>, layout: &WeightLayout) -> Tensor<4> {
        match self {
            Self::None => delta,
            Self::MaxPerGroup => {
                let values = layout.fan_in() * layout.neurons;
                let largest = delta.clone().abs().reshape([layout.groups, values]).max_dim(1);
                // clamp: a zero update has no largest value.
                delta / largest.clamp_min(1e-30).reshape([layout.groups, 1, 1, 1])
            }
        }
    }
}
