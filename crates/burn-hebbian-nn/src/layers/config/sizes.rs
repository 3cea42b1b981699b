//! The defaults of sizes and paddings, whatever the number of axes.

use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};

/// A number, or one an axis.
pub(super) trait Sizes {
    fn all(size: usize) -> Self;
}

impl Sizes for usize {
    fn all(size: usize) -> Self {
        size
    }
}

impl<const D: usize> Sizes for [usize; D] {
    fn all(size: usize) -> Self {
        [size; D]
    }
}

/// 1 on every axis.
pub(super) fn ones<S: Sizes>() -> S {
    S::all(1)
}

/// A padding, of whichever kind.
pub(super) trait Padding {
    fn none() -> Self;
}

impl Padding for PaddingConfig1d {
    fn none() -> Self {
        Self::Valid
    }
}

impl Padding for PaddingConfig2d {
    fn none() -> Self {
        Self::Valid
    }
}

impl Padding for PaddingConfig3d {
    fn none() -> Self {
        Self::Valid
    }
}

/// Transposed layers pad both ends of an axis alike.
impl<S: Sizes> Padding for S {
    fn none() -> Self {
        S::all(0)
    }
}

/// No padding.
pub(super) fn unpadded<P: Padding>() -> P {
    P::none()
}
