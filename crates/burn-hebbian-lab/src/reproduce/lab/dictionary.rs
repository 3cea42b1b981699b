//! Weights made of patches: what a layer can see without having learned.

use anyhow::{Context, Result};
use burn::{
    linalg::vector_normalize,
    tensor::{Device, Distribution, Tensor, TensorData},
};
use faer::{Mat, Side};

/// Rounds of k-means.
const ROUNDS: usize = 20;

/// Clamp: a patch of one color has no direction.
const MIN_NORM: f32 = 1e-6;

/// Centers of spherical k-means on rows of norm 1, begun at the first ones; a center without rows stays where it is.
pub(super) fn k_means(rows: &Tensor<2>, centers: usize) -> Tensor<2> {
    let mut center = rows.clone().narrow(0, 0, centers);
    for _ in 0..ROUNDS {
        let nearest = rows.clone().matmul(center.clone().transpose()).argmax(1); // [n, 1]
        let members = nearest.squeeze_dim::<1>(1).one_hot::<2>(centers).float(); // [n, centers]
        let sums = members.transpose().matmul(rows.clone());
        // a sum of 0 adds nothing to the old center
        center = unit(sums + center * MIN_NORM);
    }
    center
}

/// Principal components of rows, largest variance first, each with its negative beside it: outputs are rectified.
pub(super) fn components(rows: &Tensor<2>, filters: usize) -> Result<Tensor<2>> {
    let [count, fan_in] = rows.dims();
    let covariance = rows.clone().transpose().matmul(rows.clone()) / count as f64;
    let covariance: Vec<f32> = covariance.into_data().iter().collect();
    let matrix = Mat::from_fn(fan_in, fan_in, |row, column| f64::from(covariance[row * fan_in + column]));
    let eigen =
        matrix.self_adjoint_eigen(Side::Lower).ok().context("no eigendecomposition of the patches")?;
    // ascending eigenvalues
    let value = |filter: usize, tap: usize| {
        let sign = if filter.is_multiple_of(2) { 1.0 } else { -1.0 };
        (sign * eigen.U()[(tap, fan_in - 1 - filter / 2)]) as f32
    };
    let values: Vec<f32> = (0..filters * fan_in).map(|index| value(index / fan_in, index % fan_in)).collect();
    Ok(Tensor::from_data(TensorData::new(values, [filters, fan_in]), &rows.device()))
}

/// Rows of mean 0 and norm 1, drawn from a normal distribution.
pub(super) fn centered(dims: [usize; 2], seed: u64) -> Tensor<2> {
    let device = Device::flex();
    device.seed(seed);
    let rows = Tensor::random(dims, Distribution::Normal(0.0, 1.0), &device);
    unit(rows.clone() - rows.mean_dim(1))
}

/// Rows of norm 1.
pub(super) fn unit(rows: Tensor<2>) -> Tensor<2> {
    of_length_one(rows, 2.0)
}

/// Rows `w` with `Σ |w|^exponent = 1`.
pub(super) fn of_length_one(rows: Tensor<2>, exponent: f64) -> Tensor<2> {
    vector_normalize(rows, exponent, 1, MIN_NORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[[f32; 3]]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.concat(), [values.len(), 3]), &Device::flex())
    }

    fn values(rows: Tensor<2>) -> Vec<f32> {
        rows.into_data().iter().collect()
    }

    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    }

    #[test]
    fn drawn_rows_have_a_mean_of_0_and_length_1() {
        let rows = centered([4, 25], 7);
        close(&values(rows.clone().sum_dim(1)), &[0.0; 4]);
        close(&values(rows.square().sum_dim(1)), &[1.0; 4]);
        assert_ne!(values(centered([4, 25], 7)), values(centered([4, 25], 8)));
    }

    /// Two bundles of directions; both centers begin in the first.
    #[test]
    fn centers_are_the_means_of_their_bundles() {
        let rows =
            rows(&[[0.8, 0.6, 0.0], [1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, 0.8, 0.6], [0.96, 0.28, 0.0]]);
        let half = 0.5f32.sqrt();
        let [x, y] = [0.8 + 1.0 + 0.96, 0.6 + 0.28];
        let norm = f32::hypot(x, y);
        close(&values(k_means(&rows, 2)), &[0.0, half, half, x / norm, y / norm, 0.0]);
    }

    #[test]
    fn a_center_without_rows_stays() {
        let rows = rows(&[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        close(&values(k_means(&rows.clone(), 2).narrow(0, 1, 1)), &[1.0, 0.0, 0.0]);
        assert!(k_means(&rows, 2).into_data().iter::<f32>().all(f32::is_finite));
    }

    /// Points on two axes that stand at right angles, the second of them longer.
    #[test]
    fn components_are_the_axes_with_their_negatives() {
        let rows = rows(&[[0.6, 0.8, 0.0], [-0.6, -0.8, 0.0], [1.6, -1.2, 0.0], [-1.6, 1.2, 0.0]]);
        let found = values(components(&rows, 4).unwrap());
        let sign = |at: usize| found[at].signum();
        let [first, second] = [sign(0), sign(6)];
        let expected = [[0.8, -0.6, 0.0], [-0.8, 0.6, 0.0]].concat().into_iter().map(|value| first * value);
        let others = [[0.6, 0.8, 0.0], [-0.6, -0.8, 0.0]].concat().into_iter().map(|value| second * value);
        close(&found, &expected.chain(others).collect::<Vec<f32>>());
    }

    /// 3⁵ + 3⁵ = 486.
    #[test]
    fn rows_have_length_one_in_other_norms() {
        let expected = 3.0 / 486f32.powf(0.2);
        close(&values(of_length_one(rows(&[[3.0, -3.0, 0.0]]), 5.0)), &[expected, -expected, 0.0]);
    }

    #[test]
    fn a_row_without_direction_stays_zero() {
        close(&values(unit(rows(&[[0.0; 3], [0.0, 3.0, 4.0]]))), &[0.0, 0.0, 0.0, 0.0, 0.6, 0.8]);
    }
}
