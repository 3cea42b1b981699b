//! Surround modulation: neighbors in space, of the same neuron, damp or help each other.

use alloc::vec::Vec;

use burn::tensor::{Tensor, TensorData, module::conv3d, ops::ConvOptions};
use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::{
    Activity, RuleError,
    error::{finite, positive},
};

/// How the responses of one neuron at neighboring positions act on each other, between similarity and activation.
///
/// ```
/// # use burn::tensor::{Device, Tensor, Tolerance};
/// use burn_hebbian_core::{Activity, DenseView, LocalRule, Rule, Signals, Surround};
/// # let device = Device::flex();
///
/// // a response at the middle of five positions raises those beside it, and lowers those farther away
/// let layer = DenseView::from_data([[1.0]], [[1.0]], &device);
/// let dot = Tensor::from_data([[[[0.0, 0.0, 1.0, 0.0, 0.0]]]], &device);
/// let seen = Activity::new(dot, Signals::none(), &layer);
/// let rule = Rule::hebb().with_surround(Surround::difference_of_gaussians());
/// let c = rule.factors(&seen).coefficients.unwrap().into_data();
/// let expected = [[[[-0.417, 0.297, 1.0, 0.297, -0.417]]]].into();
/// c.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-3));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Surround {
    /// Not at all.
    #[default]
    None,
    /// Convolved with a difference of two normalized Gaussians, divided by its value at the center, which becomes 1;
    /// zeros lie around the image. Along each axis of the layer's positions that is longer than one.
    ///
    /// Source: J. J. Nimmo and E. Mondragón (2025), with size 5 and widths 1.2 and 1.4; after H. Hasani et al.,
    /// "Surround modulation: a bio-inspired connectivity structure for convolutional neural networks", NeurIPS 2019.
    DifferenceOfGaussians {
        /// Size of the kernel along an axis, odd.
        size: usize,
        /// Width of the excitatory center, in positions.
        center_sigma: f64,
        /// Width of the inhibitory surround, in positions; wider than the center.
        surround_sigma: f64,
    },
}

impl Surround {
    /// The difference of Gaussians of Nimmo and Mondragón: size 5, widths 1.2 and 1.4.
    pub fn difference_of_gaussians() -> Self {
        Self::DifferenceOfGaussians { size: 5, center_sigma: 1.2, surround_sigma: 1.4 }
    }

    /// Similarities `[n, groups, neurons, positions]`, modulated.
    pub(crate) fn of(&self, s: Tensor<4>, activity: &Activity) -> Tensor<4> {
        let Self::DifferenceOfGaussians { size, center_sigma, surround_sigma } = *self else { return s };
        let dims @ [n, groups, neurons, _] = s.dims();
        let [depth, height, width] = activity.spatial();
        let axes = [depth, height, width].map(|positions| if positions > 1 { size } else { 1 });
        let kernel = kernel(axes, center_sigma, surround_sigma, &s);
        let padding = axes.map(|size| size / 2);
        // every map of every neuron is an image of one channel
        let maps = s.reshape([n * groups * neurons, 1, depth, height, width]);
        conv3d(maps, kernel, None, ConvOptions::new([1; 3], padding, [1; 3], 1)).reshape(dims)
    }

    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let Self::DifferenceOfGaussians { size, center_sigma, surround_sigma } = *self else { return Ok(()) };
        positive("surround modulation center sigma", center_sigma)?;
        finite("surround modulation surround sigma", surround_sigma)?;
        if size % 2 == 0 {
            return Err(RuleError::SurroundSize { size });
        }
        // as alike as that their difference is rounding
        if surround_sigma as f32 <= center_sigma as f32 {
            return Err(RuleError::SurroundWidths { center: center_sigma, surround: surround_sigma });
        }
        Ok(())
    }
}

/// The kernel, `[1, 1, depth, height, width]`, in the type of `like`.
fn kernel(size: [usize; 3], center: f64, surround: f64, like: &Tensor<4>) -> Tensor<5> {
    let axes = size.iter().filter(|size| **size > 1).count() as i32;
    let gaussian = |squared: f64, sigma: f64| {
        let normalization = Float::powi(Float::sqrt(2.0 * core::f64::consts::PI) * sigma, axes);
        Float::exp(-squared / (2.0 * sigma * sigma)) / normalization
    };
    let difference = |squared| gaussian(squared, center) - gaussian(squared, surround);
    let squared = |at: usize, size: usize| {
        let offset = at as f64 - (size / 2) as f64;
        offset * offset
    };
    let [depth, height, width] = size;
    let values: Vec<f64> = (0..depth * height * width)
        .map(|i| {
            let (d, h, w) = (i / (height * width), i / width % height, i % width);
            squared(d, depth) + squared(h, height) + squared(w, width)
        })
        .map(|squared| if axes == 0 { 1.0 } else { difference(squared) / difference(0.0) })
        .collect();
    let values = TensorData::new(values, [1, 1, depth, height, width]).convert_dtype(like.dtype());
    Tensor::from_data(values, (&like.device(), like.dtype()))
}
