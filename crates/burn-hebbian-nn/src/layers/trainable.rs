//! The plain layers that can learn locally.

use burn::{
    module::{Module, ModuleDisplay, Param, ParamId},
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::{DType, Device, Tensor},
};
use burn_hebbian_core::WeightLayout;

use crate::geometry;

/// Burn layers that [`Local`] can wrap: linear layers, convolutions and transposed convolutions.
pub trait Trainable: Module + ModuleDisplay + sealed::Sealed {
    /// The id of the weight.
    fn weight_id(&self) -> ParamId;

    /// The device the weight is on, or will be.
    fn weight_device(&self) -> Device;

    /// The type of the weight, which this initializes.
    fn weight_dtype(&self) -> DType;

    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;
}

pub(crate) mod sealed {
    use burn::{module::Param, tensor::Tensor};

    pub trait Sealed {
        /// Gives the layer a bias, `[groups · neurons]`.
        fn give_bias(&mut self, bias: Param<Tensor<1>>);
    }
}

/// Every layer keeps its weight under the same name; where the neurons lie in it differs.
macro_rules! trainable {
    ($($layer:ty: $layout:expr;)*) => {$(
        impl sealed::Sealed for $layer {
            fn give_bias(&mut self, bias: Param<Tensor<1>>) {
                self.bias = Some(bias);
            }
        }

        impl Trainable for $layer {
            fn weight_id(&self) -> ParamId {
                self.weight.id
            }

            fn weight_device(&self) -> Device {
                self.weight.lazy_device()
            }

            fn weight_dtype(&self) -> DType {
                self.weight.val().dtype()
            }

            fn layout(&self) -> WeightLayout {
                let layout: fn(&Self) -> WeightLayout = $layout;
                layout(self)
            }
        }
    )*};
}

trainable! {
    Linear: geometry::linear_layout;
    Conv1d: |conv| geometry::convolution_layout(&conv.weight, conv.groups);
    Conv2d: |conv| geometry::convolution_layout(&conv.weight, conv.groups);
    Conv3d: |conv| geometry::convolution_layout(&conv.weight, conv.groups);
    ConvTranspose1d: |conv| geometry::transposed_layout(&conv.weight, conv.groups);
    ConvTranspose2d: |conv| geometry::transposed_layout(&conv.weight, conv.groups);
    ConvTranspose3d: |conv| geometry::transposed_layout(&conv.weight, conv.groups);
}
