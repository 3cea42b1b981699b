//! The batch normalisation of all models: the one place where its type is chosen.

use burn::{
    nn::{BatchNorm, BatchNormConfig},
    tensor::Device,
};

/// Batch normalisation of all models, by batch statistics in training and by running ones otherwise.
pub type Norm = BatchNorm;

/// Normalises `channels`; γ and β learn by backprop, unless a plan freezes them.
pub fn norm(channels: usize, device: &Device) -> Norm {
    BatchNormConfig::new(channels).init(device)
}

/// Normalises `channels`; γ stays 1 and β stays 0.
pub fn fixed_norm(channels: usize, device: &Device) -> Norm {
    let mut norm = norm(channels, device);
    norm.gamma = norm.gamma.set_require_grad(false);
    norm.beta = norm.beta.set_require_grad(false);
    norm
}
