//! A locally connected layer, its operator and its forward pass.

use burn::{
    module::{Module, Param, ParamId},
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::{Geometry, Trainable, forms::CorrelationForm},
    prelude::*,
    rules::WeightLayout,
};

/// Values a position sees, positions, and filters of each position.
pub(crate) const TAPS: usize = 4;
pub(crate) const POSITIONS: usize = 3;
pub(crate) const FILTERS: usize = 2;

/// `[n, positions · taps]` → `[n, positions · filters]`: each position sees its own part of the input.
#[derive(Module, Debug)]
pub(crate) struct LocallyConnected {
    /// `[positions, taps, filters]`.
    pub(crate) weight: Param<Tensor<3>>,
}

/// Every position is a group: its filters compete with each other alone.
const LAYOUT: WeightLayout = WeightLayout { groups: POSITIONS, before: TAPS, neurons: FILTERS, after: 1 };

impl Trainable for LocallyConnected {
    fn weight_id(&self) -> ParamId {
        self.weight.id
    }

    fn weight_device(&self) -> Device {
        self.weight.lazy_device()
    }

    fn weight_dtype(&self) -> DType {
        self.weight.dtype()
    }

    fn layout(&self) -> WeightLayout {
        LAYOUT
    }
}

/// The layer's operator.
#[derive(Clone)]
struct Positions;

/// `[n, positions · width]` → `[positions, n, width]`.
fn by_position(x: Tensor<2>) -> Tensor<3> {
    let [n, values] = x.dims();
    x.reshape([n, POSITIONS, values / POSITIONS]).swap_dims(0, 1)
}

/// `[positions, n, width]` → `[n, positions · width]`.
fn side_by_side(x: Tensor<3>) -> Tensor<2> {
    let [positions, n, width] = x.dims();
    x.swap_dims(0, 1).reshape([n, positions * width])
}

impl Geometry<2, 3> for Positions {
    fn name(&self) -> &'static str {
        "locally_connected"
    }

    fn layout(&self) -> WeightLayout {
        LAYOUT
    }

    fn respond(&self, x: Tensor<2>, w: Tensor<3>) -> Tensor<2> {
        side_by_side(by_position(x).matmul(w))
    }

    fn feed_back(&self, dy: Tensor<2>, w: Tensor<3>, _input: [usize; 2]) -> Tensor<2> {
        side_by_side(by_position(dy).matmul(w.swap_dims(1, 2)))
    }

    fn correlate(&self, x: Tensor<2>, c: Tensor<2>, _form: Option<CorrelationForm>) -> Tensor<3> {
        by_position(x).swap_dims(1, 2).matmul(by_position(c))
    }

    fn patch_energy(&self, x: Tensor<2>) -> Tensor<4> {
        let x = x.reshape([-1, POSITIONS as i32, TAPS as i32, 1]);
        (x.clone() * x).sum_dim(2)
    }
}

/// The forward pass of the local layer.
pub(crate) fn forward(layer: &Local<LocallyConnected>, x: Tensor<2>) -> Tensor<2> {
    layer.forward_by(&Positions, x, &layer.layer().weight, None)
}
