//! Layers on GPUs, and whatever else CubeCL compiles for.
//!
//! Two products and one kernel make a step. The products are Burn's own kernels, by an algorithm that is chosen here from the
//! shape: nothing is tuned, so that a first step compiles one kernel for each product instead of dozens. What a
//! [pointwise](burn_hebbian_core::PointwiseRule) rule makes of the responses, and the sums that go with it, is one
//! [kernel](kernels) over the responses. Elsewhere, and for what does not fit, the portable forms do.

#[cfg(feature = "cube")]
mod kernels;
#[cfg(feature = "cube")]
mod launch;
mod pass;
mod products;

pub(crate) use self::{
    pass::fused,
    products::{convolve, feed_back, is_covered, multiply, weight_gradient},
};
