//! What the output is compared with its target by.

use burn::tensor::{
    Tensor,
    activation::{log_softmax, softmax},
};
use serde::{Deserialize, Serialize};

/// The cost of an output `s` with target `y`, both `[n, neurons]`.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_feedback::CostFunction;
/// # let device = Device::flex();
///
/// let s = Tensor::from_data([[1.0, 3.0]], &device);
/// let y = Tensor::from_data([[1.0, 0.0]], &device);
/// let of = |cost: CostFunction| cost.value(s.clone(), y.clone()).into_scalar::<f32>();
/// assert_eq!((of(CostFunction::SquaredError), of(CostFunction::SumOfSquares)), (4.5, 9.0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CostFunction {
    /// `½ Σ (s − y)²`.
    #[default]
    SquaredError,
    /// `Σ (s − y)²`, as dual propagation's source has it.
    SumOfSquares,
    /// `− Σ y log softmax(s)`.
    CrossEntropy,
}

impl CostFunction {
    /// The cost of every image, `[n]`.
    pub fn value(&self, s: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        let squares = |s: Tensor<2>, y: Tensor<2>| {
            let error = s - y;
            error.clone() * error
        };
        let terms = match self {
            Self::SquaredError => squares(s, y).div_scalar(2.0),
            Self::SumOfSquares => squares(s, y),
            Self::CrossEntropy => (y * log_softmax(s, 1)).neg(),
        };
        terms.sum_dim(1).squeeze_dim(1)
    }

    /// `∂cost/∂s` of every image, `[n, neurons]`.
    pub fn gradient(&self, s: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        match self {
            Self::SquaredError => s - y,
            Self::SumOfSquares => (s - y).mul_scalar(2.0),
            Self::CrossEntropy => softmax(s, 1) - y,
        }
    }
}
