//! Principal components by an eigendecomposition.

use crate::diagnostics::covariance;
use anyhow::{Context, Result};
use burn::tensor::{Tensor, TensorData};
use faer::{Mat, Side};

/// Variances below this share of the largest are what rounding leaves of directions without any.
const RANK_TOLERANCE: f64 = 1e-6;

/// The principal components of samples.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    /// The mean sample, `[1, values]`.
    mean: Tensor<2>,
    /// Unit vectors as rows, largest variance first: `[values, values]`.
    components: Tensor<2>,
    /// The variance along each.
    variances: Vec<f64>,
}

impl Principal {
    /// Of samples `[n, values]`.
    pub(super) fn of(samples: Tensor<2>) -> Result<Self> {
        let (mean, device) = (samples.clone().mean_dim(0), samples.device());
        let [_, n] = samples.dims();
        let covariance: Vec<f64> = covariance(samples).into_data().iter().collect();
        let matrix = Mat::from_fn(n, n, |row, column| covariance[row * n + column]);
        let eigen = matrix.self_adjoint_eigen(Side::Lower).ok().context("samples without components")?;
        // ascending eigenvalues
        let values: Vec<f32> = (0..n * n).map(|at| eigen.U()[(at % n, n - 1 - at / n)] as f32).collect();
        let components = Tensor::from_data(TensorData::new(values, [n, n]), &device);
        // clamp: rounding leaves variances just below 0 where the samples have none
        let variances = eigen.S().column_vector().iter().rev().map(|value| value.max(0.0)).collect();
        Ok(Self { mean, components, variances })
    }

    /// The first `count`, `[count, values]`.
    pub(super) fn first(&self, count: usize) -> Tensor<2> {
        self.components.clone().narrow(0, 0, count)
    }

    /// All of them, `[values, values]`.
    pub(super) fn all(&self) -> Tensor<2> {
        self.components.clone()
    }

    /// The shares of the variance.
    pub(super) fn shares(&self) -> Vec<f64> {
        let total: f64 = self.variances.iter().sum();
        self.variances.iter().map(|variance| variance / total).collect()
    }

    /// The number of directions in which there is variance.
    pub(super) fn rank(&self) -> usize {
        let least = self.variances.first().map_or(0.0, |largest| largest * RANK_TOLERANCE);
        self.variances.iter().filter(|variance| **variance > least).count()
    }

    /// Samples about the mean, scaled so that the first component has variance 1.
    pub(super) fn scaled(&self, samples: Tensor<2>) -> Tensor<2> {
        // clamp: samples that are all alike have nothing to scale
        let deviation = self.variances.first().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE).sqrt();
        (samples - self.mean.clone()).div_scalar(deviation)
    }

    /// Samples as their first `count` components, each of variance 1: `[n, values]` → `[n, count]`; `count` at most the
    /// [rank](Self::rank).
    pub(super) fn whitened(&self, samples: Tensor<2>, count: usize) -> Tensor<2> {
        let deviations: Vec<f32> = self.variances[..count].iter().map(|value| value.sqrt() as f32).collect();
        let deviations = Tensor::<2>::from_data(TensorData::new(deviations, [1, count]), &samples.device());
        (samples - self.mean.clone()).matmul(self.first(count).transpose()) / deviations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// (5, 7) ± 2 (0.6, 0.8) ± 1 (−0.8, 0.6) in all combinations.
    fn samples() -> Tensor<2> {
        let at = |a: f32, b: f32| [5.0 + 1.2 * a - 0.8 * b, 7.0 + 1.6 * a + 0.6 * b];
        let corners = [at(1.0, 1.0), at(1.0, -1.0), at(-1.0, 1.0), at(-1.0, -1.0)];
        Tensor::from_data(corners, &Device::flex())
    }

    fn values(tensor: Tensor<2>) -> Vec<f64> {
        tensor.into_data().iter().collect()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        let near = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-5;
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?}");
    }

    #[test]
    fn largest_variance_first() {
        let principal = Principal::of(samples()).unwrap();
        assert_close(&principal.shares(), &[0.8, 0.2]);
        assert_close(&values(principal.first(1).abs()), &[0.6, 0.8]);
        assert_eq!(principal.rank(), 2);
    }

    #[test]
    fn whitened_samples_have_variance_one() {
        let principal = Principal::of(samples()).unwrap();
        assert_close(&values(covariance(principal.whitened(samples(), 2))), &[1.0, 0.0, 0.0, 1.0]);
        let scaled = Principal::of(principal.scaled(samples())).unwrap();
        assert_close(&scaled.variances, &[1.0, 0.25]);
        assert_close(&values(scaled.mean), &[0.0, 0.0]);
    }

    #[test]
    fn what_does_not_vary_has_no_rank() {
        let flat = samples() * Tensor::<2>::from_data([[1.0, 0.0]], &Device::flex());
        assert_eq!(Principal::of(flat).unwrap().rank(), 1);
    }
}
