//! An activation whose width follows the variance of its input.

use alloc::boxed::Box;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    Activation, Activity, RuleError, WeightLayout,
    error::{positive, share},
    precision::whole,
    stages::memory::running::{Moments, OfSimilarities, Running},
    stages::memory::{Memory, Stage, per_neuron},
};

/// Whether the width of the activation is fixed or follows the similarities.
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{Activation, DenseView, Rule, Signals, Variance};
/// # let device = Device::flex();
///
/// // s = 10 and 12, far into the saturation of tanh: y = 1, or the standard deviation √2
/// let layer = DenseView::from_data([[1.0]], [[10.0], [12.0]], &device);
/// let running = Variance::Running { momentum: 1.0, epsilon: 1e-5 };
/// for (variance, y) in [(Variance::Fixed, 1.0), (running, f32::sqrt(2.0))] {
///     let rule = Rule::hebb().with_activation(Activation::Tanh).with_variance(variance);
///     let update = layer.update(&rule, Signals::none()).unwrap();
///     update.into_data().assert_approx_eq::<f32>(&[[11.0 * y]].into(), Tolerance::default()); // mean y x
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Variance {
    /// `y = f(s)`.
    #[default]
    Fixed,
    /// `y = σ f((s − μ) / σ + μ)` with `σ = √(variance + epsilon)`: a saturating `f` saturates at each neuron's own
    /// scale. Mean and unbiased variance run along per neuron as in batch normalization, updated by the batch before
    /// it is used; each of several micro-batches uses them as updated by itself alone, and what stays is updated by
    /// all of them together. A patch alone has no variance: `(1 − momentum/2) (s − μ)²` with the mean before it, whose
    /// expectation is the variance of independent patches, stands in its place. Blank batches move neither.
    Running {
        /// How fast they run, in 0..=1.
        momentum: f64,
        /// Added to the variance, positive.
        epsilon: f64,
    },
}

/// Similarities as the activation takes them, and how its answer is scaled.
pub(crate) struct Scaled {
    /// `(s − μ) / σ + μ`.
    pub(crate) u: Tensor<4>,
    /// `σ`, `[1, groups, neurons, 1]`; 1 if `None`.
    sigma: Option<Tensor<4>>,
}

impl Scaled {
    /// As it is.
    pub(crate) fn plain(s: Tensor<4>) -> Self {
        Self { u: s, sigma: None }
    }

    /// `σ y`.
    pub(crate) fn rescale(&self, y: Tensor<4>) -> Tensor<4> {
        match &self.sigma {
            None => y,
            Some(sigma) => y * sigma.clone(),
        }
    }
}

impl Variance {
    /// Follows the running variance with momentum 0.1 and epsilon 1e-5.
    pub fn running() -> Self {
        Self::Running { momentum: 0.1, epsilon: 1e-5 }
    }

    /// Similarities as the activation takes them while the layer learns, `state` being this stage's own.
    pub(crate) fn scale(&self, s: Tensor<4>, state: Option<Tensor<1>>, layout: &WeightLayout) -> Scaled {
        let (Some((running, epsilon)), Some(state)) = (self.running_moments(layout), state) else {
            return Scaled::plain(s);
        };
        let moments = running.updated(flat(s.clone()), state);
        scaled(s, moments, epsilon, layout)
    }

    /// `σ f((s − μ) / σ + μ)` of similarities `s`: a layer's output by the running moments that its rule keeps, updated
    /// by this batch while the layer learns.
    ///
    /// # Panics
    ///
    /// If the layer keeps no state for its rule, or for another rule.
    pub fn output(&self, f: &Activation, s: Tensor<4>, activity: &Activity) -> Tensor<4> {
        let layout = activity.layout();
        let Some((running, epsilon)) = self.running_moments(&layout) else {
            return f.apply(s);
        };
        let (dtype, s) = (s.dtype(), whole(s));
        // the rule keeps them before all else
        let state = activity.state().narrow(0, 0, running.state_len());
        let moments = if activity.learns() {
            running.updated(flat(s.clone().inner()), state)
        } else {
            running.committed(state)
        };
        let scaled = scaled(s, moments, epsilon, &layout);
        scaled.rescale(f.apply(scaled.u.clone())).cast(dtype)
    }

    fn running_moments(&self, layout: &WeightLayout) -> Option<(Running, f64)> {
        match *self {
            Self::Fixed => None,
            Self::Running { momentum, epsilon } => {
                Some((Running { width: layout.total_neurons(), momentum }, epsilon))
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        match *self {
            Self::Fixed => Ok(()),
            Self::Running { momentum, epsilon } => {
                share("running variance momentum", momentum)?;
                positive("running variance epsilon", epsilon)
            }
        }
    }
}

impl Stage for Variance {
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        let (running, _) = self.running_moments(layout)?;
        Some(Box::new(OfSimilarities { running, of: flat }))
    }
}

/// `[n, groups, neurons, positions]` → `[n, groups · neurons, positions]`.
fn flat(s: Tensor<4>) -> Tensor<3> {
    let [n, groups, neurons, positions] = s.dims();
    s.reshape([n, groups * neurons, positions])
}

fn scaled(s: Tensor<4>, moments: Moments, epsilon: f64, layout: &WeightLayout) -> Scaled {
    let mean = per_neuron(moments.mean, layout).cast(s.dtype());
    let sigma = per_neuron(moments.variance.add_scalar(epsilon).sqrt(), layout).cast(s.dtype());
    Scaled { u: (s - mean.clone()) / sigma.clone() + mean, sigma: Some(sigma) }
}
