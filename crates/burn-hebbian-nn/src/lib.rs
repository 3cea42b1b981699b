//! Layers that learn by local rules, for [Burn](burn).
//!
//! [`Local<L>`] wraps a plain Burn layer in your own model; records and pretrained weights of the plain layer
//! load unchanged. [`HebbianConv2d`], [`HebbianLinear`] and the others are the same layers, ready made with a
//! rule, an output function and, for convolutions, reflect padding. All rules work on all of them: linear
//! layers, convolutions and transposed convolutions over one to three dimensions, grouped and depthwise ones
//! included.
//!
//! A layer runs one convolution with its weight a step, the forward's own (Krotov–Hopfield's similarity needs a
//! second). What it learns is decided by who
//! observes the pass (see [`burn_hebbian_core::observe`]); unobserved, it is a plain layer.

mod backend;
mod blocks;
mod config;
mod forms;
mod fused;
mod geometry;
mod gradient;
mod local;
mod mixing;
mod norm;
mod output;
mod padding;
mod parallel;
mod step;
mod trainable;

pub use config::{
    HebbianConv1dConfig, HebbianConv2dConfig, HebbianConv3dConfig, HebbianConvTranspose1dConfig,
    HebbianConvTranspose2dConfig, HebbianConvTranspose3dConfig, HebbianLinearConfig,
};
pub use forms::{CorrelationForm, Forms, MixingForm};
pub use local::{
    HebbianConv1d, HebbianConv2d, HebbianConv3d, HebbianConvTranspose1d, HebbianConvTranspose2d,
    HebbianConvTranspose3d, HebbianLinear, Local,
};
pub use mixing::mix;
pub use norm::SyncBatchNorm;
pub use output::Output;
pub use padding::PaddingMode;
pub use trainable::Trainable;
