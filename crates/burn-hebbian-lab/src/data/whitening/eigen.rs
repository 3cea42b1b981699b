//! A covariance and its eigenvectors.

use burn::tensor::{Device, Tensor, TensorData};
use faer::{Mat, Side};

/// Mean and covariance of rows.
pub(super) struct Moments {
    /// `[1, values]`.
    pub(super) mean: Tensor<2>,
    /// Row by row.
    pub(super) covariance: Vec<f32>,
}

impl Moments {
    /// The moments of all rows in `chunks`, each `[rows, values]`.
    pub(super) fn of(values: usize, chunks: impl Iterator<Item = Tensor<2>>, device: &Device) -> Self {
        let mut products = Tensor::<2>::zeros([values, values], device);
        let mut sum = Tensor::<2>::zeros([1, values], device);
        let mut rows = 0;
        for x in chunks {
            rows += x.dims()[0];
            sum = sum + x.clone().sum_dim(0);
            products = products + x.clone().transpose().matmul(x);
        }
        let count = rows as f64;
        // clamp: no rows have no mean, one row no covariance.
        let mean = sum.clone().div_scalar(count.max(1.0));
        let covariance = (products - sum.transpose().matmul(mean.clone())).div_scalar((count - 1.0).max(1.0));
        Self { mean, covariance: covariance.into_data().iter().collect() }
    }
}

/// A covariance, decomposed once for any smoothing.
#[derive(Debug, Clone)]
pub(super) struct Eigen {
    /// `[1, values]`.
    pub(super) mean: Tensor<2>,
    /// Eigenvectors as columns, `[values, values]`.
    vectors: Tensor<2>,
    /// The variance along each.
    variances: Vec<f64>,
    /// The largest variance, or square of a mean: what it is the difference of was rounded to `f32`.
    largest: f64,
}

impl Eigen {
    /// The decomposition, if there is one.
    pub(super) fn of(Moments { mean, covariance }: Moments) -> Option<Self> {
        if covariance.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let n = mean.dims()[1];
        let matrix = Mat::from_fn(n, n, |row, column| f64::from(covariance[row * n + column]));
        let eigen = matrix.self_adjoint_eigen(Side::Lower).ok()?;
        let variances: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let squares = mean.clone().square().max().into_scalar::<f64>();
        let vectors: Vec<f32> = (0..n * n).map(|index| eigen.U()[(index / n, index % n)] as f32).collect();
        Some(Self {
            vectors: Tensor::from_data(TensorData::new(vectors, [n, n]), &mean.device()),
            mean,
            largest: variances.iter().copied().fold(squares, f64::max),
            variances,
        })
    }

    /// `U (S + ε)^(−1/2) Uᵀ`; 0 along directions without variance, where `ε` is too small to stand in for it.
    ///
    /// # Panics
    ///
    /// If `ε` is negative or not finite.
    pub(super) fn whitener(&self, smoothing: f64) -> Tensor<2> {
        assert!(
            (0.0..f64::INFINITY).contains(&smoothing),
            "whitening: smoothing {smoothing}, expected 0 or more"
        );
        let smooth = smoothing > f64::from(f32::EPSILON) * self.largest;
        let scale = |variance: &f64| match smooth || *variance > self.rounding() {
            // clamp: rounding leaves variances just below 0 where the rows have none.
            true => (variance.max(0.0) + smoothing).sqrt().recip() as f32,
            // the pseudo-inverse: what was rounded would be blown up, or divided by 0
            false => 0.0,
        };
        let scales: Vec<f32> = self.variances.iter().map(scale).collect();
        let n = scales.len();
        let scales = Tensor::<2>::from_data(TensorData::new(scales, [1, n]), &self.vectors.device());
        (self.vectors.clone() * scales).matmul(self.vectors.clone().transpose())
    }

    /// Directions of variance.
    pub(super) fn rank(&self) -> usize {
        self.variances.iter().filter(|variance| **variance > self.rounding()).count()
    }

    /// What rounding to `f32` makes of a variance of 0, an eigenvalue of so many rounded rows.
    fn rounding(&self) -> f64 {
        (self.variances.len() as f64).sqrt() * f64::from(f32::EPSILON) * self.largest
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Whether a covariance is the identity to the rounding of f32 sums.
    pub(in super::super) fn assert_identity(covariance: &[f32], tolerance: f32) {
        let n = covariance.len().isqrt();
        for (index, value) in covariance.iter().enumerate() {
            let expected = if index % (n + 1) == 0 { 1.0 } else { 0.0 };
            assert!((value - expected).abs() < tolerance, "{index}: {value}");
        }
    }

    /// Rows (±1, ±2, …) in all combinations are uncorrelated: variances 4/3 · (1, 4) of four rows.
    #[test]
    fn moments_of_uneven_chunks() {
        let device = Device::flex();
        let chunks = [
            Tensor::<2>::from_floats([[2.0, 1.0], [0.0, 1.0], [2.0, 5.0]], &device),
            Tensor::<2>::from_floats([[0.0, 5.0]], &device),
        ];
        let Moments { mean, covariance } = Moments::of(2, chunks.into_iter(), &device);
        assert_eq!(mean.into_data().iter::<f32>().collect::<Vec<_>>(), [1.0, 3.0]);
        let expected = [4.0 / 3.0, 0.0, 0.0, 16.0 / 3.0];
        for (value, expected) in covariance.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-5, "{covariance:?}");
        }
    }

    #[test]
    fn a_whitener_divides_by_deviations() {
        let mean = Tensor::<2>::zeros([1, 2], &Device::flex());
        let eigen = Eigen::of(Moments { mean, covariance: vec![3.0, 0.0, 0.0, 8.0] }).unwrap();
        let values: Vec<f32> = eigen.whitener(1.0).into_data().iter().collect();
        let expected = [0.5, 0.0, 0.0, 1.0 / 3.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{values:?}");
        }
    }

    fn whitener(variances: [f32; 2], smoothing: f64) -> Vec<f32> {
        let mean = Tensor::<2>::zeros([1, 2], &Device::flex());
        let covariance = vec![variances[0], 0.0, 0.0, variances[1]];
        Eigen::of(Moments { mean, covariance }).unwrap().whitener(smoothing).into_data().iter().collect()
    }

    #[test]
    fn directions_without_variance_are_left_out_where_nothing_smooths_them() {
        for nothing in [0.0, 1e-9, -1e-9] {
            for smoothing in [0.0, 1e-300, 1e-9] {
                assert_eq!(whitener([4.0, nothing], smoothing)[3], 0.0, "{nothing}, smoothing {smoothing}");
            }
            assert!((whitener([4.0, nothing], 0.01)[3] - 10.0).abs() < 1e-4, "as by the formula");
        }
        assert_eq!(whitener([0.0; 2], 0.0), [0.0; 4], "blank rows");
        assert!((whitener([4.0, 1e-4], 0.0)[3] - 100.0).abs() < 1e-2, "little is not nothing");
    }

    #[test]
    #[should_panic(expected = "whitening: smoothing -0.1, expected 0 or more")]
    fn negative_smoothing_is_refused() {
        whitener([4.0, 1.0], -0.1);
    }

    #[test]
    fn nothing_finite_has_no_decomposition() {
        let mean = Tensor::<2>::zeros([1, 1], &Device::flex());
        assert!(Eigen::of(Moments { mean, covariance: vec![f32::NAN] }).is_none());
    }
}
