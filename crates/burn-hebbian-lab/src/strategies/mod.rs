//! Strategies for the weight update of a convolution: the same sum, evaluated in different ways.
//!
//! `ΔW_k = Σ_p c_pk (x_p − r_pk) / m_k` over all patches `p`, with coefficients `c`, what a neuron recalls `r` and a
//! divisor `m` that depend on the rule ([`Teaching`]).
//!
//! - per patch: one `[neurons, fan-in]` difference after the other, as before FastHebb;
//! - broadcast: all patches unfolded, one `[patches, neurons, fan-in]` difference in chunks;
//! - product: all patches unfolded, `Cᵀ X`, and what is recalled as a product of its own, as in FastHebb;
//! - mean: inputs and coefficients averaged over the batch before one image's product; another update, and a lower bound of what
//!   any of these costs;
//! - gradient and chosen: [`local::step`] with Burn's weight gradient forced, and with what the layer chooses.
//!
//! All but the last exist to be measured and compared; layers are without groups, dilation and bias.

mod case;
mod differences;
pub mod local;
mod patches;
mod rules;
pub mod setting;
mod teaching;

pub use case::{Case, case};
pub use patches::Patches;
pub use rules::BenchRule;
pub use teaching::Teaching;

use burn::tensor::Tensor;

/// The largest `[patches, neurons, fan-in]` temporary of the broadcast strategy, in bytes; a few of them live at once.
pub const CHUNK_BYTES: usize = 32 << 20;

/// Patches of a chunk of the broadcast strategy.
pub fn chunk(neurons: usize, fan_in: usize) -> usize {
    (CHUNK_BYTES / (4 * neurons * fan_in)).max(1)
}

/// The sum over the first `count` patches, patch by patch: nothing larger than `[neurons, fan-in]`.
pub fn per_patch(patches: &Patches, teaching: &Teaching, w: &Tensor<2>, count: usize) -> Tensor<2> {
    (0..count).fold(w.zeros_like(), |sum, patch| {
        sum + differences::sum(patches.one(patch), &teaching.of(patch..patch + 1), w)
    })
}

/// The sum over the first `count` of the unfolded patches `x`, `[patches, fan-in]`, in chunks.
pub fn broadcast(x: &Tensor<2>, teaching: &Teaching, w: &Tensor<2>, count: usize) -> Tensor<2> {
    let [neurons, fan_in] = w.dims();
    let chunk = chunk(neurons, fan_in);
    (0..count).step_by(chunk).fold(w.zeros_like(), |sum, start| {
        let range = start..(start + chunk).min(count);
        let x = x.clone().narrow(0, start, range.len());
        sum + differences::sum(x, &teaching.of(range), w)
    })
}

/// The sum over all unfolded patches `x`, `[patches, fan-in]`, as products of matrices.
pub fn product(x: &Tensor<2>, teaching: &Teaching, w: &Tensor<2>) -> Tensor<2> {
    let c = teaching.coefficients.clone().transpose(); // [neurons, patches]
    let sum = c.clone().matmul(x.clone());
    match teaching.recalled_by_product(c, w) {
        Some(recalled) => sum - recalled,
        None => sum,
    }
}

/// The sum over the patches of the mean image, by the mean of the coefficients, times the images: not the sum over all patches,
/// in which every image is multiplied with its own coefficients.
pub fn of_means(case: &Case, x: &Tensor<4>, teaching: &Teaching, w: &Tensor<2>) -> Tensor<2> {
    let images = x.dims()[0];
    let patches = Patches::new(case, x.clone().mean_dim(0));
    product(&patches.unfold(), &teaching.averaged(images), w).mul_scalar(images as f64)
}
