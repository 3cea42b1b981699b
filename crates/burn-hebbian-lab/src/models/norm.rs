//! The batch normalization of all models.

use crate::prelude::*;
use burn::{
    nn::{BatchNorm, BatchNormConfig},
    tensor::Device,
};

/// Normalizes `channels`; γ and β learn by backprop, unless a plan freezes them.
pub fn norm(channels: usize, device: &Device) -> SyncBatchNorm {
    SyncBatchNorm::new(BatchNormConfig::new(channels).init(device))
}

/// Normalizes `channels`; γ stays 1 and β stays 0.
pub fn fixed_norm(channels: usize, device: &Device) -> SyncBatchNorm {
    let norm = BatchNormConfig::new(channels).init(device);
    SyncBatchNorm::new(BatchNorm {
        gamma: norm.gamma.set_require_grad(false),
        beta: norm.beta.set_require_grad(false),
        ..norm
    })
}
