//! The lengths of weight vectors, and how far they moved.

use burn::tensor::Tensor;

/// The lengths of a layer's weight vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norms {
    /// Their mean.
    pub mean: f64,
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
}

/// `‖w_k‖` of every neuron, `weight: [k, f]`, in the order of the neurons.
pub fn lengths(weight: Tensor<2>) -> Vec<f64> {
    let squares = weight.clone() * weight;
    let lengths = squares.sum_dim(1).sqrt(); // [k, f] -> [k, 1]
    lengths.into_data().iter().collect()
}

/// Mean, least and largest `‖w_k‖`, `weight: [k, f]`.
///
/// # Panics
///
/// If there is no neuron.
pub fn norms(weight: Tensor<2>) -> Norms {
    let lengths = lengths(weight);
    assert!(!lengths.is_empty(), "norms: a layer has at least 1 neuron, got 0");
    Norms {
        mean: mean(&lengths),
        min: lengths.iter().copied().fold(f64::INFINITY, f64::min),
        max: lengths.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// How far the weight vectors are from length 1, `mean_k |‖w_k‖ − 1|`; 0 once all of them have converged. `weight: [k, f]`.
///
/// What rules with Oja's decay converge to are unit vectors (in the norm of the rule). In the source each neuron's rate falls
/// with its own distance.
///
/// Source: A. Journé, H. Garcia Rodriguez, Q. Guo and T. Moraitis, "Hebbian deep learning without feedback", ICLR (2023),
/// arXiv:2209.11883.
///
/// # Panics
///
/// If there is no neuron.
pub fn unit_distance(weight: Tensor<2>) -> f64 {
    let lengths = lengths(weight);
    assert!(!lengths.is_empty(), "unit distance: a layer has at least 1 neuron, got 0");
    mean(&lengths.iter().map(|length| (length - 1.0).abs()).collect::<Vec<_>>())
}

/// How far a step moved a weight for its size, `‖W' − W‖ / ‖W‖` (Frobenius norms), both `[k, f]`.
///
/// Infinite for a weight that was zero and moved, 0 for one that did not move.
///
/// # Panics
///
/// If the shapes differ.
pub fn update_ratio(before: Tensor<2>, after: Tensor<2>) -> f64 {
    let (was, is) = (before.dims(), after.dims());
    assert!(was == is, "update ratio: the weight was {was:?} before and is {is:?} after");
    let moved = frobenius(after - before.clone());
    if moved == 0.0 { 0.0 } else { moved / frobenius(before) }
}

fn frobenius(matrix: Tensor<2>) -> f64 {
    (matrix.clone() * matrix).sum().sqrt().into_scalar()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// `f32` in, some roundings.
    const TOLERANCE: f64 = 1e-6;

    /// Lengths 5, 1 and 0.
    fn weight() -> Tensor<2> {
        Tensor::from_data([[3.0, 4.0], [0.0, -1.0], [0.0, 0.0]], &Device::flex())
    }

    #[test]
    fn lengths_are_those_of_rows() {
        assert_eq!(lengths(weight()), [5.0, 1.0, 0.0]);
        assert_eq!(norms(weight()), Norms { mean: 2.0, min: 0.0, max: 5.0 });
    }

    #[test]
    fn units_are_at_distance_0() {
        assert!((unit_distance(weight()) - (4.0 + 0.0 + 1.0) / 3.0).abs() < TOLERANCE);
        let units = Tensor::<2>::from_data([[0.6, 0.8], [0.0, -1.0]], &Device::flex());
        assert!(unit_distance(units) < TOLERANCE);
    }

    #[test]
    fn the_update_is_measured_by_the_weight_before() {
        let before = weight(); // ‖W‖² = 26
        assert!((update_ratio(before.clone(), before.clone() * 1.5) - 0.5).abs() < TOLERANCE);
        assert_eq!(update_ratio(before.clone(), before), 0.0);
        let zero = Tensor::<2>::zeros([3, 2], &Device::flex());
        assert_eq!(update_ratio(zero.clone(), zero.clone()), 0.0);
        assert_eq!(update_ratio(zero, weight()), f64::INFINITY);
    }

    #[test]
    #[should_panic(expected = "update ratio: the weight was [3, 2] before and is [1, 2] after")]
    fn shapes_must_fit() {
        update_ratio(weight(), weight().narrow(0, 0, 1));
    }
}
