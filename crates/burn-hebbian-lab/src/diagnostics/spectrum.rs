//! How many directions a matrix uses: spectra and their effective sizes.

use burn::tensor::Tensor;
use faer::{Mat, Side};

/// A matrix without a decomposition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpectrumError {
    /// It holds values that are not finite.
    #[error("spectrum: {bad} values of a [{rows}, {columns}] matrix are not finite")]
    NotFinite {
        /// How many.
        bad: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// The iteration did not converge.
    #[error("spectrum: the decomposition of a [{rows}, {columns}] matrix did not converge")]
    NoConvergence {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
}

/// The singular values of a matrix, the largest first.
///
/// # Errors
///
/// If it holds values that are not finite.
pub fn singular_values(matrix: Tensor<2>) -> Result<Vec<f64>, SpectrumError> {
    let matrix = on_host(matrix)?;
    matrix.singular_values().map_err(|_| no_convergence(&matrix))
}

/// The covariance of samples `[n, k]`, `E[(y − ȳ)(y − ȳ)ᵀ]`, `[k, k]`.
///
/// # Panics
///
/// If there is no sample.
pub fn covariance(samples: Tensor<2>) -> Tensor<2> {
    let [n, k] = samples.dims();
    assert!(n > 0, "covariance: at least 1 sample is needed, got [{n}, {k}]");
    let centered = samples.clone() - samples.mean_dim(0);
    centered.clone().transpose().matmul(centered).div_scalar(n as f64)
}

/// The eigenvalues of a symmetric matrix without negative ones, such as a [`covariance`], the largest first.
///
/// # Errors
///
/// If it holds values that are not finite.
pub fn eigenvalues(matrix: Tensor<2>) -> Result<Vec<f64>, SpectrumError> {
    let matrix = on_host(matrix)?;
    let ascending = matrix.self_adjoint_eigenvalues(Side::Lower).map_err(|_| no_convergence(&matrix))?;
    // clamp: rounding leaves eigenvalues just below 0
    Ok(ascending.into_iter().rev().map(|value| value.max(0.0)).collect())
}

/// The effective rank of a spectrum of singular values, `exp(H)` with `H = −Σ p_i log p_i` and `p_i = σ_i / Σ σ`: 1 if one
/// value is all there is, `n` if `n` are equal and the rest 0. An all-zero spectrum has rank 0.
///
/// The singular values of a covariance are its [`eigenvalues`].
///
/// Source: O. Roy and M. Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO (2007), definition 1.
pub fn effective_rank(singular_values: &[f64]) -> f64 {
    let total: f64 = singular_values.iter().sum();
    if total == 0.0 {
        return 0.0;
    }
    let shares = singular_values.iter().filter(|value| **value > 0.0).map(|value| value / total);
    shares.map(|share| -share * share.ln()).sum::<f64>().exp()
}

/// The participation ratio of a covariance's eigenvalues, `(Σ λ)² / Σ λ²`: the number of equal eigenvalues that would
/// spread the variance alike. Less than the effective rank where a few dominate; 0 if all are 0.
///
/// Source: P. Gao, E. Trautmann, B. Yu, G. Santhanam, S. Ryu, K. Shenoy and S. Ganguli, "A theory of multineuronal
/// dimensionality, dynamics and measurement", bioRxiv (2017), doi:10.1101/214262.
pub fn participation_ratio(eigenvalues: &[f64]) -> f64 {
    let (sum, squares) =
        eigenvalues.iter().fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
    if squares == 0.0 { 0.0 } else { sum * sum / squares }
}

/// The matrix in double precision.
pub(super) fn on_host(matrix: Tensor<2>) -> Result<Mat<f64>, SpectrumError> {
    let [rows, columns] = matrix.dims();
    let values: Vec<f64> = matrix.into_data().iter().collect();
    let bad = values.iter().filter(|value| !value.is_finite()).count();
    if bad > 0 {
        return Err(SpectrumError::NotFinite { bad, rows, columns });
    }
    Ok(Mat::from_fn(rows, columns, |row, column| values[row * columns + column]))
}

pub(super) fn no_convergence(matrix: &Mat<f64>) -> SpectrumError {
    SpectrumError::NoConvergence { rows: matrix.nrows(), columns: matrix.ncols() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const TOLERANCE: f64 = 1e-6;

    fn assert_close(values: &[f64], expected: &[f64]) {
        let near = |(value, expected): (&f64, &f64)| (value - expected).abs() < TOLERANCE;
        assert!(values.len() == expected.len() && values.iter().zip(expected).all(near), "{values:?}");
    }

    #[test]
    fn equal_values_count_fully() {
        let identity = eigenvalues(Tensor::eye(5, &Device::flex())).unwrap();
        assert!((effective_rank(&identity) - 5.0).abs() < TOLERANCE);
        assert!((participation_ratio(&identity) - 5.0).abs() < TOLERANCE);
        assert!((effective_rank(&[2.0, 2.0, 0.0]) - 2.0).abs() < TOLERANCE);
        assert_eq!((effective_rank(&[0.0; 3]), participation_ratio(&[0.0; 3])), (0.0, 0.0));
    }

    /// With p = ¾, ¼: exp(H) = 4 / 3^¾; (3 + 1)² / (9 + 1).
    #[test]
    fn unequal_values_count_less() {
        assert!((effective_rank(&[3.0, 1.0]) - 4.0 / 3f64.powf(0.75)).abs() < TOLERANCE);
        assert!((participation_ratio(&[3.0, 1.0]) - 1.6).abs() < TOLERANCE);
    }

    /// `[[3, 0, 0], [0, 0, −2]]`.
    #[test]
    fn singular_values_are_sorted_and_positive() {
        let matrix = Tensor::<2>::from_data([[0.0, 0.0, -2.0], [3.0, 0.0, 0.0]], &Device::flex());
        assert_close(&singular_values(matrix).unwrap(), &[3.0, 2.0]);
    }

    /// Two columns that vary alike, about means of 10 and −3: variances 1, covariance 1, of which one direction.
    #[test]
    fn a_covariance_does_not_know_the_mean() {
        let samples = Tensor::<2>::from_data([[11.0, -2.0], [9.0, -4.0]], &Device::flex());
        let covariance = covariance(samples);
        assert_close(&covariance.clone().into_data().iter().collect::<Vec<f64>>(), &[1.0; 4]);
        assert_close(&eigenvalues(covariance).unwrap(), &[2.0, 0.0]);
    }

    #[test]
    fn what_is_not_finite_is_told() {
        let matrix = Tensor::<2>::from_data([[1.0, f32::NAN, f32::INFINITY]], &Device::flex());
        let error = singular_values(matrix).unwrap_err();
        assert_eq!(error.to_string(), "spectrum: 2 values of a [1, 3] matrix are not finite");
    }
}
