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

pub(crate) use convolution::{Convolution, layout as convolution_layout};
pub(crate) use fit::{check_responses, check_types};
pub(crate) use linear::{LinearGeometry, layout as linear_layout};
pub use padding::PaddingMode;
pub(crate) use transposed::{Transposed, layout as transposed_layout};

use burn::tensor::Tensor;
use burn_hebbian_core::WeightLayout;

use crate::{forms::CorrelationForm, window::Window};

/// The linear operator of a layer: inputs and outputs of rank `X`, `[n, channels, positions…]`, weights of rank `W`.
///
/// Burn's own layers have theirs. For a layer of your own, implement [`Trainable`](crate::Trainable) and this, and hand the
/// operator to [`Local::forward_by`](crate::Local::forward_by): every rule then works on it, with gradients, plans and
/// checkpoints. The example `own_layer` does.
///
/// Neurons lie on axis 1 of the output, group by group, in the order of the [`layout`](Self::layout). With `K` neurons in
/// all, a response is the dot product of a neuron's weights with the patch that an output position sees; all methods are
/// about the same patches.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::WeightLayout;
/// use burn_hebbian_nn::{Geometry, forms::CorrelationForm};
///
/// /// A product with weights `[neurons, inputs]`.
/// #[derive(Clone)]
/// struct Rows(usize, usize);
///
/// impl Geometry<2, 2> for Rows {
///     fn name(&self) -> &'static str {
///         "rows"
///     }
///     fn layout(&self) -> WeightLayout {
///         WeightLayout { groups: 1, before: 1, neurons: self.0, after: self.1 }
///     }
///     fn respond(&self, x: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
///         x.matmul(w.transpose())
///     }
///     fn feed_back(&self, dy: Tensor<2>, w: Tensor<2>, _: [usize; 2]) -> Tensor<2> {
///         dy.matmul(w)
///     }
///     fn correlate(&self, x: Tensor<2>, c: Tensor<2>, _: Option<CorrelationForm>) -> Tensor<2> {
///         c.transpose().matmul(x)
///     }
///     fn patch_energy(&self, x: Tensor<2>) -> Tensor<4> {
///         x.square().sum_dim(1).reshape([-1, 1, 1, 1])
///     }
/// }
///
/// // one neuron w = (1, 2) sees x = (3, 4)
/// let device = Device::flex();
/// let [w, x] = [[1.0, 2.0], [3.0, 4.0]].map(|row| Tensor::<2>::from_data([row], &device));
/// let y = Rows(1, 2).respond(x, w);
/// y.into_data().assert_eq(&[[11.0]].into(), false);
/// ```
pub trait Geometry<const X: usize, const W: usize>: Clone + Send + Sync + 'static {
    /// What messages call the layer.
    fn name(&self) -> &'static str;

    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;

    /// The input as all other operations take it; padded, for example.
    fn prepare(&self, x: Tensor<X>) -> Tensor<X> {
        x
    }

    /// The dimensions of a [prepared](Self::prepare) input, of an input of these; `like` tells device and type.
    fn prepared(&self, input: [usize; X], like: &Tensor<X>) -> [usize; X] {
        self.prepare(Tensor::zeros(input, (&like.device(), like.dtype()))).dims()
    }

    /// The transpose of [`prepare`](Self::prepare), into an input of these dimensions; feedback ends with it.
    ///
    /// # Panics
    ///
    /// Unless it is overridden, if preparing changes the dimensions.
    fn prepare_back(&self, dx: Tensor<X>, input: [usize; X]) -> Tensor<X> {
        assert!(
            dx.dims() == input,
            "{}: the layer prepares its input, and has no `Geometry::prepare_back` for feedback",
            self.name()
        );
        dx
    }

    /// The dimensions of the responses to an input of these, if the layer can tell without computing them.
    fn output(&self, input: [usize; X]) -> Option<[usize; X]> {
        let _ = input;
        None
    }

    /// The responses `w_k · x`, `[n, K, positions…]`.
    fn respond(&self, x: Tensor<X>, w: Tensor<W>) -> Tensor<X>;

    /// The transpose of [`respond`](Self::respond): `Σ_k dy_k w_k`, laid where each patch lies in an input of these
    /// dimensions; the gradient of the input from that of the responses.
    fn feed_back(&self, dy: Tensor<X>, w: Tensor<W>, input: [usize; X]) -> Tensor<X>;

    /// `Σ c_k x` over images and positions, in the shape of the weight: its gradient, with `c` in the place of the output
    /// gradient. `c` may have another number of neurons a group than the layer. `form` is one that the user forced, for
    /// layers that have several.
    fn correlate(&self, x: Tensor<X>, c: Tensor<X>, form: Option<CorrelationForm>) -> Tensor<W>;

    /// `‖x‖²` of every patch, `[n, groups, 1, positions]`.
    fn patch_energy(&self, x: Tensor<X>) -> Tensor<4>;

    /// How the kernel slides over the [prepared](Self::prepare) input, if the layer is one of Burn's convolutions.
    #[doc(hidden)]
    fn window(&self) -> Option<Window> {
        None
    }

    /// Whether responses are the product of inputs `[n, before]` and weights `[before, neurons]`.
    #[doc(hidden)]
    fn is_product(&self) -> bool {
        false
    }
}
