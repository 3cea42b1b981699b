//! CIFAR-10 from disk: the official binary files, or a tree of class folders.
//!
//! Source: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images* (2009).

mod binary;
mod error;
mod tree;

use std::path::Path;

pub use error::DataError;

use crate::data::Labelled;

/// Height and width of an image.
pub const SIDE: usize = 32;

/// Number of classes.
pub const CLASSES: usize = 10;

/// Channels, height, width.
const DIMS: [usize; 3] = [3, SIDE, SIDE];

/// CIFAR-10, pixels in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct Cifar10 {
    /// The official training images.
    pub training: Labelled,
    /// The official test images.
    pub test: Labelled,
}

impl Cifar10 {
    /// Reads `dir/cifar-10-batches-bin/data_batch_1.bin …`, the same files in `dir` itself, or the images
    /// `dir/train/CLASS/*.jpg` (or `.png`) and `dir/test/CLASS/*.jpg`.
    ///
    /// # Errors
    ///
    /// If there is neither, or a file is missing or damaged.
    pub fn read(dir: &Path) -> Result<Self, DataError> {
        if let Some(folder) = binary::folder(dir) {
            binary::read(&folder, binary::RECORDS)
        } else if dir.join(tree::TRAINING).is_dir() {
            tree::read(dir)
        } else {
            Err(DataError::NoData { dir: dir.to_path_buf() })
        }
    }
}

/// CIFAR-10 in three parts, as the thesis has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// What is learnt from: the first four fifths of the official training images.
    pub training: Labelled,
    /// What epochs are chosen on: the last fifth of them.
    pub validation: Labelled,
    /// The official test images.
    pub test: Labelled,
}

impl Parts {
    /// Reads `dir` as [`Cifar10::read`] does; of `subset` training images, if given, and a fifth as many test images.
    ///
    /// # Errors
    ///
    /// As [`Cifar10::read`].
    pub fn read(dir: &Path, subset: Option<usize>) -> Result<Self, DataError> {
        let Cifar10 { mut training, mut test } = Cifar10::read(dir)?;
        if let Some(count) = subset {
            training.truncate(count);
            test.truncate(count / 5);
        }
        let kept = training.len() / 5 * 4;
        let held_out: Vec<usize> = (kept..training.len()).collect();
        let validation = training.select(&held_out);
        training.truncate(kept);
        Ok(Self { training, validation, test })
    }
}

/// A byte of a pixel as a number in 0..=1.
fn brightness(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_data_says_what_was_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let message = Cifar10::read(dir.path()).unwrap_err().to_string();
        assert!(message.starts_with(&dir.path().display().to_string()), "{message}");
        assert!(message.contains("data_batch_1.bin") && message.contains("train"), "{message}");
    }
}
