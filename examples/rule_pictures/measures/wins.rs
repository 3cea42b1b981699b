//! Who wins: of coefficients `[patches, neurons]` that are above 0 for winners.

use burn::tensor::Tensor;

/// Wins of each neuron.
pub(crate) fn counts(coefficients: Tensor<2>) -> Vec<f64> {
    let wins: Tensor<1> = coefficients.greater_elem(0.0).float().sum_dim(0).squeeze_dim(0);
    wins.into_data().iter::<f32>().map(f64::from).collect()
}

/// Number of neurons that won at least once.
pub(crate) fn used(counts: &[f64]) -> usize {
    counts.iter().filter(|count| **count > 0.0).count()
}

/// The entropy of the wins over that of equal ones: 1 if all neurons win alike, 0 if one wins all.
pub(crate) fn evenness(counts: &[f64]) -> f64 {
    // clamp: without a win there are no shares.
    let total = counts.iter().sum::<f64>().max(1.0);
    let shares = counts.iter().map(|count| count / total).filter(|share| *share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f64>() / (counts.len() as f64).ln()
}
