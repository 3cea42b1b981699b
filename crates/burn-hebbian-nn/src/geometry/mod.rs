//! The linear operator of a layer, as far as learning needs it.
//!
//! A geometry owns what differs between layers: responses, their correlation with the input, and patch norms.
//! What acts on whole neurons is written once, on [`WeightLayout`].

mod convolution;
mod correlation;
mod energy;
mod fit;
mod linear;
mod operators;
mod padding;
mod transposed;
mod window;

pub(crate) use convolution::{Convolution, layout as convolution_layout};
pub(crate) use fit::Kind;
pub(crate) use linear::{LinearGeometry, layout as linear_layout};
pub use padding::PaddingMode;
pub(crate) use transposed::{Transposed, layout as transposed_layout};
pub(crate) use window::{Window, spatial};

use burn::tensor::Tensor;
use burn_hebbian_core::WeightLayout;

use crate::forms::CorrelationForm;

/// A layer of inputs and outputs of rank `X`, neurons on axis 1 of the output, and weights of rank `W`.
pub(crate) trait Geometry<const X: usize, const W: usize>: Clone + Send + Sync + 'static {
    /// What messages call the layer.
    fn kind(&self) -> Kind;

    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;

    /// The input as all other operations take it: with padding that the convolution kernels cannot do.
    fn prepare(&self, x: Tensor<X>) -> Tensor<X> {
        x
    }

    /// The responses `w_k · x`.
    fn respond(&self, x: Tensor<X>, w: Tensor<W>) -> Tensor<X>;

    /// The transpose of [`respond`](Self::respond): the gradient of an input of these dimensions from that of the
    /// responses.
    fn feed_back(&self, dy: Tensor<X>, w: Tensor<W>, input: [usize; X]) -> Tensor<X>;

    /// `Σ c_k x` over images and positions: the weight gradient with `c` in the place of the output gradient.
    /// `c` may have another number of neurons a group than the layer.
    fn correlate(&self, x: Tensor<X>, c: Tensor<X>, form: Option<CorrelationForm>) -> Tensor<W>;

    /// `‖x‖²` of every patch, `[n, groups, 1, positions]`.
    fn patch_energy(&self, x: Tensor<X>) -> Tensor<4>;

    /// How the kernel slides over the [prepared](Self::prepare) input, if the layer is a convolution.
    fn window(&self) -> Option<Window> {
        None
    }
}
