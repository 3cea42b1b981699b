//! The normal equations of ridge regression.

use faer::{Mat, Side, prelude::Solve};

use super::products::Centered;
use crate::evaluation::EvaluationError;

/// What is computed once for all penalties; of the two forms the smaller.
pub(super) enum System {
    /// `(XᵀX + λI) W = XᵀY`.
    Primal { gram: Mat<f64>, moments: Mat<f64> },
    /// `(XXᵀ + λI) A = Y`, `W = XᵀA`.
    Dual { kernel: Mat<f64>, targets: Mat<f64> },
}

impl System {
    /// `targets`: `[n, classes]`, centered.
    pub(super) fn new(features: &Centered<'_>, targets: Mat<f64>) -> Self {
        let [n, width] = features.size();
        if width <= n {
            Self::Primal { gram: features.gram(), moments: features.transposed_times(&targets) }
        } else {
            Self::Dual { kernel: features.kernel(), targets }
        }
    }

    /// `W`, `[values, classes]`.
    pub(super) fn solve(&self, penalty: f64, features: &Centered<'_>) -> Result<Mat<f64>, EvaluationError> {
        match self {
            Self::Primal { gram, moments } => solve(gram, penalty, moments),
            Self::Dual { kernel, targets } => {
                Ok(features.transposed_times(&solve(kernel, penalty, targets)?))
            }
        }
    }
}

/// `(matrix + penalty · I)⁻¹ right`, of the matrix's lower triangle.
fn solve(matrix: &Mat<f64>, penalty: f64, right: &Mat<f64>) -> Result<Mat<f64>, EvaluationError> {
    let size = matrix.nrows();
    let singular = EvaluationError::Singular { size, penalty };
    let mut shifted = matrix.clone();
    (0..size).for_each(|i| shifted[(i, i)] += penalty);
    let factors = shifted.llt(Side::Lower).map_err(|_| singular.clone())?;
    // The products are rounded to `f32`: a pivot below that is a zero.
    let largest = (0..size).map(|i| matrix[(i, i)]).fold(0.0, f64::max);
    let smallest = (0..size).map(|i| factors.L()[(i, i)].powi(2)).fold(f64::INFINITY, f64::min);
    if smallest <= f64::from(f32::EPSILON) * largest.max(f64::MIN_POSITIVE) {
        return Err(singular);
    }
    Ok(factors.solve(right))
}
