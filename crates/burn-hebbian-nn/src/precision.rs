//! The precision in which layers learn.

use burn::tensor::{DType, Tensor};

/// Whether learning takes these values as they are.
pub(crate) fn is_learnable<const D: usize>(values: &Tensor<D>) -> bool {
    !values.is_autodiff() && !is_half(values)
}

/// Outside the autodiff graph and, if it was in half precision, in `f32`.
pub(crate) fn learnable<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    whole(values.inner())
}

/// In `f32` if it was in half precision.
pub(crate) fn whole<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    if is_half(&values) { values.cast(DType::F32) } else { values }
}

fn is_half<const D: usize>(values: &Tensor<D>) -> bool {
    matches!(values.dtype(), DType::F16 | DType::BF16)
}
