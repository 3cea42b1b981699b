//! Padding, resolved to pairs and to what lies in it.

use burn::nn::PaddingConfig2d;
use serde::{Deserialize, Serialize};

/// What lies in the padding of a Hebbian convolution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingMode {
    /// Zeros, as in Burn's own layers.
    #[default]
    Zeros,
    /// The image mirrored at its border, the border itself not repeated.
    Reflect,
}

/// `((top, bottom), (left, right))`, exactly as the plain layer pads (`Same` does not know dilation there).
pub(crate) fn pairs_2d(
    padding: &PaddingConfig2d,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
) -> [(usize, usize); 2] {
    match *padding {
        PaddingConfig2d::Valid => [(0, 0), (0, 0)],
        PaddingConfig2d::Same => [0, 1].map(|axis| same(size[axis], kernel[axis], stride[axis])),
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
    }
}

/// The extra element of an odd total goes to the end.
fn same(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let outputs = size.div_ceil(stride);
    let total = (outputs.saturating_sub(1) * stride + kernel).saturating_sub(size);
    (total / 2, total - total / 2)
}
