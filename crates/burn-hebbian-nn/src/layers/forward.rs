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
    ($layer:ty, $rank:literal, $($shape:literal),+) => {
        impl Local<$layer> {
            /// With another content of the padding.
            pub fn with_padding_mode(mut self, mode: PaddingMode) -> Self {
                self.padding_mode = mode;
                self
            }

            $(#[doc = $shape])+
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

convolution!(Conv1d, 3, "`[n, channels_in, length]` → `[n, channels_out, length_out]`.");
convolution!(Conv2d, 4, "`[n, channels_in, height, width]` → `[n, channels_out, height_out, width_out]`.");
convolution!(
    Conv3d,
    5,
    "`[n, channels_in, depth, height, width]` → `[n, channels_out, depth_out, height_out, width_out]`.",
    "",
    "`Same` padding that is not symmetric (even kernels, some strides) works here; the plain layer refuses it."
);

macro_rules! transposed_convolution {
    ($layer:ty, $rank:literal, $shape:literal) => {
        impl Local<$layer> {
            #[doc = $shape]
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

transposed_convolution!(ConvTranspose1d, 3, "`[n, channels_in, length]` → `[n, channels_out, length_out]`.");
transposed_convolution!(
    ConvTranspose2d,
    4,
    "`[n, channels_in, height, width]` → `[n, channels_out, height_out, width_out]`."
);
transposed_convolution!(
    ConvTranspose3d,
    5,
    "`[n, channels_in, depth, height, width]` → `[n, channels_out, depth_out, height_out, width_out]`."
);
