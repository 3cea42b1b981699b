//! Fused passes on tensors.

use std::ops::Range;

use burn::tensor::Tensor;
use burn_hebbian_core::Numerator;

use super::{Fused, deferred::LinearSums, extension, job::Job, linear::LinearJob};

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
        correlation: correlation.into(),
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
    let (neurons, has_mass, products) = (job.neurons, job.rule.has_mass(), job.products());
    // of two dimensions, as a linear layer's are
    let [x, w] = [x.into_dispatch(), w.into_dispatch()].map(Tensor::<2>::from_dispatch);
    let [dot, taught, mass] = extension::run_linear(x.clone(), w.clone(), job);
    let mass = has_mass.then(|| mass.reshape([1, neurons]));
    let correlation = Numerator::deferred(LinearSums { products, x, w, taught });
    Fused { dot: dot.reshape(dims), correlation, gram: None, mass }
}
