//! How far weight vectors point along components.

use burn::{linalg::vector_normalize, tensor::Tensor};

/// Clamp: an all-zero vector points nowhere.
const MIN_NORM: f32 = 1e-12;

/// `|cos|` of each row of one matrix with the row of the same number of the other, both `[k, values]`.
pub(super) fn alignments(weights: Tensor<2>, components: Tensor<2>) -> Vec<f64> {
    (unit(weights) * unit(components)).sum_dim(1).abs().into_data().iter().collect()
}

/// `|cos|` of each row of `[k, values]` with that of the components `[m, values]` which it is nearest to.
pub(super) fn nearest(weights: Tensor<2>, components: Tensor<2>) -> Vec<f64> {
    unit(weights).matmul(unit(components).transpose()).abs().max_dim(1).into_data().iter().collect()
}

/// Rows of norm 1.
fn unit(rows: Tensor<2>) -> Tensor<2> {
    vector_normalize(rows, 2.0, 1, MIN_NORM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn rows_are_compared_one_by_one_whatever_their_length_and_sign() {
        let device = Device::flex();
        let weights = Tensor::<2>::from_data([[0.0, -5.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0]], &device);
        let components = Tensor::<2>::from_data([[0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0]], &device);
        let found = alignments(weights, components);
        assert_close(&found, &[1.0, 0.8, 0.0]);
    }

    #[test]
    fn the_nearest_component_may_be_anyones() {
        let device = Device::flex();
        let weights = Tensor::<2>::from_data([[0.0, -5.0, 0.0], [3.0, 4.0, 0.0]], &device);
        let components = Tensor::<2>::from_data([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 3.0, 0.0]], &device);
        assert_close(&nearest(weights, components), &[1.0, 0.8]);
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        let near = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-6;
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?}");
    }
}
