//! What the examples share: models, data, whitening, a linear probe, pictures and numbers.
//!
//! - [`labelled`]: labelled images (or features) in memory, and batches of them as tensors
//! - [`digits`]: the embedded data set of the quickstart, and its fixed split
//! - [`cifar10`]: CIFAR-10 from its binary files or from a tree of class folders
//! - [`whitening`]: ZCA whitening of whole images
//! - [`models`]: known networks of local layers
//! - [`batches`]: seeded orders of a data set
//! - [`channels`]: mean and deviation of channels
//! - [`contrast`]: contrast normalisation
//! - [`probe`]: a linear classifier on fixed features
//! - [`score`]: accuracy of a classifier
//! - [`filters`]: pictures of weights
//! - [`measure`]: seconds, peak memory, mean and spread
//! - [`progress`]: progress bars

pub mod batches;
pub mod channels;
pub mod cifar10;
pub mod contrast;
pub mod digits;
pub mod filters;
pub mod labelled;
pub mod measure;
pub mod models;
pub mod probe;
pub mod progress;
pub mod score;
pub mod whitening;
