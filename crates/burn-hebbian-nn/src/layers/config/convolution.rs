//! Convolutions over one, two and three dimensions.

use burn::{
    config::Config,
    nn::{
        Initializer, PaddingConfig1d, PaddingConfig2d, PaddingConfig3d,
        conv::{Conv1dConfig, Conv2dConfig, Conv3dConfig},
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
use crate::{HebbianConv1d, HebbianConv2d, HebbianConv3d, Local, Output, PaddingMode};

convolution_config! {
    /// Configuration of a [`HebbianConv1d`]: a convolution over one dimension, its rule and its
    /// output function.
    ///
    /// A patch is a window of `kernel_size` samples of all channels of a group; an output has
    /// `(length + padding − dilation · (kernel_size − 1) − 1) / stride + 1` positions.
    ///
    /// ```
    /// use burn::{nn::PaddingConfig1d, tensor::{Device, Tensor}};
    /// use burn_hebbian_core::Rule;
    /// use burn_hebbian_nn::{HebbianConv1dConfig, PaddingMode};
    ///
    /// let device = Device::flex();
    /// let conv = HebbianConv1dConfig::new([2, 16], 9, Rule::sanger())
    ///     .with_stride(2)
    ///     .with_padding(PaddingConfig1d::Explicit(4, 4))
    ///     .with_padding_mode(PaddingMode::Reflect)
    ///     .init(&device);
    /// let y = conv.forward(Tensor::ones([8, 2, 100], &device)); // 8 stereo signals
    /// assert_eq!(y.dims(), [8, 16, 50]);
    /// ```
    HebbianConv1dConfig: HebbianConv1d, usize, PaddingConfig1d,
    /// What lies in the padding.
    padding_mode: PaddingMode,
    /// With another content of the padding.
    with_padding_mode
}

convolution_config! {
    /// Configuration of a [`HebbianConv2d`]: a convolution, its rule and its output function.
    ///
    /// Sizes are height and width. A patch is what the kernel covers, of all channels of a group; on each
    /// axis an output has `(size + padding − dilation · (kernel_size − 1) − 1) / stride + 1` positions.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use burn_hebbian_core::Rule;
    /// use burn_hebbian_nn::{HebbianConv2dConfig, Output};
    ///
    /// let device = Device::flex();
    /// let conv = HebbianConv2dConfig::new([3, 96], [5, 5], Rule::swta())
    ///     .with_output(Output::relu_projection())
    ///     .init(&device);
    /// let y = conv.forward(Tensor::ones([2, 3, 32, 32], &device));
    /// assert_eq!(y.dims(), [2, 96, 28, 28]);
    /// ```
    HebbianConv2dConfig: HebbianConv2d, [usize; 2], PaddingConfig2d,
    /// What lies in the padding.
    padding_mode: PaddingMode,
    /// With another content of the padding.
    with_padding_mode
}

convolution_config! {
    /// Configuration of a [`HebbianConv3d`]: a convolution over volumes or image sequences, its
    /// rule and its output function.
    ///
    /// Sizes are depth, height and width. A patch is what the kernel covers, of all channels of a group; on
    /// each axis an output has `(size + padding − dilation · (kernel_size − 1) − 1) / stride + 1` positions.
    /// `PaddingConfig3d::Same` works for all kernels and strides, also where Burn's own layer refuses it: the
    /// extra element goes to the end of an axis.
    HebbianConv3dConfig: HebbianConv3d, [usize; 3], PaddingConfig3d,
    /// What lies in the padding.
    padding_mode: PaddingMode,
    /// With another content of the padding.
    with_padding_mode
}

impl HebbianConv1dConfig {
    fn plain(&self, device: &Device) -> HebbianConv1d {
        let [channels_in, channels_out] = self.channels;
        let config = Conv1dConfig::new(channels_in, channels_out, self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_padding(self.padding.clone())
            .with_initializer(self.initializer.clone())
            .with_bias(false);
        Local::new(config.init(device)).with_padding_mode(self.padding_mode)
    }
}

impl HebbianConv2dConfig {
    fn plain(&self, device: &Device) -> HebbianConv2d {
        let config = Conv2dConfig::new(self.channels, self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_padding(self.padding.clone())
            .with_initializer(self.initializer.clone())
            .with_bias(false);
        Local::new(config.init(device)).with_padding_mode(self.padding_mode)
    }
}

impl HebbianConv3dConfig {
    fn plain(&self, device: &Device) -> HebbianConv3d {
        let config = Conv3dConfig::new(self.channels, self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_initializer(self.initializer.clone())
            .with_bias(false);
        let mut conv = config.init(device);
        // set here: the config refuses `Same` with even kernels, which a local layer pads itself
        conv.padding = self.padding.clone();
        Local::new(conv).with_padding_mode(self.padding_mode)
    }
}
