//! What a layer answers to an input, with its gradients.

use std::ops::Range;

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{LayerView, WeightLayout};

use crate::{
    backend::Backend,
    forms::{CorrelationForm, Forms},
    fused::{self, Operands},
    geometry::Geometry,
    gradient::{is_covered, with_gradient, with_gradients},
    precision::{learnable, whole},
};

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
        let responses = fused::responses(self.operands());
        self.responses(responses.unwrap_or_else(|| self.geometry.respond(x.inner(), w)))
    }

    /// What the pass starts from.
    pub(crate) fn operands(&self) -> Operands<'_, X, W> {
        Operands {
            window: self.geometry.window(),
            is_product: self.geometry.is_product(),
            layout: self.geometry.layout(),
            x: &self.x,
            w: &self.w,
            form: self.forms.correlation,
        }
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

/// `[n, groups · neurons, positions…]` → `[n, groups, neurons, positions]`.
pub(super) fn to_neurons<const X: usize>(y: Tensor<X>, layout: &WeightLayout) -> Tensor<4> {
    let dims = y.dims();
    let positions: usize = dims[2..].iter().product();
    y.reshape([dims[0], layout.groups, layout.neurons, positions])
}
