//! Forward pass and update in one pass over the input, tile by tile, on the CPU; or the forward pass alone.
//!
//! A tile of positions is unfolded into the cache once. While it is there its responses `S = W X` are computed, what the
//! rule makes of each patch, and the sums `Σ C Xᵀ`: the floor of two matrix products, with nothing of the size of the
//! responses between them. Every thread has tiles and sums of its own; sums are added in a fixed order, so that the same
//! number of threads gives the same numbers.
//!
//! Convolutions of any rank can be fused, with rules whose [stages](pointwise) are known here.

mod compute;
mod deferred;
mod extension;
mod few;
mod job;
mod linear;
mod panels;
mod pointwise;
mod products;
mod run;
mod takes;
mod tiles;
mod worker;

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{LocalRule, Numerator, RecurrenceMask, Signals, WeightLayout};

pub(crate) use self::{deferred::LinearSums, linear::Products, pointwise::Pointwise};
use self::{job::Job, linear::LinearJob};
use crate::{backend::Backend, forms::CorrelationForm, window::Window};

/// What a fused pass gives.
pub(crate) struct Fused<const X: usize> {
    /// The responses.
    pub(crate) dot: Tensor<X>,
    /// `Σ c_k x − d_k w_k` with the diagonal `d` of `K`, the weight's elements row by row.
    pub(crate) correlation: Numerator,
    /// The rest of `K`, masked, `[groups, neurons, neurons]`.
    pub(crate) gram: Option<(Tensor<3>, RecurrenceMask)>,
    /// What a weighted reduction divides by, `[groups, neurons]`.
    pub(crate) mass: Option<Tensor<2>>,
}

/// What a pass through a layer starts from.
pub(crate) struct Operands<'a, const X: usize, const W: usize> {
    /// How the kernel slides over the input, if the layer is a convolution.
    pub(crate) window: Option<Window>,
    /// Whether it is a linear layer.
    pub(crate) is_product: bool,
    pub(crate) layout: WeightLayout,
    /// The prepared input.
    pub(crate) x: &'a Tensor<X>,
    pub(crate) w: &'a Tensor<W>,
    /// The form that was asked for.
    pub(crate) form: Option<CorrelationForm>,
}

/// Responses and sums of a pass, if it can be fused, and if that pays or is forced.
pub(crate) fn fused<const X: usize, const W: usize>(
    operands: Operands<X, W>,
    rule: &dyn LocalRule,
    signals: &Signals,
) -> Option<Fused<X>> {
    let forced = match operands.form {
        Some(CorrelationForm::Fused) => true,
        Some(_) => return None,
        None => false,
    };
    if signals.third_factor.is_some() {
        return None;
    }
    let rule = rule.pointwise().and_then(Pointwise::of)?;
    if operands.is_product {
        let job = linear(&operands, rule, forced)?;
        return Some(run::run_linear(job, operands.x.clone().inner(), operands.w.clone()));
    }
    let job = job(&operands, Some(rule), forced)?;
    Some(run::run(job, operands.x.clone().inner(), operands.w.clone()))
}

/// The job of a pass through a linear layer.
fn linear<const X: usize, const W: usize>(
    operands: &Operands<X, W>,
    rule: Pointwise,
    forced: bool,
) -> Option<LinearJob> {
    let near = is_plain(operands) && (forced || Backend::of(&operands.x.device()).is_flex());
    if near { LinearJob::new(operands.x.dims(), operands.layout.neurons, rule) } else { None }
}

/// Whether input and weight are plain numbers of this process.
fn is_plain<const X: usize, const W: usize>(Operands { x, w, .. }: &Operands<X, W>) -> bool {
    let floats = x.dtype() == DType::F32 && w.dtype() == DType::F32;
    !w.is_autodiff() && floats && Backend::of(&x.device()).is_host()
}

/// The responses alone, of an input and weights outside the autodiff graph, if that pays or is forced.
pub(crate) fn responses<const X: usize, const W: usize>(operands: Operands<X, W>) -> Option<Tensor<X>> {
    let forced = operands.form == Some(CorrelationForm::Fused);
    let job = job(&operands, None, forced)?;
    Some(run::respond(job, operands.x.clone().inner(), operands.w.clone()))
}

/// The job of a pass, if it is one of plain numbers of this process, and if it pays or is forced.
fn job<const X: usize, const W: usize>(
    operands: &Operands<X, W>,
    rule: Option<Pointwise>,
    forced: bool,
) -> Option<Job> {
    if !is_plain(operands) {
        return None;
    }
    let Operands { window, layout, x, .. } = operands;
    let job = Job::new((*window)?, x.dims(), layout, rule);
    (forced || Backend::of(&x.device()).is_flex() && job.pays()).then_some(job)
}
