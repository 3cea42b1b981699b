//! One difference for every patch and neuron.

use burn::tensor::Tensor;

use super::Teaching;

/// `Σ_p c_pk (x_p − r_pk)` of these patches, `[patches, fan-in]`, by a `[patches, neurons, fan-in]` temporary.
pub(super) fn sum(x: Tensor<2>, teaching: &Teaching, w: &Tensor<2>) -> Tensor<2> {
    let x: Tensor<3> = x.unsqueeze_dim(1);
    let difference = match teaching.recalled(w) {
        Some(recalled) => x - recalled,
        None => x,
    };
    let c: Tensor<3> = teaching.coefficients.clone().unsqueeze_dim(2);
    (c * difference).sum_dim(0).squeeze_dim(0)
}
