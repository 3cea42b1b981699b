//! Experiments with local learning: what is not needed to train, and makes numbers and pictures of it.
//!
//! - [`data`]: image data sets, augmentation, whitening
//! - [`evaluation`]: probes, neighbors, retrieval, statistics
//! - [`diagnostics`]: what goes on in local layers while they train
//! - [`pictures`]: filters, charts
//! - [`export`]: weights and features for other programs
//! - [`digits`]: the embedded data set
//! - `models` (feature `models`): known networks of local layers
//! - `reproduce` (feature `reproduce`): tables of the literature; with `arguments`, `measure`, `progress` and `strategies`,
//!   ways to compute the update of a layer
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "reproduce")]
pub mod arguments;
pub mod data;
pub mod diagnostics;
pub mod digits;
pub mod evaluation;
pub mod export;
#[cfg(feature = "reproduce")]
pub mod measure;
#[cfg(feature = "models")]
pub mod models;
pub mod pictures;
#[cfg(feature = "reproduce")]
pub mod progress;
#[cfg(feature = "reproduce")]
pub mod reproduce;
#[cfg(feature = "reproduce")]
pub mod strategies;

/// What experiments take from the other crates.
#[cfg(feature = "models")]
mod prelude {
    pub(crate) use burn_hebbian_core::*;
    pub(crate) use burn_hebbian_nn::*;
    pub(crate) use burn_hebbian_optim::*;
}
