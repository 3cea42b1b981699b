//! What the layers see.

use anyhow::Result;
use burn::tensor::Device;
use burn_hebbian::lab::data::{Labeled, Spectrum, contrast};
use burn_hebbian::lab::digits::Digits;

/// Smoothing of the whitening of whole digits.
const SMOOTHING: f64 = 0.3;

/// Smoothing of the whitening of patches: next to none, so that their covariance is the identity.
const PATCH_SMOOTHING: f64 = 1e-3;

/// The training part of the digits, in the forms that suit the rules.
#[derive(Debug)]
pub(crate) struct Data {
    /// Ink in 0..=1.
    pub(crate) ink: Labeled,
    /// Ink minus the mean digit.
    pub(crate) centered: Labeled,
    /// Each digit brought to mean 0 and deviation 1.
    pub(crate) contrast: Labeled,
    /// The same at length 1.
    pub(crate) unit: Labeled,
    /// Contrast of the test part.
    pub(crate) test: Labeled,
    /// Contrast, whitened.
    pub(crate) whitened: Labeled,
}

impl Data {
    /// Loads and prepares the digits.
    pub(crate) fn load() -> Result<Self> {
        let Digits { training: ink, mut test, .. } = Digits::load()?;
        let (mut centered, mut contrast) = (ink.clone(), ink.clone());
        subtract_mean(&mut centered);
        contrast::normalize(&mut contrast);
        contrast::normalize(&mut test);
        let whitened = whitened(contrast.clone(), SMOOTHING)?;
        let mut unit = contrast.clone();
        let length = (unit.image_len() as f32).sqrt();
        unit.values.iter_mut().for_each(|value| *value /= length);
        Ok(Self { ink, centered, contrast, unit, test, whitened })
    }

    /// All patches of `side` × `side` pixels of the digits, whitened as images of their own.
    pub(crate) fn whitened_patches(&self, side: usize) -> Result<Labeled> {
        whitened(patches(&self.ink, side), PATCH_SMOOTHING)
    }
}

fn subtract_mean(images: &mut Labeled) {
    let (len, count) = (images.image_len(), images.len() as f32);
    for pixel in 0..len {
        let mean = images.values.iter().skip(pixel).step_by(len).sum::<f32>() / count;
        images.values.iter_mut().skip(pixel).step_by(len).for_each(|value| *value -= mean);
    }
}

fn whitened(mut images: Labeled, smoothing: f64) -> Result<Labeled> {
    Spectrum::fit(&images, &Device::flex())?.zca(smoothing).apply(&mut images);
    Ok(images)
}

/// Every window of every image of one channel.
fn patches(images: &Labeled, side: usize) -> Labeled {
    let [_, height, width] = images.dims;
    let (rows, columns) = (height - side + 1, width - side + 1);
    let mut patches = Labeled::with_capacity([1, side, side], images.len() * rows * columns);
    for index in 0..images.len() {
        let image = images.image(index);
        for corner in (0..rows * columns).map(|i| i / columns * width + i % columns) {
            let window = (0..side * side).map(|i| image[corner + i / side * width + i % side]);
            patches.push(window, images.labels[index]);
        }
    }
    patches
}
