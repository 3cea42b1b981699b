//! What is done to every value by the numbers of its channel or neuron, on the CPU: norms between layers, their statistics,
//! and the step of a weight. In one pass over memory each, on all cores, in place where nobody else holds the values.

mod descent;
mod extension;
mod rows;
mod steps;

use burn::tensor::{DType, Tensor};

pub use descent::Descent;
pub(crate) use rows::Affine;

use crate::backend::Backend;

/// Whether values are where this module works: some `f32` of flex, outside the autodiff graph.
pub(crate) fn covers<const D: usize>(x: &Tensor<D>) -> bool {
    let some = !x.dims().contains(&0);
    some && !x.is_autodiff() && x.dtype() == DType::F32 && Backend::of(&x.device()).is_flex()
}

/// Mean and biased variance of every channel of `[n, channels, …]`.
pub(crate) fn statistics<const D: usize>(x: &Tensor<D>) -> [Tensor<1>; 2] {
    let found = extension::statistics(x.clone());
    let channels = x.dims()[1];
    [0, channels].map(|start| found.clone().narrow(0, start, channels))
}

/// `clamp((x − mean) · scale + shift + added)` of every value, by its channel.
pub(crate) fn apply<const D: usize>(x: Tensor<D>, affine: Affine, added: Option<Tensor<D>>) -> Tensor<D> {
    extension::apply(x, affine, added)
}
