//! What a Hebbian layer hands on.

use burn::tensor::Tensor;
use burn_hebbian_core::{Activation, Activity, Rule, RuleError, Similarity, Variance};
use serde::{Deserialize, Serialize};

use crate::precision::whole;

/// The output function of a layer, `activation(similarity(x, w))`; apart from what its rule learns by.
///
/// The default, a linear dot product, makes the layer a plain one. A bias, if the layer has one, is added
/// last.
///
/// ```
/// # use burn::{nn::{Initializer, LinearConfig}, tensor::{Device, Tensor, Tolerance}};
/// use burn_hebbian_nn::{Local, Output};
/// # let device = Device::flex();
///
/// // four weights of 1, of norm 2
/// let ones = LinearConfig::new(4, 1).with_bias(false).with_initializer(Initializer::Ones);
/// let layer = Local::new(ones.init(&device)).with_output(Output::relu_projection());
/// let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0, 4.0], [-1.0, -2.0, -3.0, -4.0]], &device);
/// let y = layer.forward(x); // max(±10 / 2, 0)
/// y.into_data().assert_approx_eq::<f32>(&[[5.0], [0.0]].into(), Tolerance::default());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Output {
    /// How alike patch and weight vector are.
    pub similarity: Similarity,
    /// The function on top.
    pub activation: Activation,
    /// Whether the function's width follows the similarities, as the rule's; then the rule must keep them too.
    pub variance: Variance,
}

impl Output {
    /// `activation(similarity(x, w))`.
    pub fn new(similarity: Similarity, activation: Activation) -> Self {
        Self { similarity, activation, variance: Variance::Fixed }
    }

    /// With a width that follows the similarities: `σ f((s − μ) / σ + μ)` with the running mean and variance that the
    /// layer's rule keeps.
    pub fn with_variance(mut self, variance: Variance) -> Self {
        self.variance = variance;
        self
    }

    /// `relu(w·x / ‖w‖)`: the output of FastHebb's winner-take-all layers.
    pub fn relu_projection() -> Self {
        Self::new(Similarity::Projection, Activation::Relu)
    }

    /// `max(0, cos)`: the output of the thesis's hidden layers.
    pub fn relu_cosine() -> Self {
        Self::new(Similarity::Cosine, Activation::Relu)
    }

    /// `w·x / ‖w‖`: the score of teacher neurons.
    pub fn projection() -> Self {
        Self::new(Similarity::Projection, Activation::Linear)
    }

    /// Refuses an output for which `rule` does not keep what it needs.
    ///
    /// # Errors
    ///
    /// If the activation is an adaptive score, or the variance is not the rule's.
    pub fn check(&self, rule: &Rule) -> Result<(), RuleError> {
        if matches!(self.activation, Activation::AdaptiveScore { .. }) {
            return Err(RuleError::Stages("an adaptive score is for rules; outputs take the fixed `score`"));
        }
        if self.variance != Variance::Fixed && self.variance != rule.variance {
            return Err(RuleError::Stages("an output's running variance must be that of the layer's rule"));
        }
        Ok(())
    }

    /// `[n, groups, neurons, positions]`; of half precision, what lies between responses and output is in `f32`.
    pub(crate) fn of(&self, activity: &Activity) -> Tensor<4> {
        let similarity = activity.similarity(&self.similarity);
        if self.is_plain() {
            return similarity;
        }
        let dtype = similarity.dtype();
        self.variance.output(&self.activation, whole(similarity), activity).cast(dtype)
    }

    /// Whether it is the response itself.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
