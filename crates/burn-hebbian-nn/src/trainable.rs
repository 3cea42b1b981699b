//! The plain layers that can learn locally, and their forward passes.

use burn::{
    module::{Module, ModuleDisplay, ParamId},
    nn::{Linear, conv::Conv2d},
    tensor::{Device, Tensor},
};
use burn_hebbian_core::WeightLayout;

use crate::{
    geometry::{self, Conv2dGeometry, LinearGeometry},
    local::Local,
    padding::PaddingMode,
};

/// Burn layers that [`Local`] can wrap.
pub trait Trainable: Module + ModuleDisplay + sealed::Sealed {
    /// The id of the weight.
    fn weight_id(&self) -> ParamId;

    /// The device the weight is on, or will be.
    fn weight_device(&self) -> Device;

    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for burn::nn::Linear {}
    impl Sealed for burn::nn::conv::Conv2d {}
}

impl Trainable for Conv2d {
    fn weight_id(&self) -> ParamId {
        self.weight.id
    }

    fn weight_device(&self) -> Device {
        self.weight.lazy_device()
    }

    fn layout(&self) -> WeightLayout {
        geometry::conv2d_layout(self)
    }
}

impl Trainable for Linear {
    fn weight_id(&self) -> ParamId {
        self.weight.id
    }

    fn weight_device(&self) -> Device {
        self.weight.lazy_device()
    }

    fn layout(&self) -> WeightLayout {
        geometry::linear_layout(self)
    }
}

impl Local<Conv2d> {
    /// With another content of the padding.
    pub fn with_padding_mode(mut self, mode: PaddingMode) -> Self {
        self.padding_mode = mode;
        self
    }

    /// `[n, channels_in, height, width]` → `[n, channels_out, height_out, width_out]`.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or an observer's teacher does not fit the layer's rule.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = input.dims();
        let geometry = Conv2dGeometry::new(&self.layer, self.padding_mode, [height, width]);
        self.run(&geometry, input, &self.layer.weight, self.layer.bias.as_ref())
    }
}

impl Local<Linear> {
    /// `[.., d_input]` → `[.., d_output]`; to a rule, all leading dimensions are images.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or an observer's teacher does not fit the layer's rule.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut dims = input.dims();
        let [d_input, d_output] = self.layer.weight.lazy_shape().dims();
        assert!(dims[D - 1] == d_input, "linear: expected [.., {d_input}], got {dims:?}");
        let n = dims[..D - 1].iter().product();
        let geometry = LinearGeometry::new(&self.layer);
        let input: Tensor<2> = input.reshape([n, d_input]);
        let output = self.run(&geometry, input, &self.layer.weight, self.layer.bias.as_ref());
        dims[D - 1] = d_output;
        output.reshape(dims)
    }
}
