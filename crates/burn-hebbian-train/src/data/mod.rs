//! Labelled images in memory: known data sets, whitening, orders.
//!
//! - [`Labelled`]: images, or features that a layer made of them, and their classes
//! - [`cifar10`]: CIFAR-10 from its binary files or from a tree of class folders
//! - [`ChannelStatistics`], [`contrast`], [`Spectrum`]: standardised, contrast-normalised, whitened images
//! - [`shuffled`], [`in_order`]: orders that depend on a seed and an epoch alone

mod channels;
pub mod cifar10;
pub mod contrast;
mod labelled;
mod whitening;

pub use channels::ChannelStatistics;
pub use labelled::Labelled;
pub use whitening::{Spectrum, WhiteningError, Zca};

pub use crate::order::{in_order, shuffled};
