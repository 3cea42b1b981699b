//! The forward passes of the layers that can learn locally.

use burn::{
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::Tensor,
};

use super::local::Local;
use crate::{
    forms::CorrelationForm,
    geometry::{Convolution, Geometry, LinearGeometry, PaddingMode, Transposed},
};

impl Local<Linear> {
    /// `[.., d_input]` → `[.., d_output]`; to a rule, all leading dimensions are images.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, LinearConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = LinearConfig::new(2, 1).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::<3>::from_data([[[1.0, 2.0], [3.0, 4.0]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[3.0], [7.0]]].into(), false);
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or an observer's teacher does not fit the layer's rule.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut dims = input.dims();
        let geometry = LinearGeometry::new(&self.layer, dims);
        let n = dims[..D - 1].iter().product();
        let input: Tensor<2> = reshape(input, [n, dims[D - 1]]);
        let output = self.forward_by(&geometry, input, &self.layer.weight, self.layer.bias.as_ref());
        dims[D - 1] = output.dims()[1];
        reshape(output, dims)
    }
}

/// In another shape, which may be empty: to Burn's `reshape`, an axis of 0 is the axis that was there.
fn reshape<const A: usize, const B: usize>(values: Tensor<A>, dims: [usize; B]) -> Tensor<B> {
    if dims.contains(&0) {
        return Tensor::zeros(dims, (&values.device(), values.dtype()));
    }
    values.reshape(dims)
}

macro_rules! convolution {
    ($(#[$doc:meta])* $layer:ty, $rank:literal) => {
        impl Local<$layer> {
            /// With another content of the padding.
            pub fn with_padding_mode(mut self, mode: PaddingMode) -> Self {
                self.padding_mode = mode;
                self
            }

            $(#[$doc])*
            ///
            /// # Panics
            ///
            /// If the shapes do not fit, or an observer's teacher does not fit the layer's rule.
            pub fn forward(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                let geometry = Convolution::<$rank>::new(&self.layer, self.padding_mode, input.dims());
                self.forward_by(&geometry, input, &self.layer.weight, self.layer.bias.as_ref())
            }

            /// `Σ c_k x` over images and positions, in the shape of the weight: what coefficients in the shape of the
            /// output correlate to.
            ///
            /// # Panics
            ///
            /// If the shapes do not fit.
            #[doc(hidden)]
            pub fn correlate(&self, input: Tensor<$rank>, coefficients: Tensor<$rank>) -> Tensor<$rank> {
                let geometry = Convolution::<$rank>::new(&self.layer, self.padding_mode, input.dims());
                geometry.check_coefficients(input.dims(), coefficients.dims());
                geometry.correlate(geometry.prepare(input), coefficients, self.forms.correlation)
            }

            /// The form in which the layer correlates an input of these dimensions.
            ///
            /// # Panics
            ///
            /// If the shapes do not fit.
            #[doc(hidden)]
            pub fn correlation_form(&self, input: [usize; $rank]) -> CorrelationForm {
                let geometry = Convolution::<$rank>::new(&self.layer, self.padding_mode, input);
                let chosen = || geometry.correlation_form(input, &self.layer.weight.lazy_device());
                self.forms.correlation.unwrap_or_else(chosen)
            }
        }
    };
}

convolution!(
    /// `[n, channels_in, length]` → `[n, channels_out, length_out]`.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, conv::Conv1dConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = Conv1dConfig::new(1, 1, 2).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::from_data([[[1.0, 2.0, 3.0]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[3.0, 5.0]]].into(), false);
    /// ```
    Conv1d, 3
);

convolution!(
    /// `[n, channels_in, height, width]` → `[n, channels_out, height_out, width_out]`.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, conv::Conv2dConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = Conv2dConfig::new([1, 1], [2, 2]).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::from_data([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[[12.0, 16.0]]]].into(), false);
    /// ```
    Conv2d, 4
);

convolution!(
    /// `[n, channels_in, depth, height, width]` → `[n, channels_out, depth_out, height_out, width_out]`.
    ///
    /// `Same` padding that is not symmetric (even kernels, some strides) works here; the plain layer refuses it.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, conv::Conv3dConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = Conv3dConfig::new([1, 1], [2, 1, 2]).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::from_data([[[[[1.0, 2.0]], [[3.0, 4.0]]]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[[[10.0]]]]].into(), false);
    /// ```
    Conv3d, 5
);

macro_rules! transposed_convolution {
    ($(#[$doc:meta])* $layer:ty, $rank:literal) => {
        impl Local<$layer> {
            $(#[$doc])*
            ///
            /// To a rule, a patch is what an output position sees: the input with `stride − 1` zeros stuffed
            /// between its elements, under the mirrored kernel.
            ///
            /// # Panics
            ///
            /// If the shapes do not fit, or an observer's teacher does not fit the layer's rule.
            pub fn forward(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                let geometry = Transposed::<$rank>::new(&self.layer, input.dims());
                self.forward_by(&geometry, input, &self.layer.weight, self.layer.bias.as_ref())
            }
        }
    };
}

transposed_convolution!(
    /// `[n, channels_in, length]` → `[n, channels_out, length_out]`.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, conv::ConvTranspose1dConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = ConvTranspose1dConfig::new([1, 1], 2).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::from_data([[[1.0, 2.0]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[1.0, 3.0, 2.0]]].into(), false);
    /// ```
    ConvTranspose1d, 3
);

transposed_convolution!(
    /// `[n, channels_in, height, width]` → `[n, channels_out, height_out, width_out]`.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, conv::ConvTranspose2dConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = ConvTranspose2dConfig::new([1, 1], [2, 2]).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::from_data([[[[1.0, 2.0]]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]]]].into(), false);
    /// ```
    ConvTranspose2d, 4
);

transposed_convolution!(
    /// `[n, channels_in, depth, height, width]` → `[n, channels_out, depth_out, height_out, width_out]`.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, conv::ConvTranspose3dConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let sums = ConvTranspose3dConfig::new([1, 1], [2, 1, 2]).with_bias(false).with_initializer(Initializer::Ones);
    /// let x = Tensor::from_data([[[[[1.0, 2.0]]]]], &device);
    /// let y = Local::new(sums.init(&device)).forward(x);
    /// y.into_data().assert_eq(&[[[[[1.0, 3.0, 2.0]], [[1.0, 3.0, 2.0]]]]].into(), false);
    /// ```
    ConvTranspose3d, 5
);
