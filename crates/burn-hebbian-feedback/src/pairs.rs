//! Pairs of images for self-contrastive learning.

use burn::tensor::{Tensor, ops::PadMode};

/// Added to deviations, so that an image of one color is divided by something.
const EPSILON: f64 = 1e-10;

/// Every image less its mean, over its deviation (of `n − 1`).
///
/// ```
/// # use burn::tensor::{Device, Tensor, Tolerance};
/// use burn_hebbian_feedback::standardized;
/// # let device = Device::flex();
///
/// let image = Tensor::<2>::from_data([[1.0, 2.0, 3.0]], &device);
/// standardized(image).into_data().assert_approx_eq::<f32>(&[[-1.0, 0.0, 1.0]].into(), Tolerance::default());
/// ```
pub fn standardized<const D: usize>(images: Tensor<D>) -> Tensor<D> {
    let dims = images.dims();
    let flat: Tensor<2> = images.reshape([dims[0], dims[1..].iter().product()]);
    let others = flat.dims()[1].saturating_sub(1).max(1) as f64;
    let around = flat.clone() - flat.mean_dim(1);
    // a mean that was rounded leaves a rest, which every value would carry on
    let around = around.clone() - around.mean_dim(1);
    let deviation =
        (around.clone() * around.clone()).sum_dim(1).div_scalar(others).sqrt().add_scalar(EPSILON);
    (around / deviation).reshape(dims)
}

/// Pairs of images as self-contrastive forward-forward learning takes them, one a row: image `n` with image `n + shift` (from the
/// front again after the last), mirrored into a padding, and standardized as one.
///
/// A shift of 0 pairs each image with itself: these are the positives. Others make negatives.
///
/// ```
/// # use burn::tensor::{Device, Distribution, Tensor};
/// use burn_hebbian_feedback::Pairs;
/// # let device = Device::flex();
///
/// let images = Tensor::<4>::random([5, 3, 8, 8], Distribution::Default, &device);
/// let positive = Pairs::new(images.clone(), 0, [2, 2]);
/// let negative = Pairs::new(images, 1, [2, 2]);
/// assert_eq!(positive.both().dims(), [5, 6, 12, 12]);
/// assert_eq!(negative.sum().dims(), [5, 3, 12, 12]); // the layer's input, of a convolution that does not pad
/// ```
///
/// Source: X. Chen et al., "Self-contrastive forward-forward algorithm", *Nat. Commun.* 16 (2025).
#[derive(Debug, Clone)]
pub struct Pairs(Tensor<4>);

impl Pairs {
    /// Of images `[n, channels, height, width]` that are standardized already.
    pub fn new(images: Tensor<4>, shift: usize, padding: [usize; 2]) -> Self {
        let n = images.dims()[0];
        let shift = if n == 0 { 0 } else { shift % n };
        let partners = match shift {
            0 => images.clone(),
            _ => Tensor::cat(
                vec![images.clone().narrow(0, shift, n - shift), images.clone().narrow(0, 0, shift)],
                0,
            ),
        };
        let both = Tensor::cat(vec![images, partners], 1);
        let padded = match padding {
            [0, 0] => both,
            [rows, columns] => both.pad([(rows, rows), (columns, columns)], PadMode::Reflect),
        };
        Self(standardized(padded))
    }

    /// These and others, one after the other.
    pub fn and(self, others: Self) -> Self {
        Self(Tensor::cat(vec![self.0, others.0], 0))
    }

    /// Both images, `[n, 2 · channels, height, width]`.
    pub fn both(&self) -> Tensor<4> {
        self.0.clone()
    }

    /// Their sum, `[n, channels, height, width]`: what a layer sees of the pair.
    pub fn sum(&self) -> Tensor<4> {
        let channels = self.0.dims()[1] / 2;
        self.0.clone().narrow(1, 0, channels) + self.0.clone().narrow(1, channels, channels)
    }
}
