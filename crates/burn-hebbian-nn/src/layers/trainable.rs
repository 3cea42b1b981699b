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

/// A layer that [`Local`](crate::Local) can wrap: Burn's linear layers, convolutions and transposed convolutions, and yours.
///
/// It visits its weight, a single float parameter, when it is visited. A layer of your own needs a [`Geometry`](crate::Geometry)
/// beside this, and a forward pass that hands it to [`Local::forward_by`](crate::Local::forward_by).
///
/// ```
/// # use burn::{nn::LinearConfig, tensor::Device};
/// # use burn_hebbian_core::WeightLayout;
/// use burn_hebbian_nn::Trainable;
/// # let device = Device::flex();
///
/// let linear = LinearConfig::new(4, 3).init(&device); // a weight of [4, 3]
/// assert_eq!(linear.layout(), WeightLayout { groups: 1, before: 4, neurons: 3, after: 1 });
/// ```
pub trait Trainable: Module + ModuleDisplay {
    /// The id of the weight.
    fn weight_id(&self) -> ParamId;

    /// The device the weight is on, or will be.
    fn weight_device(&self) -> Device;

    /// The type of the weight, which this initializes.
    fn weight_dtype(&self) -> DType;

    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;

    /// The place of the bias, `[groups · neurons]`, if such layers have one.
    fn bias_mut(&mut self) -> Option<&mut Option<Param<Tensor<1>>>> {
        None
    }
}

/// Every layer keeps its weight under the same name; where the neurons lie in it differs.
macro_rules! trainable {
    ($($layer:ty: $layout:expr;)*) => {$(
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

            fn bias_mut(&mut self) -> Option<&mut Option<Param<Tensor<1>>>> {
                Some(&mut self.bias)
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
