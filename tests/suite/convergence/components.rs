//! Principal components.

use burn::tensor::{Device, Tensor, TensorData};
use burn_hebbian::{prelude::*, rules::Activation};
use burn_hebbian_tests::values::{numbers, tensor};
use libtest_mimic::Trial;

use super::{dot, norm, train};
use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("convergence::oja_finds_the_first_component_at_unit_norm", oja),
        on_flex("convergence::sanger_finds_the_components_in_order", sanger),
        on_flex("convergence::sanger_finds_the_vectors_of_an_svd", sanger_on_correlated_inputs),
        on_flex("convergence::subspace_spans_the_components", subspace),
    ]
}

/// Dimension of the data.
const D: usize = 8;
/// Singular values over √n; the squares are the eigenvalues of the covariance.
const SIGMA: [f64; D] = [2.0, 1.5, 1.1, 0.8, 0.5, 0.3, 0.2, 0.1];

/// Entry of the Hadamard matrix: columns are orthogonal, entries ±1.
fn hadamard(i: usize, j: usize) -> f64 {
    if (i & j).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// The `j`-th right singular vector.
fn component(j: usize) -> Vec<f64> {
    (0..D).map(|f| hadamard(f, j) / (D as f64).sqrt()).collect()
}

/// 64 points whose SVD is known by construction: `X = U Σ Vᵀ`, `U` and `V` from Hadamard matrices.
fn data(device: &Device) -> Tensor<2> {
    let value =
        |i: usize, f: usize| (0..D).map(|j| hadamard(i, j + 1) * SIGMA[j] * component(j)[f]).sum::<f64>();
    let values: Vec<f32> = (0..64).flat_map(|i| (0..D).map(move |f| value(i, f) as f32)).collect();
    Tensor::from_data(TensorData::new(values, [64, D]), device)
}

/// The weight vectors of `neurons` neurons after `steps` full-batch steps.
fn converge(rule: Rule, neurons: usize, rate: f64, steps: usize, device: &Device) -> Vec<Vec<f64>> {
    let weight = tensor(7, [D, neurons], device).mul_scalar(0.3);
    let x = data(device);
    train(weight, rule, |_| rate, steps, |_| x.clone())
}

/// Degrees between two directions, signs aside.
fn angle(a: &[f64], b: &[f64]) -> f64 {
    let cosine = dot(a, b).abs() / (dot(a, a) * dot(b, b)).sqrt();
    cosine.min(1.0).acos().to_degrees()
}

/// 200 points of correlated inputs, and the right singular vectors that a library finds.
fn correlated(device: &Device) -> (Tensor<2>, Vec<Vec<f64>>) {
    let (points, mixing) = (numbers(71, 200 * D), numbers(72, D * D));
    let value = |i: usize, f: usize| {
        (0..D)
            .map(|j| f64::from(points[i * D + j]) * 2.0 * SIGMA[j] * f64::from(mixing[j * D + f]))
            .sum::<f64>()
    };
    let values: Vec<f32> =
        (0..200).flat_map(|i| (0..D).map(move |f| (i, f))).map(|(i, f)| value(i, f) as f32).collect();
    let matrix = faer::Mat::from_fn(200, D, |i, f| f64::from(values[i * D + f]));
    let svd = matrix.thin_svd().expect("finite values have singular values");
    let vectors = (0..4).map(|j| (0..D).map(|f| svd.V()[(f, j)]).collect()).collect();
    (Tensor::from_data(TensorData::new(values, [200, D]), device), vectors)
}

/// In order, within 2 degrees of an SVD.
fn sanger_on_correlated_inputs(device: &Device) {
    let (x, vectors) = correlated(device);
    let start = tensor(7, [D, 4], device).mul_scalar(0.3);
    let rate = |step: usize| 0.03 / (1.0 + step as f64 / 500.0);
    let weights = train(start, Rule::sanger(), rate, 3000, |_| x.clone());
    for (j, (w, vector)) in weights.iter().zip(&vectors).enumerate() {
        assert!(angle(w, vector) < 2.0, "{} degrees off singular vector {j}", angle(w, vector));
    }
}

fn oja(device: &Device) {
    for w in converge(Rule::oja(), 3, 0.05, 600, device) {
        assert!(
            angle(&w, &component(0)) < 0.1,
            "{} degrees off the first component",
            angle(&w, &component(0))
        );
        assert!((norm(&w) - 1.0).abs() < 1e-3, "norm {}", norm(&w));
    }
}

fn sanger(device: &Device) {
    let weights = converge(Rule::hpca(Activation::Linear), 4, 0.3, 3000, device);
    for (j, w) in weights.iter().enumerate() {
        assert!(angle(w, &component(j)) < 0.5, "{} degrees off component {j}", angle(w, &component(j)));
        assert!((norm(w) - 1.0).abs() < 1e-2, "norm {} of component {j}", norm(w));
    }
}

/// Orthonormal weights without a part outside the first four components.
fn subspace(device: &Device) {
    let weights = converge(Rule::subspace(), 4, 0.05, 3000, device);
    for (j, w) in weights.iter().enumerate() {
        let inside: f64 = (0..4).map(|c| dot(w, &component(c)).powi(2)).sum();
        assert!((inside / dot(w, w) - 1.0).abs() < 1e-3, "{inside} of {} inside", dot(w, w));
        for other in &weights[..j] {
            assert!(angle(w, other) > 89.0, "{} degrees between weight vectors", angle(w, other));
        }
    }
}
