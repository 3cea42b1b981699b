//! What the examples share: models, data, whitening, a linear probe, pictures and numbers.
//!
//! - [`digits`]: the embedded data set of the quickstart, and its fixed split
//! - [`models`]: known networks of local layers
//! - [`measure`]: seconds, peak memory, mean and spread
//! - [`progress`]: progress bars
//! - [`strategies`]: ways to compute the update of a layer
//! - [`reproduce`]: tables of the literature

pub mod digits;
pub mod measure;
pub mod models;
pub mod progress;
pub mod reproduce;
pub mod strategies;
