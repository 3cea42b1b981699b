//! How alike a patch and a neuron's weight vector are.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    Activity, RuleError,
    error::{at_least_one, positive, single},
    precision::whole,
};

/// How alike a patch `x` and a weight vector `w` are.
///
/// All but one are elementwise on the layer's own responses `w · x`, the patch norms (a one-channel box sum) and the
/// weight norms; [`Lebesgue`](Self::Lebesgue) with `p ≠ 2` needs a second convolution.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Signals, Similarity};
/// # let device = Device::flex();
///
/// // w = (0, 2) and x = (3, 4)
/// let layer = DenseView::from_data([[0.0, 2.0]], [[3.0, 4.0]], &device);
/// let seen = layer.activity(Signals::none());
/// for (similarity, expected) in [
///     (Similarity::Dot, 8.0),
///     (Similarity::Projection, 4.0),
///     (Similarity::Cosine, 0.8),
///     (Similarity::RaisedCosine { power: 2.0 }, 0.81),
///     (Similarity::Gaussian { sigma: Some(1.0) }, f32::exp(-13.0 / 2.0)),
///     (Similarity::Lebesgue { p: 3.0 }, 16.0),
/// ] {
///     let s = seen.similarity(&similarity).into_scalar::<f32>();
///     assert!((s - expected).abs() < 1e-5, "{similarity:?}: {s}");
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Similarity {
    /// `w · x`.
    #[default]
    Dot,
    /// `w · x / ‖w‖`.
    Projection,
    /// `w · x / (‖w‖ ‖x‖)`; 0 for an all-zero patch.
    Cosine,
    /// `((cos + 1) / 2)^p`, in 0..=1.
    RaisedCosine {
        /// The exponent `p`, positive.
        power: f64,
    },
    /// `exp(−‖x − w‖² / 2σ²)`.
    Gaussian {
        /// The width `σ`, positive; `√fan-in` if not given.
        sigma: Option<f64>,
    },
    /// `sign(w) |w|^(p−1) · x`, the inner product of Lebesgue exponent `p`; for `p ≠ 2` at the price of a second
    /// convolution.
    Lebesgue {
        /// The exponent `p`, at least 1.
        p: f64,
    },
}

impl Similarity {
    /// The similarity of every patch with every neuron, `[n, groups, neurons, positions]`, in the type of norms.
    pub(crate) fn of(&self, activity: &Activity) -> Tensor<4> {
        match self {
            Self::Dot => activity.whole_dot(),
            Self::Projection => activity.whole_dot() * activity.inverse_weight_norm(),
            Self::Cosine => scaled_cosine(activity, 1.0),
            Self::RaisedCosine { power } => raised(scaled_cosine(activity, 0.5), *power),
            Self::Gaussian { sigma } => gaussian(activity, *sigma),
            Self::Lebesgue { p: 2.0 } => activity.whole_dot(),
            Self::Lebesgue { p } => {
                let layer = activity.layer();
                whole(layer.respond_with(signed_power(whole(layer.weight()), p - 1.0)))
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        match self {
            Self::RaisedCosine { power } => positive("raised cosine power", *power),
            Self::Gaussian { sigma: Some(sigma) } => {
                positive("gaussian sigma", *sigma)?;
                // what is computed with
                single("gaussian sigma squared", sigma * sigma)?;
                single("inverse of gaussian sigma squared", 0.5 / (sigma * sigma))
            }
            Self::Lebesgue { p } => at_least_one("Lebesgue exponent", *p),
            _ => Ok(()),
        }
    }
}

/// `exp(−(‖x‖² + ‖w‖² − 2 w·x) / 2σ²)`.
fn gaussian(activity: &Activity, sigma: Option<f64>) -> Tensor<4> {
    let variance = sigma.map_or(activity.layout().fan_in() as f64, |sigma| sigma * sigma);
    let energies = activity.patch_energy() + activity.weight_energy();
    // clamp: rounding can put the distance of equal vectors just below 0.
    let distance = (energies - activity.whole_dot().mul_scalar(2.0)).clamp_min(0.0);
    distance.mul_scalar(-0.5 / variance).exp()
}

/// `sign(w) |w|^power`.
fn signed_power(w: Tensor<4>, power: f64) -> Tensor<4> {
    w.clone().sign() * w.abs().powf_scalar(power)
}

/// `factor · cos`: the factor rides on the small weight norms, not on the responses.
fn scaled_cosine(activity: &Activity, factor: f64) -> Tensor<4> {
    let cosine = activity.whole_dot() * activity.inverse_weight_norm().mul_scalar(factor);
    cosine * activity.inverse_patch_norm()
}

/// `(half + 1/2)^p` of half a cosine.
fn raised(half_cosine: Tensor<4>, power: f64) -> Tensor<4> {
    // clamp: rounding can put a cosine just below −1, where a fractional power is NaN.
    let base = half_cosine.add_scalar(0.5);
    match power {
        1.0 => base,
        2.0 => base.clone() * base,
        _ => base.clamp_min(0.0).powf_scalar(power),
    }
}

impl Activity<'_> {
    /// The responses as another [`Similarity`], in their type; elementwise on [`dot`](Self::dot) and the norms.
    pub fn similarity(&self, similarity: &Similarity) -> Tensor<4> {
        similarity.of(self).cast(self.dot().dtype())
    }
}
