//! A binary code of what is near: which neurons a patch is nearest to, and which its negative.

mod image;
mod portable;
mod select;
#[cfg(test)]
mod tests;

use burn::tensor::{Tensor, TensorData, module::avg_pool2d, ops::AvgPoolOptions};
use burn_hebbian_core::RuleError;
use serde::{Deserialize, Serialize};

use self::image::{Coded, Windows};
use crate::{channelwise::covers, parallel, precision::whole};

/// A code of two bits a neuron: whether it is among the nearest to a patch, and whether it is among the nearest to the patch's
/// negative.
///
/// ```text
/// k = max(1, round(share · K))      y_j = [s_j ≥ k-th largest s]      y_{K+j} = [s_j ≤ k-th smallest s]
/// ```
///
/// of the similarities `s` of `K` neurons, at every position by itself. Neurons that tie with the last one count too; where a
/// similarity is NaN, the position's whole code is. No gradient passes it.
///
/// Of neurons of one length the largest `s = w·x` are the nearest to `x`, as `‖x − w‖² = ‖x‖² + ‖w‖² − 2s`, and the smallest are
/// the nearest to `−x`. So is it of an output by [projection](crate::Output::projection), whose neurons count as of length 1. It
/// stands in the place of a rectifying output: hard winner-take-all learns by the nearest neuron, this code tells the nearest ones.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_nn::NearestCode;
/// # let device = Device::flex();
///
/// let s = Tensor::<2>::from_data([[0.5, -2.0, 3.0, 1.0, 0.0]], &device); // one image, five neurons
/// let code = NearestCode::new(0.4).unwrap().apply(s);
/// let expected = [[0.0, 0.0, 1.0, 1.0, 0.0, /* of −x: */ 0.0, 1.0, 0.0, 0.0, 1.0]];
/// code.into_data().assert_eq(&expected.into(), false);
/// ```
///
/// Source: L. Thiry, M. Arbel, E. Belilovsky and E. Oyallon, "The unreasonable effectiveness of patches in deep convolutional kernels
/// methods", *ICLR* (2021), arXiv:2101.07528, section 3: `Q` of the dictionary's patches are the nearest, both signs apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NearestCode {
    /// The share of the neurons that count as near; 0.4 in the source.
    pub share: f64,
}

impl NearestCode {
    /// Of this share of the neurons.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn new(share: f64) -> Result<Self, RuleError> {
        let code = Self { share };
        code.check().map(|()| code)
    }

    /// Refuses a share that is none.
    ///
    /// # Errors
    ///
    /// If it is not in 0..=1.
    pub fn check(&self) -> Result<(), RuleError> {
        let value = self.share;
        let valid = (0.0..=1.0).contains(&value);
        if valid { Ok(()) } else { Err(RuleError::NotAShare { name: "share of near neurons", value }) }
    }

    /// How many of so many neurons are near: at least one.
    pub fn near(&self, neurons: usize) -> usize {
        // clamp: a small share of few neurons is one of them
        ((self.share * neurons as f64).round() as usize).clamp(1, neurons.max(1))
    }

    /// Similarities `[n, neurons, positions…]` → `[n, 2 · neurons, positions…]` of 0 and 1, near to the patch first.
    ///
    /// # Panics
    ///
    /// If there is no axis of neurons.
    pub fn apply<const D: usize>(&self, similarities: Tensor<D>) -> Tensor<D> {
        let dims = similarities.dims();
        assert!(D > 1, "nearest code: expected similarities [n, neurons, positions…], got {dims:?}");
        let mut coded = dims;
        coded[1] *= 2;
        plain(similarities, |s| match covers(&s) {
            true => Tensor::from_data(TensorData::new(self.on_host(&s, None), coded), &s.device()),
            false => {
                let positions = dims[2..].iter().product();
                let s: Tensor<3> = s.reshape([dims[0], dims[1], positions]);
                portable::code(s, self.near(dims[1])).reshape(coded)
            }
        })
    }

    /// The code of similarities `[n, neurons, height, width]`, averaged over windows of `size` × `size` positions, `stride` apart:
    /// what `avg_pool2d` makes of [`apply`](Self::apply)'s, which on flex is never in memory as a whole.
    ///
    /// # Panics
    ///
    /// If a window is empty or larger than the positions, or the stride is 0.
    pub fn pooled(&self, similarities: Tensor<4>, size: usize, stride: usize) -> Tensor<4> {
        let [n, neurons, height, width] = similarities.dims();
        let fits = stride > 0 && (1..=height.min(width)).contains(&size);
        assert!(fits, "nearest code: windows of {size}, {stride} apart, of {height} × {width} positions");
        plain(similarities, |s| {
            if !covers(&s) {
                let options = AvgPoolOptions::new([size; 2]).with_stride([stride; 2]);
                return avg_pool2d(self.apply(s), options);
            }
            let windows = Windows { size, stride, sides: [height, width] };
            let [rows, columns] = windows.counts();
            let code = TensorData::new(self.on_host(&s, Some(windows)), [n, 2 * neurons, rows, columns]);
            Tensor::from_data(code, &s.device())
        })
    }

    /// Image by image, in threads.
    fn on_host<const D: usize>(&self, s: &Tensor<D>, windows: Option<Windows>) -> Vec<f32> {
        let (dims, data) = (s.dims(), s.clone().into_data());
        let values = data.as_slice::<f32>().expect("values of f32");
        let coded = Coded { neurons: dims[1], near: self.near(dims[1]), windows };
        let positions = dims[2..].iter().product();
        let results = coded.results(positions);
        let mut code = vec![0.0; dims[0] * results];
        let images = values.chunks_exact(dims[1] * positions).zip(code.chunks_exact_mut(results));
        parallel::map(images.collect(), |(s, code)| coded.image(s, positions, code));
        code
    }
}

/// `f` of values outside the autodiff graph and in `f32` at least, in their own precision, on their own device.
fn plain<const D: usize>(x: Tensor<D>, f: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Tensor<D> {
    let (dtype, tracked) = (x.dtype(), x.is_autodiff());
    let y = f(whole(x.inner())).cast(dtype);
    if tracked { Tensor::from_inner(y) } else { y }
}
