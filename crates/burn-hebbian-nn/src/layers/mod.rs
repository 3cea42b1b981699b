//! Layers that learn by local rules.

mod bidirectional;
mod config;
mod forward;
mod local;
mod norm;
mod states;
mod synapses;
mod trainable;

pub use bidirectional::Bidirectional;
pub use config::{
    HebbianConv1dConfig, HebbianConv2dConfig, HebbianConv3dConfig, HebbianConvTranspose1dConfig,
    HebbianConvTranspose2dConfig, HebbianConvTranspose3dConfig, HebbianLinearConfig,
};
pub use local::{
    HebbianConv1d, HebbianConv2d, HebbianConv3d, HebbianConvTranspose1d, HebbianConvTranspose2d,
    HebbianConvTranspose3d, HebbianLinear, Local,
};
pub use norm::{SyncBatchNorm, Then};
pub use synapses::Synapses;
pub use trainable::Trainable;
