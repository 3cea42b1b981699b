//! From the sum over patches to the update.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How the contributions of all patches (images × positions) become one update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reduction {
    /// The sum over all patches.
    Sum,
    /// The mean over all patches.
    #[default]
    Mean,
    /// The mean weighted by `|c|`: `Σ |c| c (…) / Σ |c|`, per neuron; 0 for a neuron without weight. With
    /// `c` in {0, 1} this is the mean over a neuron's wins.
    Weighted,
}

impl Reduction {
    /// The coefficient that is summed and, if it is weighted, the weights `|c|`.
    pub(crate) fn weigh(&self, c: Tensor<4>) -> (Tensor<4>, Option<Tensor<4>>) {
        match self {
            Self::Sum | Self::Mean => (c, None),
            Self::Weighted => {
                let weight = c.clone().abs();
                (c * weight.clone(), Some(weight))
            }
        }
    }
}
