//! From the sum over patches to the update.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How the contributions of all patches (images × positions) become one update.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Reduction, Rule, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[1.0]], [[1.0], [3.0]], &device); // c = y = 1 and 3
/// for (reduction, expected) in [
///     (Reduction::Sum, 10.0),     // 1 · 1 + 3 · 3
///     (Reduction::Mean, 5.0),     // over two patches
///     (Reduction::Weighted, 7.0), // (1 · 1 · 1 + 3 · 3 · 3) / (1 + 3)
/// ] {
///     let update = layer.update(&Rule::hebb().with_reduction(reduction), Signals::none()).unwrap();
///     assert_eq!(update.into_scalar::<f32>(), expected);
/// }
/// ```
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
