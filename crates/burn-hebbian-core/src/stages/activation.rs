//! From similarity to a neuron's activity.

use alloc::{boxed::Box, vec};

use burn::tensor::{Tensor, activation};
use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::{
    Criterion, RuleError, WeightLayout,
    error::{finite, positive, share},
    precision::indicator,
    stages::memory::{Means, Memory, Seen, Stage},
};

/// The function `y = f(s)` from similarity to activity.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::Activation;
/// # let device = Device::flex();
///
/// let s = Tensor::<4>::from_data([[[[-3.0], [1.0], [8.0]]]], &device); // one image, three neurons
/// let relu = Activation::Relu.apply(s.clone());
/// relu.into_data().assert_eq(&[[[[0.0], [1.0], [8.0]]]].into(), false);
/// let triangle = Activation::Triangle { power: 1.0 }.apply(s); // the mean is 2
/// triangle.into_data().assert_eq(&[[[[0.0], [0.0], [6.0]]]].into(), false);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Activation {
    /// `y = s`.
    #[default]
    Linear,
    /// `y = max(s, 0)`.
    Relu,
    /// `y = tanh s`.
    Tanh,
    /// `y = min(max(slope · s, 0), 1)`, the hard sigmoid; equilibrium propagation has it with a slope of 1 or ½.
    HardSigmoid {
        /// The slope, positive.
        slope: f64,
    },
    /// `y = 1 / (1 + e^(−slope (s − threshold)))`, the logistic function.
    Sigmoid {
        /// The slope, positive; the derivative at the threshold is a quarter of it.
        slope: f64,
        /// Where it is ½.
        threshold: f64,
    },
    /// `y = max(s, 0)^p`, the rectified power unit (Krotov and Hopfield 2019).
    Repu {
        /// The power `p`, positive.
        power: f64,
    },
    /// `y = max(s − mean of s over the group's neurons, 0)^p` (Coates et al. 2011; with a power: Journé et al. 2023).
    Triangle {
        /// The power `p`, positive.
        power: f64,
    },
    /// The score function of independent component analysis: `tanh s` for super-Gaussian units, `s − tanh s` for
    /// sub-Gaussian ones, which are the last of each group.
    Score {
        /// The share of sub-Gaussian units, in 0..=1; rounded to whole neurons.
        sub_gaussian: f64,
    },
    /// The score function of independent component analysis, each unit being sub-Gaussian as long as its running
    /// statistics, those of the last step, say so; blank batches do not move them. For rules alone, not for outputs.
    AdaptiveScore {
        /// What decides.
        criterion: Criterion,
        /// How fast statistics run, in 0..=1.
        momentum: f64,
    },
}

impl Activation {
    /// Applies the function to similarities `[n, groups, neurons, positions]`; an adaptive score as if no unit were
    /// sub-Gaussian.
    pub fn apply(&self, s: Tensor<4>) -> Tensor<4> {
        match *self {
            Self::Linear => s,
            Self::Relu => activation::relu(s),
            Self::Tanh | Self::AdaptiveScore { .. } => s.tanh(),
            Self::HardSigmoid { slope } => scaled(s, slope).clamp(0.0, 1.0),
            Self::Sigmoid { slope, threshold } => logistic(s, slope, threshold),
            Self::Repu { power } => rectified_power(s, power),
            Self::Triangle { power } => rectified_power(above_mean(s), power),
            Self::Score { sub_gaussian } => {
                let tanh = s.clone().tanh();
                per_unit(tanh.clone(), s - tanh, sub_gaussian)
            }
        }
    }

    /// The derivative `f′(s)`; of a triangle, as if the mean were a constant.
    pub fn derivative(&self, s: Tensor<4>) -> Tensor<4> {
        match *self {
            Self::Linear => s.ones_like(),
            Self::Relu => indicator(s.clone().greater_elem(0.0), s.dtype()),
            Self::Tanh | Self::AdaptiveScore { .. } => square(s.tanh()).neg().add_scalar(1.0),
            Self::HardSigmoid { slope } => {
                let y = scaled(s, slope);
                let inside = y.clone().greater_elem(0.0).bool_and(y.clone().lower_elem(1.0));
                indicator(inside, y.dtype()).mul_scalar(slope)
            }
            Self::Sigmoid { slope, threshold } => {
                let y = logistic(s, slope, threshold);
                (y.clone() - square(y)).mul_scalar(slope)
            }
            Self::Repu { power } => power_derivative(s, power),
            Self::Triangle { power } => power_derivative(above_mean(s), power),
            Self::Score { sub_gaussian } => {
                let square = square(s.tanh());
                per_unit(square.clone().neg().add_scalar(1.0), square, sub_gaussian)
            }
        }
    }

    /// As [`apply`](Self::apply) within a rule, `state` being this stage's own.
    pub(crate) fn of(&self, s: Tensor<4>, state: Option<Tensor<1>>, layout: &WeightLayout) -> Tensor<4> {
        match (self.sub_gaussian_units(state, layout), self) {
            (Some(sub), _) => {
                // tanh s, or s − tanh s where the unit is sub-Gaussian
                let tanh = s.clone().tanh();
                tanh.clone() + sub * (s - tanh.mul_scalar(2.0))
            }
            (None, f) => f.apply(s),
        }
    }

    /// As [`derivative`](Self::derivative) within a rule, `state` being this stage's own.
    pub(crate) fn derivative_of(
        &self,
        s: Tensor<4>,
        state: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<4> {
        let sub = self.sub_gaussian_units(state, layout);
        let derivative = self.derivative(s);
        match sub {
            // 1 − tanh², or tanh²
            Some(sub) => derivative.clone() + sub * derivative.mul_scalar(-2.0).add_scalar(1.0),
            None => derivative,
        }
    }

    /// Which units are sub-Gaussian, `[1, groups, neurons, 1]` of 0 and 1; `None` if that is not to be found out.
    fn sub_gaussian_units(&self, state: Option<Tensor<1>>, layout: &WeightLayout) -> Option<Tensor<4>> {
        match self {
            Self::AdaptiveScore { criterion, .. } => Some(criterion.sub_gaussian(state?, layout)),
            _ => None,
        }
    }

    /// Whether statistics are made of the similarities.
    pub(crate) fn reads_similarity(&self) -> bool {
        matches!(self, Self::AdaptiveScore { .. })
    }

    /// Refuses numbers that make no function.
    ///
    /// # Errors
    ///
    /// A [`RuleError`] that states the value.
    pub fn check(&self) -> Result<(), RuleError> {
        match *self {
            Self::AdaptiveScore { momentum, .. } => share("adaptive score momentum", momentum),
            Self::HardSigmoid { slope } => positive("hard sigmoid slope", slope),
            Self::Sigmoid { slope, threshold } => {
                positive("sigmoid slope", slope)?;
                finite("sigmoid threshold", threshold)
            }
            Self::Repu { power } => positive("rectified power unit power", power),
            Self::Triangle { power } => positive("triangle power", power),
            Self::Score { sub_gaussian } => share("share of sub-Gaussian units", sub_gaussian),
            _ => Ok(()),
        }
    }
}

impl Stage for Activation {
    /// The means that the criterion looks at.
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        let Self::AdaptiveScore { criterion, momentum } = *self else { return None };
        let len = Criterion::MOMENTS * layout.total_neurons();
        Some(Box::new(Means {
            len,
            momentum,
            of: move |seen: &Seen| criterion.statistics(seen.similarity()),
        }))
    }
}

fn square(y: Tensor<4>) -> Tensor<4> {
    y.clone() * y
}

fn scaled(s: Tensor<4>, slope: f64) -> Tensor<4> {
    if slope == 1.0 { s } else { s.mul_scalar(slope) }
}

fn logistic(s: Tensor<4>, slope: f64, threshold: f64) -> Tensor<4> {
    let s = if threshold == 0.0 { s } else { s.sub_scalar(threshold) };
    activation::sigmoid(scaled(s, slope))
}

fn above_mean(s: Tensor<4>) -> Tensor<4> {
    let mean = s.clone().mean_dim(2);
    s - mean
}

/// `max(s, 0)^p`.
fn rectified_power(s: Tensor<4>, power: f64) -> Tensor<4> {
    let positive = activation::relu(s);
    if power == 1.0 { positive } else { positive.powf_scalar(power) }
}

/// `p max(s, 0)^(p−1)`, 0 where `s ≤ 0` whatever the power.
fn power_derivative(s: Tensor<4>, power: f64) -> Tensor<4> {
    let inactive = s.clone().lower_equal_elem(0.0);
    let derivative = s.mask_fill(inactive.clone(), 1.0).powf_scalar(power - 1.0).mul_scalar(power);
    derivative.mask_fill(inactive, 0.0)
}

/// `first` for the first neurons of each group, `last` for the last share of them.
fn per_unit(first: Tensor<4>, last: Tensor<4>, share: f64) -> Tensor<4> {
    let neurons = first.dims()[2];
    let lasts = Float::round(share * neurons as f64) as usize;
    match neurons - lasts {
        0 => last,
        _ if lasts == 0 => first,
        firsts => Tensor::cat(vec![first.narrow(2, 0, firsts), last.narrow(2, firsts, lasts)], 2),
    }
}
