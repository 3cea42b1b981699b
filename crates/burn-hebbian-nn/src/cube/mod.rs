//! Passes on GPUs, and whatever else CubeCL compiles for.
//!
//! Two [products](crate::untuned) and one kernel make a step: what a [pointwise](burn_hebbian_core::PointwiseRule) rule makes of
//! the responses, and the sums that go with it, is one [kernel](kernels) over the responses. Elsewhere, and for what does not
//! fit, the portable forms do.

mod extension;
#[cfg(feature = "cube")]
mod kernels;
#[cfg(feature = "cube")]
mod launch;
mod pass;

pub(crate) use self::pass::fused;
