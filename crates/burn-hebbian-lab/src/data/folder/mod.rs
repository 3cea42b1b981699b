//! Trees of class folders: `train/CLASS/*.jpg` and `test/CLASS/*.jpg`, or PNGs.

mod damaged;
mod decode;
mod files;
mod images;
mod jpeg;

use std::path::{Path, PathBuf};

use burn::config::Config;
use serde::{Deserialize, Serialize};

pub use images::ImageFolder;

use super::{DataError, DataSet};

/// The folder of the training images, and those that the test images may lie in.
const TRAINING: &str = "train";
const TEST: [&str; 2] = ["test", "val"];

/// Which size images have, or are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ImageSize {
    /// The size of the first training image; another one is an error.
    AsFirst,
    /// This size; another one is an error.
    Expected {
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
    /// Any size, brought to this one: scaled until it just covers it, the overhang cut off alike on both sides.
    Resized {
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
}

/// The colours that images are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Colours {
    /// Three channels: red, green, blue.
    Rgb,
    /// One channel: brightness.
    Grey,
}

/// How a tree of class folders is read.
///
/// Labels are the positions of the class folders in alphabetical order. Images come in one fixed shuffled order: every
/// stretch of it holds all classes. Files and folders that are hidden, or left by a system or an archive, are no data:
/// names that begin with a dot, `__MACOSX`.
///
/// A damaged image, one that cannot be decoded or a JPEG without its end, is an error that names it, or is
/// [skipped](Self::skipping_damaged).
#[derive(Config, Debug, PartialEq)]
pub struct ImageFolderConfig {
    /// The images' size.
    #[config(default = "ImageSize::AsFirst")]
    pub size: ImageSize,
    /// The images' colours.
    #[config(default = "Colours::Rgb")]
    pub colours: Colours,
    /// How many class folders there must be, if it is known.
    #[config(default = "None")]
    pub classes: Option<usize>,
    /// Whether damaged images are skipped, rather than an error; not unless it is said.
    #[config(default = "None")]
    pub skip_damaged: Option<bool>,
}

impl ImageFolderConfig {
    /// Skips damaged images; [`ImageFolder::damaged`] lists them. All images are decoded once to find them.
    ///
    /// ```no_run
    /// use std::path::Path;
    ///
    /// use burn_hebbian_lab::data::ImageFolderConfig;
    ///
    /// let folder = ImageFolderConfig::new().skipping_damaged().open(Path::new("flowers"))?;
    /// println!("{} images, {} damaged", folder.labels().len(), folder.damaged().len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn skipping_damaged(self) -> Self {
        self.with_skip_damaged(Some(true))
    }

    /// Reads all images of `dir/train/CLASS` and `dir/test/CLASS`, or `dir/val/CLASS`, into memory.
    ///
    /// # Errors
    ///
    /// If a part is missing, its classes are not those expected, or an image cannot be decoded or has a wrong size.
    pub fn read(&self, dir: &Path) -> Result<DataSet, DataError> {
        let [training, test] = self.open_parts(dir)?;
        let classes = training.classes().to_vec();
        Ok(DataSet { training: training.load()?, test: test.load()?, classes })
    }

    /// Lists the images of `dir/train/CLASS` and `dir/test/CLASS`, or `dir/val/CLASS`, to be read when asked for.
    ///
    /// # Errors
    ///
    /// If a part is missing, its classes are not those expected, or the first image cannot be decoded where the size is
    /// to be [as the first](ImageSize::AsFirst).
    pub fn open_parts(&self, dir: &Path) -> Result<[ImageFolder; 2], DataError> {
        let training = self.open(&dir.join(TRAINING))?;
        let test_dir = test_folder(dir);
        let tested = files::classes(&test_dir)?;
        files::check(&test_dir, &tested, tested == training.classes(), || {
            format!("the classes of `{TRAINING}`")
        })?;
        let test = ImageFolder::list(&test_dir, tested, self, Some(training.frame()))?;
        Ok([training, test])
    }

    /// Lists the images of `dir/CLASS`, to be read when asked for.
    ///
    /// # Errors
    ///
    /// As [`open_parts`](Self::open_parts).
    pub fn open(&self, dir: &Path) -> Result<ImageFolder, DataError> {
        let classes = files::classes(dir)?;
        let wanted = self.classes.unwrap_or(classes.len().clamp(1, files::MAX_CLASSES));
        files::check(dir, &classes, classes.len() == wanted, || match self.classes {
            Some(count) => format!("{count} class folders"),
            None => format!("1 to {} class folders", files::MAX_CLASSES),
        })?;
        ImageFolder::list(dir, classes, self, None)
    }
}

/// What is looked for, in words.
pub(super) fn files() -> String {
    format!("folders {TRAINING}/CLASS and {}/CLASS of images", TEST[0])
}

/// Whether `dir` looks like a tree of class folders.
pub(super) fn is_in(dir: &Path) -> bool {
    dir.join(TRAINING).is_dir()
}

/// The folder of the test images; the usual name where there is none.
fn test_folder(dir: &Path) -> PathBuf {
    let [usual, other] = TEST.map(|name| dir.join(name));
    if other.is_dir() && !usual.is_dir() { other } else { usual }
}

#[cfg(test)]
mod tests;
