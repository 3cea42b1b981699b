//! Forward pass and update in one pass over the input, tile by tile, on the CPU; or the forward pass alone.
//!
//! A tile of positions is unfolded into the cache once. While it is there its responses `S = W X` are computed, what the
//! rule makes of each patch, and the sums `Σ C Xᵀ`: the floor of two matrix products, with nothing of the size of the
//! responses between them. Every thread has tiles and sums of its own; sums are added in a fixed order, so that the same
//! number of threads gives the same numbers.
//!
//! Convolutions of any rank can be fused, with rules that are compositions of the [stages](contest) known here.

mod contest;
mod extension;
mod job;
mod panels;
mod products;
mod tiles;
mod worker;

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{LocalRule, RecurrenceMask, Signals};

use self::{contest::Contest, job::Job};
use crate::{
    backend::Backend,
    forms::CorrelationForm,
    geometry::{Geometry, Pass},
};

/// What a fused pass gives.
pub(crate) struct Fused<const X: usize> {
    /// The responses.
    pub(crate) dot: Tensor<X>,
    /// `Σ c_k x`, the weight's elements row by row.
    pub(crate) correlation: Tensor<1>,
    /// The diagonal of `K`, `[groups, neurons]`.
    pub(crate) decay: Option<Tensor<2>>,
    /// The rest of `K`, masked, `[groups, neurons, neurons]`.
    pub(crate) gram: Option<(Tensor<3>, RecurrenceMask)>,
    /// What a weighted reduction divides by, `[groups, neurons]`.
    pub(crate) mass: Option<Tensor<2>>,
}

/// Responses and sums of a pass, if it can be fused, and if that pays or is forced.
pub(crate) fn fused<G: Geometry<X, W>, const X: usize, const W: usize>(
    pass: &Pass<G, X, W>,
    rule: &dyn LocalRule,
    signals: &Signals,
) -> Option<Fused<X>> {
    let forced = match pass.forms.correlation {
        Some(CorrelationForm::Fused) => true,
        Some(_) => return None,
        None => false,
    };
    if signals.third_factor.is_some() {
        return None;
    }
    let contest = rule.composition().and_then(Contest::of)?;
    let job = job(pass, Some(contest), forced)?;
    Some(job.run(pass.x.clone().inner(), pass.w.clone()))
}

/// The responses alone, of an input and weights outside the autodiff graph, if that pays or is forced.
pub(crate) fn responses<G: Geometry<X, W>, const X: usize, const W: usize>(
    pass: &Pass<G, X, W>,
) -> Option<Tensor<X>> {
    let forced = pass.forms.correlation == Some(CorrelationForm::Fused);
    let job = job(pass, None, forced)?;
    Some(job.respond(pass.x.clone().inner(), pass.w.clone()))
}

/// The job of a pass, if it is one of plain numbers of this process, and if it pays or is forced.
fn job<G: Geometry<X, W>, const X: usize, const W: usize>(
    pass: &Pass<G, X, W>,
    contest: Option<Contest>,
    forced: bool,
) -> Option<Job> {
    let (x, w) = (&pass.x, &pass.w);
    let backend = Backend::of(&x.device());
    let plain = !w.is_autodiff() && x.dtype() == DType::F32 && w.dtype() == DType::F32;
    if !plain || !backend.is_host() {
        return None;
    }
    let job = Job::new(pass.geometry.window()?, x.dims(), &pass.geometry.layout(), contest);
    (forced || backend.is_flex() && job.pays()).then_some(job)
}
