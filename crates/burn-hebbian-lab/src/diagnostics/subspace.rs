//! The angle between what a layer looks at and where its inputs vary.

use burn::tensor::Tensor;
use faer::{Mat, Side};

use super::spectrum::{SpectrumError, covariance, no_convergence, on_host};

/// Singular values below this share of the largest one count as zero: what rounding leaves of dependent rows.
const RANK_TOLERANCE: f64 = 1e-6;

/// The angles between two subspaces, in radians, the largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Angles(Vec<f64>);

impl Angles {
    /// All of them, as many as the smaller subspace has dimensions.
    pub fn all(&self) -> &[f64] {
        &self.0
    }

    /// The largest, 0 if one subspace contains the other.
    pub fn largest(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        // clamp: a subspace without dimensions has no angles
        self.0.iter().sum::<f64>() / self.0.len().max(1) as f64
    }
}

/// The principal angles between the span of the weight vectors and the principal subspace of the inputs.
///
/// `weight: [k, f]`, `inputs: [n, f]`; the principal subspace is that of the `r` eigenvectors of the inputs' covariance with
/// the largest eigenvalues, `r` the dimensions that the weight vectors span. What Oja's subspace rule and Sanger's rule
/// converge to is at angle 0.
///
/// ```text
/// cos θ_i = σ_i(Qᵀ U),   sin θ_i = σ_i(Q − U Uᵀ Q)
/// ```
///
/// with orthonormal `Q` and `U`; small angles are taken from their sines, as cosines near 1 do not resolve them.
///
/// Source: Å. Björck and G. H. Golub, "Numerical methods for computing angles between linear subspaces", *Mathematics of
/// Computation* 27 (1973), doi:10.1090/S0025-5718-1973-0348991-3.
///
/// # Errors
///
/// If weight or inputs hold values that are not finite.
///
/// # Panics
///
/// If weight and inputs have rows of different lengths, or there are no inputs.
pub fn principal_angles(weight: Tensor<2>, inputs: Tensor<2>) -> Result<Angles, SpectrumError> {
    let ([_, f], [_, width]) = (weight.dims(), inputs.dims());
    assert!(f == width, "principal angles: weight vectors have {f} values, inputs {width}");
    let span = span(&on_host(weight)?)?;
    let principal = principal(&on_host(covariance(inputs))?, span.ncols())?;
    angles(&span, &principal)
}

/// An orthonormal basis of the rows, as columns: `[f, r]`.
fn span(weight: &Mat<f64>) -> Result<Mat<f64>, SpectrumError> {
    let svd = weight.thin_svd().map_err(|_| no_convergence(weight))?;
    let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let least = values.first().copied().unwrap_or(0.0) * RANK_TOLERANCE;
    let rank = values.iter().filter(|value| **value > least).count();
    Ok(svd.V().subcols(0, rank).to_owned())
}

/// The `r` eigenvectors with the largest eigenvalues, as columns: `[f, r]`.
fn principal(covariance: &Mat<f64>, r: usize) -> Result<Mat<f64>, SpectrumError> {
    let eigen = covariance.self_adjoint_eigen(Side::Lower).map_err(|_| no_convergence(covariance))?;
    // eigenvalues ascend
    Ok(eigen.U().subcols(covariance.ncols() - r, r).to_owned())
}

/// The angles between the spans of orthonormal columns.
fn angles(q: &Mat<f64>, u: &Mat<f64>) -> Result<Angles, SpectrumError> {
    let common = u.transpose() * q; // [r, r]
    let rest = q - u * &common; // [f, r]
    let cosines = common.singular_values().map_err(|_| no_convergence(&common))?;
    let sines = rest.singular_values().map_err(|_| no_convergence(&rest))?;
    // cosines descend as sines ascend
    let angle = |(sine, cosine): (&f64, &f64)| sine.atan2(*cosine);
    Ok(Angles(sines.iter().zip(cosines.iter().rev()).map(angle).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_6};

    const TOLERANCE: f64 = 1e-5;

    /// Inputs that vary most along x, less along y, little along z, about another mean than 0.
    fn inputs() -> Tensor<2> {
        let inputs = [[9.0, 0.0, 0.0], [-9.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, -3.0, 0.0], [0.0, 0.0, 1.0]];
        Tensor::<2>::from_data(inputs, &Device::flex())
            + Tensor::from_data([[5.0, 7.0, -2.0]], &Device::flex())
    }

    fn angles_of<const K: usize>(weight: [[f32; 3]; K]) -> Angles {
        principal_angles(Tensor::from_data(weight, &Device::flex()), inputs()).unwrap()
    }

    #[test]
    fn the_principal_subspace_is_at_angle_0_in_any_basis() {
        let angles = angles_of([[1.0, 1.0, 0.0], [-3.0, 0.5, 0.0]]);
        assert!(angles.all().len() == 2 && angles.largest() < TOLERANCE, "{angles:?}");
    }

    #[test]
    fn tilted_weights_are_at_their_tilt() {
        let (sine, cosine) = (0.5, 3f32.sqrt() / 2.0);
        let angles = angles_of([[1.0, 0.0, 0.0], [0.0, 2.0 * cosine, 2.0 * sine]]);
        assert!((angles.largest() - FRAC_PI_6).abs() < TOLERANCE, "{angles:?}");
        assert!((angles.mean() - FRAC_PI_6 / 2.0).abs() < TOLERANCE, "{angles:?}");
        assert!((angles_of([[0.0, 0.0, 4.0]]).largest() - FRAC_PI_2).abs() < TOLERANCE);
    }

    #[test]
    fn dependent_weights_span_less() {
        let angles = angles_of([[2.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
        assert!(angles.all().len() == 1 && angles.largest() < TOLERANCE, "{angles:?}");
        assert_eq!(angles_of([[0.0; 3]]).largest(), 0.0);
    }

    #[test]
    #[should_panic(expected = "principal angles: weight vectors have 2 values, inputs 3")]
    fn lengths_must_fit() {
        let _ = principal_angles(Tensor::zeros([1, 2], &Device::flex()), inputs());
    }
}
