//! Layers that learn by local rules, for [Burn](burn).
//!
//! [`Local<L>`] wraps a plain Burn layer in your own model; records and pretrained weights of the plain layer
//! load unchanged. [`HebbianConv2d`] and [`HebbianLinear`] are the same layers, ready made with a rule, an
//! output function and, for convolutions, reflect padding.
//!
//! A layer runs one convolution with its weight a step, the forward's own. What it learns is decided by who
//! observes the pass (see [`burn_hebbian_core::observe`]); unobserved, it is a plain layer.

mod config;
mod geometry;
mod local;
mod output;
mod padding;
mod step;
mod trainable;

pub use config::{HebbianConv2dConfig, HebbianLinearConfig};
pub use local::{HebbianConv2d, HebbianLinear, Local};
pub use output::Output;
pub use padding::PaddingMode;
pub use trainable::Trainable;
