//! What energies, sums and counts are computed in.
//!
//! `f16` ends at 65,504 and at 6e-8, `bf16` has eight bits: squares, and sums over patches, leave them soon.

use burn::tensor::{Bool, DType, Tensor};

/// In `f32` if it was in half precision.
pub(crate) fn whole<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    match values.dtype() {
        DType::F16 | DType::BF16 => values.cast(DType::F32),
        _ => values,
    }
}

/// The type that values of `dtype` are summed in.
pub(crate) fn whole_type(dtype: DType) -> DType {
    match dtype {
        DType::F16 | DType::BF16 => DType::F32,
        dtype => dtype,
    }
}

/// 1 where it is true and 0 elsewhere; `float` alone gives the device's own type.
pub(crate) fn indicator<const D: usize>(mask: Tensor<D, Bool>, dtype: DType) -> Tensor<D> {
    mask.float().cast(dtype)
}
