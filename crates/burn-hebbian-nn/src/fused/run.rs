//! Fused passes on tensors.

use std::ops::Range;

use burn::tensor::Tensor;

use super::{Fused, extension, job::Job, linear::LinearJob};

/// The responses alone.
pub(super) fn respond<const X: usize, const W: usize>(job: Job, x: Tensor<X>, w: Tensor<W>) -> Tensor<X> {
    let dims = job.output(x.dims());
    let [dot, ..] = extension::run(x, w, job);
    dot.reshape(dims)
}

/// A pass through a convolution.
pub(super) fn run<const X: usize, const W: usize>(job: Job, x: Tensor<X>, w: Tensor<W>) -> Fused<X> {
    let dims = job.output(x.dims());
    let parts = job.sums();
    let [groups, neurons] = [job.groups, job.neurons];
    let mask = job.gram();
    let [dot, correlation, sums] = extension::run(x, w, job);
    let part = |range: Range<usize>| sums.clone().narrow(0, range.start, range.len());
    let vector = |range: Range<usize>| (!range.is_empty()).then(|| part(range).reshape([groups, neurons]));
    Fused {
        dot: dot.reshape(dims),
        correlation,
        gram: mask.map(|mask| (part(parts.gram).reshape([groups, neurons, neurons]), mask)),
        mass: vector(parts.mass),
    }
}

/// A pass through a linear layer.
pub(super) fn run_linear<const X: usize, const W: usize>(
    job: LinearJob,
    x: Tensor<X>,
    w: Tensor<W>,
) -> Fused<X> {
    let mut dims = x.dims();
    dims[1] = job.neurons;
    let (neurons, has_mass) = (job.neurons, job.rule.has_mass());
    let [dot, correlation, mass] = extension::run_linear(x, w, job);
    let mass = has_mass.then(|| mass.reshape([1, neurons]));
    Fused { dot: dot.reshape(dims), correlation, gram: None, mass }
}
