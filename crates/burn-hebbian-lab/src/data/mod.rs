//! Labeled images: known data sets, parts, whitening, augmentation, orders.
//!
//! - [`DataSet`], [`Source`]: CIFAR-10, CIFAR-100, MNIST, Fashion-MNIST and class folders, by name or as found
//! - [`Labeled`]: images in memory, or features that a layer made of them, and their classes
//! - [`ImageFolder`]: images that memory does not hold, decoded when asked for
//! - [`Parts`], [`stratified`], [`last_fifth`]: what is held out, a share of the labels
//! - [`ChannelStatistics`], [`contrast`]: standardized, contrast-normalized images
//! - [`Spectrum`], [`PatchWhiteningConfig`]: whitening of whole images, or of patches, to be folded into filters
//! - [`ImageBatcher`], [`Augmentation`]: batches for loaders, flipped and shifted
//! - [`ReadAheadLoader`]: batches made by threads of their own while a model trains
//! - `download` (feature of that name): the official files, fetched and verified
//! - [`shuffled`], [`in_order`]: orders that depend on a seed and an epoch alone
//!
//! ```no_run
//! use std::path::Path;
//!
//! use burn_hebbian_lab::data::{DataSet, stratified};
//!
//! let parts = DataSet::read(Path::new("data/cifar-10-batches-bin"))?.hold_out_last_fifth()?;
//! // one image in twenty keeps its label
//! let (labeled, _) = stratified(&parts.training.labels, 0.05, 1)?;
//! let labeled = parts.training.select(&labeled);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod augmentation;
mod batcher;
mod channels;
mod cifar;
pub mod contrast;
#[cfg(feature = "download")]
pub mod download;
mod error;
mod folder;
mod idx;
mod labeled;
mod read_ahead;
mod set;
mod source;
mod split;
mod whitening;

pub use augmentation::Augmentation;
pub use batcher::ImageBatcher;
pub use channels::ChannelStatistics;
pub use error::DataError;
pub use folder::{Colors, ImageFolder, ImageFolderConfig, ImageSize};
pub use labeled::{Labeled, LabeledImage};
pub use read_ahead::ReadAheadLoader;
pub use set::{DataSet, Parts};
pub use source::Source;
pub use split::{SHARES, SplitError, last_fifth, stratified};
pub use whitening::{
    FoldedFilters, PatchSpectrum, PatchWhiteningConfig, PatchZca, Spectrum, WhiteningError,
    WhiteningFileError, Zca,
};

pub use burn_hebbian_train::{in_order, shuffled};

/// A byte of a pixel as a number in 0..=1.
fn brightness(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}
