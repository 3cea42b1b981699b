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
mod transposed;
mod window;

pub(crate) use convolution::{Convolution, layout as convolution_layout};
pub(crate) use fit::Kind;
pub(crate) use linear::{LinearGeometry, layout as linear_layout};
pub(crate) use transposed::{Transposed, layout as transposed_layout};
pub(crate) use window::{Window, spatial};

use std::ops::Range;

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{LayerView, WeightLayout};

use crate::{
    backend::Backend,
    forms::{CorrelationForm, Forms},
    gradient::{is_covered, with_gradient, with_gradients},
};

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

/// A geometry with the input and weight of one pass.
pub(crate) struct Pass<'a, G, const X: usize, const W: usize> {
    pub(crate) geometry: &'a G,
    /// The input, [prepared](Geometry::prepare).
    pub(crate) x: Tensor<X>,
    pub(crate) w: Tensor<W>,
    /// For rules that learn it.
    pub(crate) bias: Option<Tensor<1>>,
    pub(crate) forms: Forms,
}

impl<G: Geometry<X, W>, const X: usize, const W: usize> Pass<'_, G, X, W> {
    /// The responses, in the layer's own output shape.
    ///
    /// Where gradients go through the input alone, the autodiff graph keeps the weight for them; Burn's own
    /// convolution would keep the input too.
    pub(crate) fn respond(&self) -> Tensor<X> {
        let (x, w) = (self.x.clone(), self.w.clone());
        if w.is_autodiff() && self.backs_faster() {
            return self.respond_by_backprop();
        }
        if w.is_autodiff() || x.is_autodiff() && !is_covered(&x.device()) {
            return self.geometry.respond(x, w);
        }
        let responses = crate::fused::responses(self);
        self.responses(responses.unwrap_or_else(|| self.geometry.respond(x.inner(), w)))
    }

    /// Whether a weight learns faster by the correlation than by the gradient that Burn has for it: a convolution on the
    /// backend on which forms were measured.
    fn backs_faster(&self) -> bool {
        let floats = self.x.dtype() == DType::F32 && self.w.dtype() == DType::F32;
        let chosen = self.forms.correlation != Some(CorrelationForm::Gradient);
        floats && chosen && self.geometry.window().is_some() && Backend::of(&self.x.device()).is_flex()
    }

    /// The responses with gradients for input and weight.
    fn respond_by_backprop(&self) -> Tensor<X> {
        let (x, w) = (self.x.clone().inner(), self.w.clone().inner());
        let plain =
            Pass { geometry: self.geometry, x: x.clone(), w: w.clone(), bias: None, forms: self.forms };
        let y = plain.respond();
        let (geometry, form) = (self.geometry.clone(), self.forms.correlation);
        let to_w = move |gradient| geometry.correlate(x.clone(), gradient, form);
        if !self.x.is_autodiff() {
            return with_gradient(self.w.clone(), y, to_w);
        }
        let (geometry, input) = (self.geometry.clone(), self.x.dims());
        let to_x = move |gradient| geometry.feed_back(gradient, w.clone(), input);
        with_gradients(self.x.clone(), self.w.clone(), y, to_x, to_w)
    }

    /// Responses computed outside the autodiff graph, as a part of the graph if the input is one.
    pub(crate) fn responses(&self, responses: Tensor<X>) -> Tensor<X> {
        if !self.x.is_autodiff() {
            return responses;
        }
        let (geometry, w, input) = (self.geometry.clone(), self.w.clone(), self.x.dims());
        let back = move |gradient| geometry.feed_back(gradient, w.clone(), input);
        with_gradient(self.x.clone(), responses, back)
    }

    /// `Σ c_k x` over images and positions, from coefficients `[n, groups, neurons, positions]` for an output
    /// of shape `dims`, for so many neurons a group.
    pub(crate) fn correlate(&self, c: Tensor<4>, mut dims: [usize; X], neurons: usize) -> Tensor<W> {
        dims[1] = self.geometry.layout().groups * neurons;
        self.geometry.correlate(self.x.clone(), c.reshape(dims), self.forms.correlation)
    }

    /// The pass of some of its images.
    pub(crate) fn of(&self, images: Range<usize>) -> Self {
        Self {
            geometry: self.geometry,
            x: self.x.clone().narrow(0, images.start, images.len()),
            w: self.w.clone(),
            bias: self.bias.clone(),
            forms: self.forms,
        }
    }

    /// The same pass as learning sees it: outside the autodiff graph, and in `f32` where the layer runs in half
    /// precision, so that sums over thousands of patches keep their digits.
    pub(crate) fn for_learning(&self) -> Self {
        Self {
            geometry: self.geometry,
            x: learnable(self.x.clone()),
            w: learnable(self.w.clone()),
            bias: self.bias.clone(),
            forms: self.forms,
        }
    }
}

impl<G: Geometry<X, W>, const X: usize, const W: usize> LayerView for Pass<'_, G, X, W> {
    fn layout(&self) -> WeightLayout {
        self.geometry.layout()
    }

    fn patch_energy(&self) -> Tensor<4> {
        // half precision ends at 65,504 and at 6e-8
        self.geometry.patch_energy(whole(self.x.clone()))
    }

    fn weight(&self) -> Tensor<4> {
        self.layout().view(self.w.clone())
    }

    fn bias(&self) -> Option<Tensor<1>> {
        self.bias.clone()
    }

    fn respond_with(&self, weight: Tensor<4>) -> Tensor<4> {
        let x = self.x.clone().cast(weight.dtype());
        let responses = self.geometry.respond(x, weight.reshape(self.w.dims()));
        to_neurons(responses, &self.layout())
    }
}

/// Whether learning takes these values as they are.
pub(crate) fn is_learnable<const D: usize>(values: &Tensor<D>) -> bool {
    !values.is_autodiff() && !is_half(values)
}

/// Outside the autodiff graph and, if it was in half precision, in `f32`.
pub(crate) fn learnable<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    whole(values.inner())
}

/// In `f32` if it was in half precision.
pub(crate) fn whole<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    if is_half(&values) { values.cast(DType::F32) } else { values }
}

fn is_half<const D: usize>(values: &Tensor<D>) -> bool {
    matches!(values.dtype(), DType::F16 | DType::BF16)
}

/// `[n, groups · neurons, positions…]` → `[n, groups, neurons, positions]`.
pub(crate) fn to_neurons<const X: usize>(y: Tensor<X>, layout: &WeightLayout) -> Tensor<4> {
    let dims = y.dims();
    let positions: usize = dims[2..].iter().product();
    y.reshape([dims[0], layout.groups, layout.neurons, positions])
}
