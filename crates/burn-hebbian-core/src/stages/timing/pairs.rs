//! STDP by traces: all pairs of spikes count.

use alloc::vec;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    Activity, Factors, Part, RuleError, Trace, WeightFactor,
    error::{finite, positive},
    factors::Weighted,
};

/// STDP by traces: `Δw = f₊(w) Σ_t corr(x_t, s_post,t) − f₋(w) Σ_t corr(s_pre,t, y_t)` with the traces `x` of the input's spikes and
/// `y` of the neurons'. Both traces move before the weights: a pair in the same step counts on both sides.
///
/// A trace that spikes add to is a linear filter along time, so that `Σ_t corr(x_t, s_t)` is `Σ_t corr(s_pre,t, Σ_{u ≥ t} λ^(u−t) s_u)`:
/// the traces of the input are never computed, and a rule that does not depend on weights is one correlation over time × images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pairs {
    /// The trace of the input's spikes; `x` above.
    pub pre: Trace,
    /// The trace of the neurons' spikes; `y` above.
    pub post: Trace,
    /// The rate `a₊` of potentiation.
    pub plus: f64,
    /// The rate `a₋` of depression; positive rates depress.
    pub minus: f64,
    /// How both depend on the weight.
    #[serde(default)]
    pub dependence: Dependence,
}

/// How potentiation and depression depend on the weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Dependence {
    /// Not at all: `f₊ = a₊`, `f₋ = a₋`. Wants [`Bounds`](crate::Bounds).
    #[default]
    None,
    /// `f₊ = a₊ w`, `f₋ = a₋ w`: snnTorch's and SpikingJelly's default.
    Weight,
    /// Soft bounds: `f₊ = a₊ (max − w)^μ`, `f₋ = a₋ (w − min)^μ`; 0 beyond them.
    Soft {
        /// What weights shrink towards.
        min: f64,
        /// What weights grow towards.
        max: f64,
        /// μ, at least 0; at 0 rates do not depend on the weight.
        exponent: f64,
    },
}

impl Dependence {
    /// `f₊` and `f₋` without their rates, if they depend on the weight.
    fn factors(&self) -> Option<[WeightFactor; 2]> {
        match *self {
            Self::None => None,
            Self::Soft { exponent: 0.0, .. } => None,
            Self::Weight => Some([WeightFactor::Weight; 2]),
            Self::Soft { min, max, exponent } => {
                Some([WeightFactor::ToMax { max, exponent }, WeightFactor::ToMin { min, exponent }])
            }
        }
    }

    fn check(&self) -> Result<(), RuleError> {
        let Self::Soft { min, max, exponent } = *self else { return Ok(()) };
        finite("least weight", min)?;
        finite("largest weight", max)?;
        if exponent != 0.0 {
            positive("soft bounds exponent", exponent)?;
        }
        if min < max { Ok(()) } else { Err(RuleError::Bounds { min, max }) }
    }
}

impl Pairs {
    /// Additive STDP with traces that decay as `e^(−t/τ)`.
    pub fn new(tau_plus: f64, tau_minus: f64, plus: f64, minus: f64) -> Self {
        let [pre, post] = [tau_plus, tau_minus].map(Trace::exponential);
        Self { pre, post, plus, minus, dependence: Dependence::None }
    }

    /// With other traces.
    pub fn with_traces(mut self, pre: Trace, post: Trace) -> Self {
        (self.pre, self.post) = (pre, post);
        self
    }

    /// With another dependence on the weight.
    pub fn with_dependence(mut self, dependence: Dependence) -> Self {
        self.dependence = dependence;
        self
    }

    pub(super) fn factors(&self, activity: &Activity) -> Factors {
        let (post, reward) = (activity.whole_dot(), activity.third_factor());
        let rewarded = |values: Tensor<4>| match &reward {
            Some(reward) => values * reward.clone(),
            None => values,
        };
        let span = activity.span().unwrap_or_default();
        let (growing, shrinking) = match span.part {
            Part::Trains => (
                Some(self.pre.ahead(rewarded(post.clone()), span.steps)),
                Some(rewarded(self.post.along_time(post, span.steps))),
            ),
            Part::Potentiation => (Some(rewarded(post)), None),
            Part::Depression => (None, Some(rewarded(post))),
        };
        let growing = growing.map(|c| c.mul_scalar(self.plus));
        let shrinking = shrinking.map(|c| c.mul_scalar(-self.minus));
        match (self.dependence.factors(), growing, shrinking) {
            (Some([up, down]), growing, shrinking) => {
                let parts = [(up, growing), (down, shrinking)];
                let weighted =
                    parts.into_iter().filter_map(|(by, c)| Some(Weighted { coefficients: c?, by }));
                Factors::weighted(weighted.collect())
            }
            (None, Some(growing), Some(shrinking)) => Factors::new(growing + shrinking),
            (None, Some(c), None) | (None, None, Some(c)) => Factors::new(c),
            (None, None, None) => Factors::weighted(vec![]),
        }
    }

    pub(super) fn check(&self) -> Result<(), RuleError> {
        self.pre.check("time constant of the input's trace")?;
        self.post.check("time constant of the neurons' trace")?;
        finite("rate of potentiation", self.plus)?;
        finite("rate of depression", self.minus)?;
        self.dependence.check()
    }
}
