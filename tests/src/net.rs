//! A small hybrid network: two local layers around a plain one.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    nn::{
        BatchNormConfig, Linear, LinearConfig,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor, activation::relu},
};
use burn_hebbian::{
    nn::{SyncBatchNorm, replicas::InProcess},
    prelude::*,
};

use crate::values::tensor;

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

/// conv1 → norm1 → relu → conv2 → norm2 → relu → fc, on `[n, 2, 6, 5]` with 3 classes; the same weights every time.
#[derive(Module, Debug)]
pub struct NormNet {
    /// Plain.
    pub conv1: Conv2d,
    /// After it.
    pub norm1: SyncBatchNorm,
    /// Local.
    pub conv2: Local<Conv2d>,
    /// After it.
    pub norm2: SyncBatchNorm,
    /// Plain.
    pub fc: Linear,
}

impl NormNet {
    /// Of one replica.
    pub fn new(device: &Device) -> Self {
        let PlainNet { mut conv1, mut conv2, mut fc } = PlainNet::new(device);
        conv1.weight = Param::from_tensor(tensor(31, [4, 2, 3, 3], device));
        conv2.weight = Param::from_tensor(tensor(32, [5, 4, 2, 2], device));
        fc.weight = Param::from_tensor(tensor(33, [30, 3], device));
        conv1.bias = None;
        conv2.bias = None;
        fc.bias = None;
        let norm = |channels| SyncBatchNorm::new(BatchNormConfig::new(channels).init(device));
        Self { conv1, norm1: norm(4), conv2: Local::new(conv2), norm2: norm(5), fc }
    }

    /// With the statistics of so many replicas.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn synchronized(self, replicas: usize) -> Self {
        let meet = |norm: SyncBatchNorm| {
            norm.synchronized(Arc::new(InProcess::new(replicas).expect("at least one replica")))
        };
        Self { norm1: meet(self.norm1), norm2: meet(self.norm2), ..self }
    }

    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = relu(self.norm1.forward(self.conv1.forward(x)));
        let x = relu(self.norm2.forward(self.conv2.forward(x)));
        self.fc.forward(x.flatten(1, 3))
    }
}
