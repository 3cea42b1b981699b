//! Blocks of images: on a CPU a layer learns from a few images at a time, so that what it computes on the way stays in
//! the cache, and from several blocks at once.
//!
//! Sums over images add up, whatever blocks they were made in.

use std::ops::Range;

use burn::tensor::Device;

use crate::{backend::Backend, parallel::threads};

/// Values of responses that fit into the cache with what is computed from them.
const CACHED: usize = 160_000;

/// Responses for each weight below which the cost of a block, a sum of the weight's size, outweighs what it saves.
const PER_WEIGHT: usize = 5;

/// The images of each block, for `responses` values an image and `weights` weights.
pub(crate) fn blocks(device: &Device, images: usize, responses: usize, weights: usize) -> Vec<Range<usize>> {
    let count = match Backend::of(device).is_host() {
        true => count(images, responses, weights, threads()),
        false => 1,
    };
    (0..count).map(|block| block * images / count..(block + 1) * images / count).collect()
}

/// As many blocks as pay, the same number for every thread; one if there is not one for every thread.
fn count(images: usize, responses: usize, weights: usize, threads: usize) -> usize {
    let size = (CACHED.max(PER_WEIGHT * weights) / responses.max(1)).max(1);
    (images / size / threads * threads).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_responses_and_few_weights_make_small_blocks() {
        // conv1 to conv4 of the six-layer net, 64 images
        assert_eq!(count(64, 96 * 784, 96 * 75, 2), 32);
        assert_eq!(count(64, 128 * 144, 128 * 864, 2), 2);
        assert_eq!(count(64, 192 * 100, 192 * 1152, 2), 1);
        assert_eq!(count(64, 256 * 9, 256 * 1728, 2), 1);
    }

    #[test]
    fn blocks_hold_every_image_once() {
        for (images, responses, weights) in
            [(64, 75_264, 7_200), (7, 75_264, 7_200), (1, 1 << 20, 10), (5, 3, 1 << 20)]
        {
            let blocks = blocks(&Device::flex(), images, responses, weights);
            let all: Vec<usize> = blocks.into_iter().flatten().collect();
            assert_eq!(all, (0..images).collect::<Vec<_>>());
        }
    }
}
