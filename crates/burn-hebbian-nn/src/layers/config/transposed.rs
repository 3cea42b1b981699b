//! Transposed convolutions over one, two and three dimensions.

use burn::{
    config::Config,
    nn::{
        Initializer,
        conv::{ConvTranspose1dConfig, ConvTranspose2dConfig, ConvTranspose3dConfig},
    },
    tensor::Device,
};
use burn_hebbian_core::{Rule, RuleError};
use serde::{Deserialize, Serialize};

use super::{
    checked, convolution_config,
    sizes::{ones, unpadded},
    uniform,
};
use crate::{HebbianConvTranspose1d, HebbianConvTranspose2d, HebbianConvTranspose3d, Local, Output};

convolution_config! {
    /// Configuration of a [`HebbianConvTranspose1d`]: a transposed convolution over one dimension without
    /// bias, its rule and its output function.
    ///
    /// An output has `(length − 1) · stride + dilation · (kernel_size − 1) + padding_out − 2 · padding + 1`
    /// positions. A neuron is an output channel; what it sees is described at
    /// [`HebbianConvTranspose2dConfig`].
    HebbianConvTranspose1dConfig: HebbianConvTranspose1d, usize, usize,
    /// Additional elements at the end of the output.
    padding_out: usize,
    /// With additional elements at the end of the output.
    with_padding_out
}

convolution_config! {
    /// Configuration of a [`HebbianConvTranspose2d`]: a transposed convolution, its rule and its
    /// output function.
    ///
    /// Sizes are height and width; on each axis an output has
    /// `(size − 1) · stride + dilation · (kernel_size − 1) + padding_out − 2 · padding + 1` positions.
    ///
    /// A neuron is an output channel. Its patch at an output position is the input that reaches it, with
    /// `stride − 1` zeros stuffed between the input's elements and zeros in the padding, under the mirrored
    /// kernel. So with a stride the norms of patches differ from position to position, as they do at a padded
    /// border, and positions that no input reaches see an empty patch. Competition by cosine does not depend on
    /// the norms.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use burn_hebbian_core::Rule;
    /// use burn_hebbian_nn::HebbianConvTranspose2dConfig;
    ///
    /// let device = Device::flex();
    /// let decoder = HebbianConvTranspose2dConfig::new([16, 8], [3, 3], Rule::swta())
    ///     .with_stride([2, 2])
    ///     .with_padding([1, 1])
    ///     .with_padding_out([1, 1])
    ///     .init(&device);
    /// let y = decoder.forward(Tensor::ones([4, 16, 7, 7], &device));
    /// assert_eq!(y.dims(), [4, 8, 14, 14]);
    /// ```
    HebbianConvTranspose2dConfig: HebbianConvTranspose2d, [usize; 2], [usize; 2],
    /// Additional elements at the end of the output's axes.
    padding_out: [usize; 2],
    /// With additional elements at the end of the output's axes.
    with_padding_out
}

convolution_config! {
    /// Configuration of a [`HebbianConvTranspose3d`]: a transposed convolution over volumes, its
    /// rule and its output function.
    ///
    /// Sizes are depth, height and width; on each axis an output has
    /// `(size − 1) · stride + dilation · (kernel_size − 1) + padding_out − 2 · padding + 1` positions. A
    /// neuron is an output channel; what it sees is described at [`HebbianConvTranspose2dConfig`].
    HebbianConvTranspose3dConfig: HebbianConvTranspose3d, [usize; 3], [usize; 3],
    /// Additional elements at the end of the output's axes.
    padding_out: [usize; 3],
    /// With additional elements at the end of the output's axes.
    with_padding_out
}

/// The plain layers' builders have the same setters.
macro_rules! plain {
    ($($config:ident, $burn:ident => $hebbian:ident;)*) => {$(
        impl $config {
            fn plain(&self, device: &Device) -> $hebbian {
                let config = $burn::new(self.channels, self.kernel_size)
                    .with_stride(self.stride)
                    .with_dilation(self.dilation)
                    .with_groups(self.groups)
                    .with_padding(self.padding)
                    .with_padding_out(self.padding_out)
                    .with_initializer(self.initializer.clone())
                    .with_bias(false);
                Local::new(config.init(device))
            }
        }
    )*};
}

plain! {
    HebbianConvTranspose1dConfig, ConvTranspose1dConfig => HebbianConvTranspose1d;
    HebbianConvTranspose2dConfig, ConvTranspose2dConfig => HebbianConvTranspose2d;
    HebbianConvTranspose3dConfig, ConvTranspose3dConfig => HebbianConvTranspose3d;
}
