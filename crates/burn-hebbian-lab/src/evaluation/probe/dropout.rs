//! The features of a step, some of their values dropped.

use burn_hebbian_train::SplitMix;

use crate::data::Labeled;

/// Copies chosen features, each value dropped with the same probability.
///
/// ```text
/// x̃ = x · m / (1 − p),   m = 0 with probability p, else 1
/// ```
///
/// Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", *JMLR* 15
/// (2014), pages 1929–1958.
pub(super) struct Dropout {
    random: SplitMix,
    /// A value is dropped where 16 random bits are below it.
    threshold: u32,
    scale: f32,
}

impl Dropout {
    /// `probability` in `0..1`.
    pub(super) fn new(probability: f64, random: SplitMix) -> Self {
        let threshold = (probability * 65536.0).round() as u32;
        // As many are kept as the rounded probability says; clamp: at least one in 2¹⁶.
        let kept = 65536 - threshold.min(65535);
        Self { random, threshold: 65536 - kept, scale: 65536.0 / kept as f32 }
    }

    /// The chosen features one after the other.
    pub(super) fn gather(&mut self, features: &Labeled, chosen: &[usize]) -> Vec<f32> {
        let mut values = Vec::with_capacity(chosen.len() * features.image_len());
        for &index in chosen {
            let begin = values.len();
            values.extend_from_slice(features.image(index));
            if self.threshold > 0 {
                self.apply(&mut values[begin..]);
            }
        }
        values
    }

    fn apply(&mut self, values: &mut [f32]) {
        let mut drop = |values: &mut [f32]| {
            for (value, bits) in values.iter_mut().zip(quarters(self.random.next())) {
                *value *= if u32::from(bits) >= self.threshold { self.scale } else { 0.0 };
            }
        };
        // Chunks of a fixed length are unrolled.
        let (fours, rest) = values.as_chunks_mut::<4>();
        fours.iter_mut().for_each(|four| drop(four));
        drop(rest);
    }
}

fn quarters(bits: u64) -> [u16; 4] {
    [0, 16, 32, 48].map(|shift| (bits >> shift) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones() -> Labeled {
        let mut ones = Labeled::with_capacity([1, 1, 10_001], 2);
        ones.push(vec![1.0; 10_001], 0);
        ones.push(vec![2.0; 10_001], 0);
        ones
    }

    fn gather(probability: f64, seed: u64) -> Vec<f32> {
        Dropout::new(probability, SplitMix::new(seed).then(0)).gather(&ones(), &[1, 0, 1])
    }

    /// The share that is kept: 0.75 ± 5 deviations of 0.0025.
    #[test]
    fn keeps_the_sum_on_average() {
        let values = gather(0.25, 1);
        let kept = values.iter().filter(|value| **value != 0.0).count() as f32 / values.len() as f32;
        assert!((kept - 0.75).abs() < 0.0125, "{kept}");
        assert!(values[..10_001].iter().all(|value| *value == 0.0 || (value - 2.0 / 0.75).abs() < 1e-6));
    }

    #[test]
    fn without_dropout_features_are_copied() {
        assert_eq!(gather(0.0, 1), [ones().image(1), ones().image(0), ones().image(1)].concat());
    }

    #[test]
    fn a_seed_repeats() {
        assert_eq!(gather(0.5, 1), gather(0.5, 1));
        assert_ne!(gather(0.5, 1), gather(0.5, 2));
    }
}
