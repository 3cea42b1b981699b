//! Linear layers.

use burn::{
    nn::Linear,
    tensor::{Tensor, module::linear},
};
use burn_hebbian_core::WeightLayout;

use super::Geometry;
use crate::forms::CorrelationForm;

/// A linear layer on `[n, d_input]`, leading dimensions folded into `n`.
#[derive(Clone)]
pub(crate) struct LinearGeometry {
    layout: WeightLayout,
}

impl LinearGeometry {
    pub(crate) fn new(layer: &Linear) -> Self {
        Self { layout: layout(layer) }
    }
}

/// Where the neurons of a linear layer lie: `[d_input, d_output]`.
pub(crate) fn layout(layer: &Linear) -> WeightLayout {
    let [d_input, d_output] = layer.weight.lazy_shape().dims();
    WeightLayout { groups: 1, before: d_input, neurons: d_output, after: 1 }
}

impl Geometry<2, 2> for LinearGeometry {
    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn respond(&self, x: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
        linear(x, w, None)
    }

    fn feed_back(&self, dy: Tensor<2>, w: Tensor<2>, _input: [usize; 2]) -> Tensor<2> {
        dy.matmul(w.transpose())
    }

    fn correlate(&self, x: Tensor<2>, c: Tensor<2>, _form: Option<CorrelationForm>) -> Tensor<2> {
        x.transpose().matmul(c)
    }

    fn patch_energy(&self, x: Tensor<2>) -> Tensor<4> {
        (x.clone() * x).sum_dim(1).unsqueeze_dims(&[2, 3])
    }
}
