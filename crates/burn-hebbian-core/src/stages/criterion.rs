//! What makes a unit of independent component analysis sub-Gaussian.

use alloc::vec;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    WeightLayout,
    precision::indicator,
    stages::memory::{Cursor, patches, per_neuron, sums},
};

/// What decides whether a unit is sub-Gaussian, from running means of its similarity `s`.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{Activation, Criterion, DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// let activation = Activation::AdaptiveScore { criterion: Criterion::Kurtosis, momentum: 1.0 };
/// let rule = Rule::ica(0.0).with_activation(activation);
/// // s = ±1 is sub-Gaussian, 1 − 3 < 0, which shows after a step; Δw = w − f(s) s w
/// let layer = DenseView::from_data([[1.0]], [[1.0], [-1.0]], &device);
/// let first = layer.step(&rule, Signals::none()).unwrap();
/// assert!((first.weight.into_scalar::<f32>() - (1.0 - f32::tanh(1.0))).abs() < 1e-5); // f = tanh s
/// let second = layer.with_state(first.state.unwrap()).update(&rule, Signals::none()).unwrap();
/// assert!((second.into_scalar::<f32>() - f32::tanh(1.0)).abs() < 1e-5); // f = s − tanh s
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Criterion {
    /// Negative kurtosis: `⟨s⁴⟩ − 3 ⟨s²⟩² < 0`.
    #[default]
    Kurtosis,
    /// The separating solution is stable only with the sub-Gaussian score: `⟨1 − tanh² s⟩ ⟨s²⟩ − ⟨s tanh s⟩ < 0`.
    ///
    /// Source: T.-W. Lee, M. Girolami and T. J. Sejnowski, "Independent component analysis using an extended infomax
    /// algorithm for mixed subgaussian and supergaussian sources", *Neural Comput.* 11 (1999),
    /// doi:10.1162/089976699300016719. (G. Lagani's code has the opposite sign.)
    Stability,
}

impl Criterion {
    /// Running means that a criterion keeps for each unit.
    pub(crate) const MOMENTS: usize = 3;

    /// The sums of what the criterion averages, one after the other, and the number of patches.
    pub(crate) fn statistics(self, s: Tensor<4>) -> Tensor<1> {
        let count = patches(&s);
        let squares = s.clone() * s.clone();
        let [second, third] = match self {
            Self::Kurtosis => [squares.clone() * squares.clone(), squares.zeros_like()],
            Self::Stability => {
                let tanh = s.clone().tanh();
                [s * tanh.clone(), (tanh.clone() * tanh).neg().add_scalar(1.0)]
            }
        };
        Tensor::cat(vec![sums(squares), sums(second), sums(third), count], 0)
    }

    /// 1 for sub-Gaussian units, 0 for the others: `[1, groups, neurons, 1]`.
    pub(crate) fn sub_gaussian(self, state: Tensor<1>, layout: &WeightLayout) -> Tensor<4> {
        let mut state = Cursor::new(state);
        let mut next = || state.take(layout.total_neurons());
        let (squares, second, third) = (next(), next(), next());
        let margin = match self {
            Self::Kurtosis => second - (squares.clone() * squares).mul_scalar(3.0),
            Self::Stability => third * squares - second,
        };
        let dtype = margin.dtype();
        per_neuron(indicator(margin.lower_elem(0.0), dtype), layout)
    }
}
