//! Sparse answers, and filters that are small in space and in frequency.

use core::f64::consts::TAU;

use crate::diagnostics::participation_ratio;
use burn::tensor::Tensor;

/// Clamp: an answer that never changes has no shape.
const MIN_VARIANCE: f32 = 1e-12;

/// The excess kurtosis of each column of `[n, k]`, `⟨y⁴⟩ / ⟨y²⟩² − 3` about the mean: 0 for a Gaussian, above for what is
/// sparse.
pub(super) fn kurtosis(answers: Tensor<2>) -> Vec<f64> {
    let centered = answers.clone() - answers.mean_dim(0);
    let squares = centered.clone() * centered;
    let fourth = (squares.clone() * squares.clone()).mean_dim(0);
    let variance = squares.mean_dim(0).clamp_min(MIN_VARIANCE);
    (fourth / (variance.clone() * variance)).into_data().iter::<f64>().map(|ratio| ratio - 3.0).collect()
}

/// The share of its pixels that a filter uses, by the participation ratio of its squared weights: `(Σ w²)² / (f Σ w⁴)`.
///
/// 1 if all count alike, `1 / f` if one counts alone; of random weights a third.
pub(super) fn extent(filter: &[f64]) -> f64 {
    let squares: Vec<f64> = filter.iter().map(|weight| weight * weight).collect();
    participation_ratio(&squares) / filter.len() as f64
}

/// The same of its spatial frequencies, by its power spectrum. `filter` is planes of `side` rows; planes are averaged.
///
/// A grating uses next to none, a single pixel all; a Gabor function is small in both respects.
pub(super) fn bandwidth(filter: &[f64], side: usize) -> f64 {
    let planes = filter.chunks_exact(side * side);
    let count = planes.len() as f64;
    planes.map(|plane| share_of_frequencies(plane, side)).sum::<f64>() / count
}

fn share_of_frequencies(plane: &[f64], side: usize) -> f64 {
    let frequencies = (0..side * side).map(|at| power(plane, side, [at / side, at % side]));
    participation_ratio(&frequencies.collect::<Vec<_>>()) / plane.len() as f64
}

/// `|Σ w_yx exp(−2πi (v y + u x) / side)|²`.
fn power(plane: &[f64], side: usize, [v, u]: [usize; 2]) -> f64 {
    let turn = |at: usize| TAU * ((v * (at / side) + u * (at % side)) % side) as f64 / side as f64;
    let sum = |part: fn(f64) -> f64| plane.iter().enumerate().map(|(at, w)| w * part(turn(at))).sum::<f64>();
    sum(f64::cos).powi(2) + sum(f64::sin).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const SIDE: usize = 8;

    /// A value for every pixel, by row and column.
    fn filter(value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        (0..SIDE * SIDE).map(|at| value((at / SIDE) as f64, (at % SIDE) as f64)).collect()
    }

    /// 5 ± 1: ⟨y²⟩ = ⟨y⁴⟩ = 1. 3, −1, −1, −1: ⟨y²⟩ = 3, ⟨y⁴⟩ = 21. What is constant: ⟨y⁴⟩ = 0 over the clamp.
    #[test]
    fn kurtosis_by_hand() {
        let answers = [[6.0, 3.0, 5.0], [4.0, -1.0, 5.0], [6.0, -1.0, 5.0], [4.0, -1.0, 5.0]];
        let found = kurtosis(Tensor::from_data(answers, &Device::flex()));
        let near = |(found, expected): (&f64, f64)| (found - expected).abs() < 1e-5;
        assert!(found.iter().zip([-2.0, 21.0 / 9.0 - 3.0, -3.0]).all(near), "{found:?}");
    }

    #[test]
    fn a_pixel_is_small_in_space_alone() {
        let pixel = filter(|y, x| f64::from(y == 2.0 && x == 5.0));
        assert!((extent(&pixel) - 1.0 / 64.0).abs() < 1e-9);
        assert!((bandwidth(&pixel, SIDE) - 1.0).abs() < 1e-9);
    }

    /// cos² of a turn every 4 pixels is 1, 0, 1, 0: half of the pixels; two of 64 frequencies, ± one.
    #[test]
    fn a_grating_is_small_in_frequency_alone() {
        let grating = filter(|y, _| (TAU * y / 4.0).cos());
        assert!((extent(&grating) - 0.5).abs() < 1e-9);
        assert!((bandwidth(&grating, SIDE) - 2.0 / 64.0).abs() < 1e-9);
    }

    #[test]
    fn a_gabor_function_is_small_in_both() {
        let gabor = filter(|y, x| {
            let envelope = (-((y - 3.5).powi(2) + (x - 3.5).powi(2)) / 5.0).exp();
            envelope * (TAU * (x - 3.5) / 4.0).sin()
        });
        // by another program's Fourier transform
        assert!((extent(&gabor) - 0.245_225).abs() < 1e-6, "{}", extent(&gabor));
        assert!((bandwidth(&gabor, SIDE) - 0.115_602).abs() < 1e-6, "{}", bandwidth(&gabor, SIDE));
    }
}
