//! Time folded into images.

use burn::tensor::Tensor;
use burn_hebbian_core::Pairs;

use super::Traces;
use crate::{SpikeError, Train};

/// Inputs and coefficients over time × images, twice: what STDP with fixed weights is one correlation of.
#[derive(Debug, Clone)]
pub struct Folded<const X: usize> {
    /// Traces of the input's spikes, then the spikes: `[2 · steps · images, ..]`.
    pub input: Tensor<X>,
    /// `a₊` times the neurons' spikes, then `−a₋` times their traces.
    pub coefficients: Tensor<X>,
}

/// Folds the steps of both trains, for rules that do not depend on the weights: what a layer with plain Hebb's rule and a sum learns
/// from it is what STDP comes to step by step.
///
/// [`learn`](super::learn) comes to the same in half as many images.
///
/// # Errors
///
/// If the trains are not of the same steps and images.
pub fn fold<const X: usize>(rule: &Pairs, pre: &Train<X>, post: &Train<X>) -> Result<Folded<X>, SpikeError> {
    let traces = Traces::along(rule, pre, post)?;
    let input = Tensor::cat(vec![traces.pre, pre.values().inner()], 0);
    let growing = post.values().inner().mul_scalar(rule.plus);
    let shrinking = traces.post.mul_scalar(-rule.minus);
    Ok(Folded { input, coefficients: Tensor::cat(vec![growing, shrinking], 0) })
}
