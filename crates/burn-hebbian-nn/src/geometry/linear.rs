//! Linear layers.

use burn::{
    module::Param,
    nn::Linear,
    tensor::{Tensor, module::linear},
};
use burn_hebbian_core::WeightLayout;

use super::{Geometry, fit::Kind};
use crate::{forms::CorrelationForm, untuned};

/// A linear layer on `[n, d_input]`, leading dimensions folded into `n`.
#[derive(Clone)]
pub(crate) struct LinearGeometry {
    layout: WeightLayout,
}

impl LinearGeometry {
    /// The geometry of `layer` on inputs of these dimensions.
    ///
    /// # Panics
    ///
    /// If the last of them does not fit.
    pub(crate) fn new<const D: usize>(layer: &Linear, input: [usize; D]) -> Self {
        Self::fitting(layer, input).unwrap_or_else(|misfit| panic!("{misfit}"))
    }

    /// As [`new`](Self::new), or what does not fit.
    pub(crate) fn fitting<const D: usize>(layer: &Linear, input: [usize; D]) -> Result<Self, String> {
        let layout = layout(layer);
        let (kind, d_input) = (Kind::LINEAR, layout.before);
        if input[D - 1] != d_input {
            return Err(format!("{kind}: expected [.., {d_input}], got {input:?}"));
        }
        Ok(Self { layout })
    }
}

impl LinearGeometry {
    /// Refuses coefficients that are not one for each image and neuron.
    pub(crate) fn check_coefficients(&self, input: [usize; 2], coefficients: [usize; 2]) {
        Kind::LINEAR.check_coefficients([input[0], self.layout.neurons], coefficients);
    }
}

/// Where the neurons of a linear layer lie: `[d_input, d_output]`.
pub(crate) fn layout(layer: &Linear) -> WeightLayout {
    let [d_input, d_output] = sizes(layer);
    WeightLayout { groups: 1, before: d_input, neurons: d_output, after: 1 }
}

/// Sizes of input and output.
///
/// A weight of `LinearLayout::Col` is stored as `[d_output, d_input]`, and says so until it is first used; from then on it
/// is `[d_input, d_output]`, as others are. It is not used here: a record would not fit it any more.
fn sizes(layer: &Linear) -> [usize; 2] {
    let weight = &layer.weight;
    if weight.is_initialized() {
        return weight.dims();
    }
    let [rows, columns] = weight.lazy_shape().dims();
    match is_mapped(weight) {
        // asked after the shape: another thread may use it meanwhile
        true if !weight.is_initialized() => [columns, rows],
        true => weight.dims(),
        false => [rows, columns],
    }
}

/// Whether a parameter is stored in another form than it has: only its debug output tells without using it.
fn is_mapped(weight: &Param<Tensor<2>>) -> bool {
    format!("{weight:?}").contains("save: true")
}

impl Geometry<2, 2> for LinearGeometry {
    fn name(&self) -> &'static str {
        Kind::LINEAR.name()
    }

    fn layout(&self) -> WeightLayout {
        self.layout
    }

    fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        Some([input[0], self.layout.neurons])
    }

    fn respond(&self, x: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
        if untuned::is_covered(&x.device()) { untuned::multiply(x, w) } else { linear(x, w, None) }
    }

    fn feed_back(&self, dy: Tensor<2>, w: Tensor<2>, _input: [usize; 2]) -> Tensor<2> {
        untuned::multiply(dy, w.transpose())
    }

    fn correlate(&self, x: Tensor<2>, c: Tensor<2>, _form: Option<CorrelationForm>) -> Tensor<2> {
        untuned::multiply(x.transpose(), c)
    }

    fn is_product(&self) -> bool {
        true
    }

    fn patch_energy(&self, x: Tensor<2>) -> Tensor<4> {
        (x.clone() * x).sum_dim(1).unsqueeze_dims(&[2, 3])
    }
}
