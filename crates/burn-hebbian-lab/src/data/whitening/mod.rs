//! ZCA whitening, of whole images or of patches.
//!
//! ```text
//! x ← W (x̂ − m),   W = U (S + ε)^(−1/2) Uᵀ,   cov(x̂) = U S Uᵀ
//! ```
//!
//! with `x̂` the image after every channel was brought to mean 0 and deviation 1, or the patch after its contrast was
//! normalized, `m` the mean of these, and `ε` the smoothing, which keeps directions of little variance from being blown
//! up. Without smoothing, or with less than rounding to `f32` makes of the largest variance, directions of no variance are
//! left out: `W` is the pseudo-inverse.
//!
//! Source: A. J. Bell and T. J. Sejnowski, "The 'independent components' of natural scenes are edge filters",
//! *Vision Research* 37 (1997), doi:10.1016/S0042-6989(97)00121-1.

mod eigen;
mod file;
mod fold;
mod images;
mod patches;

pub use file::WhiteningFileError;
pub use fold::FoldedFilters;
pub use images::{Spectrum, Zca};
pub use patches::{PatchSpectrum, PatchWhiteningConfig, PatchZca};

/// Values that a covariance may be of: it takes 1 GB in `f32` then, its decomposition several times that and hours.
const MAX_VALUES: usize = 1 << 14;

/// Variances of patches below this count as this. Clamp: a blank patch has no contrast to divide by.
const MIN_VARIANCE: f64 = 1e-10;

/// What cannot be whitened.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WhiteningError {
    /// A covariance without eigendecomposition.
    #[error(
        "whitening: the covariance of {samples} {what} has no eigendecomposition; are all pixels finite?"
    )]
    Covariance {
        /// How many were whitened.
        samples: usize,
        /// Images or patches.
        what: &'static str,
    },
    /// Patches larger than the images, or of no pixels.
    #[error("whitening: patches of {side} × {side} pixels from {images} images of {width} × {height}")]
    Patches {
        /// Height and width of a patch.
        side: usize,
        /// Number of images.
        images: usize,
        /// Height of an image.
        height: usize,
        /// Width of an image.
        width: usize,
    },
    /// No images, images of no pixels, or no patches.
    #[error("whitening: no {what} to fit it on")]
    Nothing {
        /// Images or patches.
        what: &'static str,
    },
    /// Images or patches whose covariance is too large for memory.
    #[error(
        "whitening: {what} of {} × {} × {} are {values} values, a covariance of {:.1} GB and several times that to \
         decompose it, expected at most {MAX_VALUES} values: whiten smaller patches (`PatchWhiteningConfig`), or smaller \
         images (`ImageSize::Resized`)", dims[0], dims[1], dims[2], gigabytes(*values)
    )]
    TooLarge {
        /// Images or patches.
        what: &'static str,
        /// Channels, height, width.
        dims: [usize; 3],
        /// Their product.
        values: usize,
    },
    /// A contrast constant that is negative or no number.
    #[error("whitening: contrast constant {contrast}, expected 0 or more")]
    Contrast {
        /// What was asked for.
        contrast: f64,
    },
}

/// A covariance of so many values, in `f32`.
fn gigabytes(values: usize) -> f64 {
    (values as f64).powi(2) * size_of::<f32>() as f64 / 1e9
}

/// An error unless there is something to whiten that memory holds the covariance of.
fn check(what: &'static str, count: usize, dims: [usize; 3]) -> Result<(), WhiteningError> {
    match dims.iter().product() {
        0 => Err(WhiteningError::Nothing { what }),
        _ if count == 0 => Err(WhiteningError::Nothing { what }),
        values if values > MAX_VALUES => Err(WhiteningError::TooLarge { what, dims, values }),
        _ => Ok(()),
    }
}
