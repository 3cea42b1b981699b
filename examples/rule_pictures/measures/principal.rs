//! Principal components by an eigendecomposition, and how near weights are to them.

use anyhow::{Result, anyhow};
use burn::tensor::{Device, Tensor, TensorData};
use burn_hebbian::lab::data::Labeled;
use faer::{Mat, Side};

use super::vectors::{cosines, powers, row_cosines};
use crate::lesson::all;

/// The first `count` eigenvectors of `mean x xᵀ`, `[count, fan-in]`, largest variance first.
pub(crate) fn components(images: &Labeled, count: usize) -> Result<Tensor<2>> {
    let n = images.image_len();
    let x: Tensor<2> = all(images).flatten(1, 3);
    let moments: Vec<f32> = x.clone().transpose().matmul(x).into_data().iter().collect();
    let matrix = Mat::from_fn(n, n, |row, column| f64::from(moments[row * n + column]));
    let eigen = matrix.self_adjoint_eigen(Side::Lower).map_err(|error| anyhow!("{error:?}"))?;
    // variances come in rising order
    let values = (0..count * n).map(|i| eigen.U()[(i % n, n - 1 - i / n)] as f32).collect::<Vec<_>>();
    Ok(Tensor::from_data(TensorData::new(values, [count, n]), &Device::flex()))
}

/// The angle in degrees between each vector and the component of its row, sign aside.
pub(crate) fn angles(vectors: Tensor<2>, components: Tensor<2>) -> Tensor<1> {
    row_cosines(vectors, components).abs().clamp_max(1.0).acos().mul_scalar(180.0 / core::f64::consts::PI)
}

/// The share of each vector's squared length that lies in the span of `components`.
pub(crate) fn share_inside(vectors: Tensor<2>, components: Tensor<2>) -> Tensor<1> {
    powers(cosines(vectors, components), 2.0)
}
