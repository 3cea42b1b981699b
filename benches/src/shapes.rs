//! Layer shapes of the literature.

use std::fmt;

use burn::{
    nn::conv::{Conv2d, Conv2dConfig},
    tensor::{Device, Distribution, Tensor},
};

/// A convolution of stride 1 without padding, and the size of its input.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Channels in.
    pub channels: usize,
    /// Neurons.
    pub neurons: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Height and width of the input.
    pub size: usize,
}

/// The convolutions of the six-layer net (Lagani 2019) on 32×32 images.
pub const SIX_LAYER_NET: [Shape; 4] = [
    Shape { channels: 3, neurons: 96, kernel: 5, size: 32 },
    Shape { channels: 96, neurons: 128, kernel: 3, size: 14 },
    Shape { channels: 128, neurons: 192, kernel: 3, size: 12 },
    Shape { channels: 192, neurons: 256, kernel: 3, size: 5 },
];

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channels, neurons, kernel, size } = self;
        write!(f, "{channels}→{neurons} k{kernel} {size}²")
    }
}

impl Shape {
    /// The layer, without bias.
    pub fn conv(&self, device: &Device) -> Conv2d {
        let kernel = [self.kernel, self.kernel];
        Conv2dConfig::new([self.channels, self.neurons], kernel).with_bias(false).init(device)
    }

    /// A batch of inputs.
    pub fn input(&self, batch: usize, device: &Device) -> Tensor<4> {
        Tensor::random([batch, self.channels, self.size, self.size], Distribution::Normal(0.0, 1.0), device)
    }
}
