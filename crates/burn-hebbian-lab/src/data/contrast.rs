//! Contrast normalization.

use super::Labeled;

/// Deviations below this count as this. Clamp: a blank image has no contrast to divide by.
const MIN_DEVIATION: f32 = 1e-5;

/// Brings every image to mean 0 and deviation 1 by itself.
pub fn normalize(images: &mut Labeled) {
    let len = images.image_len().max(1);
    for image in images.values.chunks_exact_mut(len) {
        let mean = image.iter().sum::<f32>() / len as f32;
        image.iter_mut().for_each(|value| *value -= mean);
        let variance = image.iter().map(|value| value * value).sum::<f32>() / len as f32;
        let scale = variance.sqrt().max(MIN_DEVIATION).recip();
        image.iter_mut().for_each(|value| *value *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_by_itself() {
        let mut images = Labeled::with_capacity([1, 1, 2], 3);
        images.push([0.0, 2.0], 0);
        images.push([10.0, 6.0], 0);
        images.push([5.0, 5.0], 0);
        normalize(&mut images);
        assert_eq!(images.values, [-1.0, 1.0, 1.0, -1.0, 0.0, 0.0]);
    }
}
