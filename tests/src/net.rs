//! A small hybrid network: two local layers around a plain one.

use burn::{
    module::Module,
    nn::{
        Linear, LinearConfig,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor, activation::relu},
};
use burn_hebbian::prelude::*;

/// conv1 → relu → conv2 → relu → fc, on `[n, 2, 6, 5]` with 3 classes.
#[derive(Module, Debug)]
pub struct Net {
    /// Plain, below the local layer.
    pub conv1: Conv2d,
    /// Local.
    pub conv2: Local<Conv2d>,
    /// Local too, so that a plan can choose.
    pub fc: Local<Linear>,
}

/// The plain twin of [`Net`], with the same paths.
#[derive(Module, Debug)]
pub struct PlainNet {
    /// As in [`Net`].
    pub conv1: Conv2d,
    /// As in [`Net`].
    pub conv2: Conv2d,
    /// As in [`Net`].
    pub fc: Linear,
}

impl PlainNet {
    /// A network with random weights.
    pub fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([2, 4], [3, 3]).init(device),
            conv2: Conv2dConfig::new([4, 5], [2, 2]).init(device),
            fc: LinearConfig::new(5 * 3 * 2, 3).init(device),
        }
    }

    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = relu(self.conv2.forward(relu(self.conv1.forward(x))));
        self.fc.forward(x.flatten(1, 3))
    }
}

impl From<PlainNet> for Net {
    fn from(plain: PlainNet) -> Self {
        Self { conv1: plain.conv1, conv2: Local::new(plain.conv2), fc: Local::new(plain.fc) }
    }
}

impl Net {
    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = relu(self.conv2.forward(relu(self.conv1.forward(x))));
        self.fc.forward(x.flatten(1, 3))
    }
}
