//! One layer, and what goes into it.

use std::fmt;

use burn::{
    nn::{
        PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Distribution, Tensor},
};

/// A square convolution on a square input.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The network it is a layer of.
    pub net: &'static str,
    /// Images.
    pub batch: usize,
    /// Channels in and neurons.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Padding on every side.
    pub padding: usize,
    /// Groups.
    pub groups: usize,
    /// Height and width of the input.
    pub size: usize,
}

/// A case: batch, channels, kernel, stride, padding, groups, size.
pub const fn case(
    net: &'static str,
    batch: usize,
    channels: [usize; 2],
    [kernel, stride, padding]: [usize; 3],
    groups: usize,
    size: usize,
) -> Case {
    Case { net, batch, channels, kernel, stride, padding, groups, size }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { net, batch, channels: [channels, neurons], kernel, stride, padding, groups, size } = self;
        write!(f, "{net} {channels}→{neurons} k{kernel} s{stride} p{padding}")?;
        if *groups > 1 {
            write!(f, " g{groups}")?;
        }
        write!(f, " {size}² n{batch}")
    }
}

impl Case {
    /// Neurons in one group.
    pub fn neurons_of_group(&self) -> usize {
        self.channels[1] / self.groups
    }

    /// The layer, without bias.
    pub fn conv(&self, device: &Device) -> Conv2d {
        let padding = PaddingConfig2d::Explicit(self.padding, self.padding, self.padding, self.padding);
        Conv2dConfig::new(self.channels, [self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_padding(padding)
            .with_groups(self.groups)
            .with_bias(false)
            .init(device)
    }

    /// A batch of inputs.
    pub fn input(&self, device: &Device) -> Tensor<4> {
        Tensor::random(self.input_dims(), Distribution::Normal(0.0, 1.0), device)
    }

    /// The dimensions of [`input`](Self::input).
    pub fn input_dims(&self) -> [usize; 4] {
        [self.batch, self.channels[0], self.size, self.size]
    }

    /// Height and width of the output.
    pub fn output_size(&self) -> usize {
        (self.size + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Neurons, fan-in (of a group) and patches.
    pub fn sizes(&self) -> [usize; 3] {
        let [channels, neurons] = self.channels;
        let fan_in = channels / self.groups * self.kernel * self.kernel;
        [neurons, fan_in, self.batch * self.output_size() * self.output_size()]
    }

    /// The same layer on fewer and smaller images: at most `batch`, with outputs of at most `size` × `size`.
    pub fn reduced(&self, batch: usize, size: usize) -> Self {
        let size = size.min(self.output_size());
        let size = (size - 1) * self.stride + self.kernel - 2 * self.padding;
        Self { batch: self.batch.min(batch), size, ..*self }
    }

    /// Values in the shape of the output.
    pub fn coefficients(&self, device: &Device) -> Tensor<4> {
        let size = self.output_size();
        Tensor::random([self.batch, self.channels[1], size, size], Distribution::Normal(0.0, 1.0), device)
    }
}
