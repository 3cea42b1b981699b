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
//! observes the pass (see [`observe`]); unobserved, it is a plain layer.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod channelwise;
mod code;
mod cube;
pub mod forms;
mod fused;
mod geometry;
mod gradient;
mod layers;
pub mod observe;
mod parallel;
mod pass;
mod precision;
pub mod replicas;
mod untuned;
mod window;

pub use code::NearestCode;
pub use geometry::{Geometry, PaddingMode};
pub use layers::{
    Bidirectional, HebbianConv1d, HebbianConv1dConfig, HebbianConv2d, HebbianConv2dConfig, HebbianConv3d,
    HebbianConv3dConfig, HebbianConvTranspose1d, HebbianConvTranspose1dConfig, HebbianConvTranspose2d,
    HebbianConvTranspose2dConfig, HebbianConvTranspose3d, HebbianConvTranspose3dConfig, HebbianLinear,
    HebbianLinearConfig, Local, Synapses, SyncBatchNorm, Then, Trainable,
};
pub use pass::{Output, StatePair};
#[doc(hidden)]
pub use window::Window;

/// Parts of a pass and of a step by themselves, for this library's other crates and for benches; no promise is made about
/// them.
#[doc(hidden)]
pub mod internals {
    pub use crate::{channelwise::Descent, pass::recurrence_product};
}
