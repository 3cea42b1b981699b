//! Accuracy of a classifier.

use burn::tensor::{Device, Tensor};

use crate::data::{Labeled, in_order};

/// Images that are classified at a time; bounds the memory of a pass.
const BATCH: usize = 256;

/// Percentage of `data` whose largest score is that of its label; `scores`: images → `[n, classes]`.
pub fn accuracy(data: &Labeled, device: &Device, scores: impl Fn(Tensor<4>) -> Tensor<2>) -> f64 {
    let right: usize = in_order(data.len())
        .chunks(BATCH)
        .map(|chunk| {
            let guesses = scores(data.images(chunk, device)).argmax(1).into_data();
            let truths = chunk.iter().map(|&index| i64::from(data.labels[index]));
            guesses.iter::<i64>().zip(truths).filter(|(guess, truth)| guess == truth).count()
        })
        .sum();
    // clamp: no data, no hits.
    100.0 * right as f64 / data.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_right_guesses() {
        let mut data = Labeled::with_capacity([3, 1, 1], 4);
        for (label, guess) in [(0, 0), (2, 2), (1, 2), (1, 1)] {
            data.push((0..3).map(|class| if class == guess { 1.0 } else { 0.0 }), label);
        }
        let device = Device::flex();
        assert_eq!(accuracy(&data, &device, |images| images.flatten(1, 3)), 75.0);
        assert_eq!(accuracy(&Labeled::default(), &device, |images| images.flatten(1, 3)), 0.0);
    }
}
