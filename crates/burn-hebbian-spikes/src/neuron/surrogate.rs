//! Derivatives in the place of a spike's, which is 0 almost everywhere.

use std::f64::consts::{FRAC_PI_2, PI};

use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

/// The derivative of a spike with respect to `u − θ` that backprop takes; the spike itself stays 0 or 1.
///
/// Source: E. O. Neftci, H. Mostafa and F. Zenke, "Surrogate gradient learning in spiking neural networks", *IEEE Signal Process.
/// Mag.* 36 (2019), doi:10.1109/MSP.2019.2931595.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Surrogate {
    /// `(α/2) / (1 + (π/2 · α x)²)`.
    Atan(f64),
    /// `1 / (1 + k |x|)²`.
    FastSigmoid(f64),
    /// The derivative of `1 / (1 + e^(−α x))`.
    Sigmoid(f64),
}

impl Surrogate {
    /// Its sharpness.
    pub(super) fn sharpness(&self) -> f64 {
        match *self {
            Self::Atan(sharpness) | Self::FastSigmoid(sharpness) | Self::Sigmoid(sharpness) => sharpness,
        }
    }

    /// `spikes`, with the derivative of a smooth function of how far the potential is `over` the threshold.
    pub(super) fn attach<const D: usize>(&self, spikes: Tensor<D>, over: Tensor<D>) -> Tensor<D> {
        let smooth = match *self {
            Self::Atan(alpha) => over.mul_scalar(FRAC_PI_2 * alpha).atan().div_scalar(PI),
            Self::FastSigmoid(slope) => over.clone() / over.abs().mul_scalar(slope).add_scalar(1.0),
            Self::Sigmoid(alpha) => sigmoid(over.mul_scalar(alpha)),
        };
        spikes.detach() + (smooth.clone() - smooth.detach())
    }
}
