//! Trees of class folders: `train/CLASS/*.jpg` and `test/CLASS/*.jpg`, or other formats; folders without classes.

mod annotated;
mod damaged;
mod decode;
mod files;
mod images;
mod listing;
mod pixels;
mod whole;

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

/// The colors that images are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Colors {
    /// Three channels: red, green, blue.
    Rgb,
    /// One channel: brightness.
    Gray,
}

/// How a tree of class folders is read.
///
/// Labels are the positions of the class folders in alphabetical order. Images come in one fixed shuffled order: every
/// stretch of it holds all classes. Files and folders that are hidden, or left by a system or an archive, are no data:
/// names that begin with a dot, `__MACOSX`.
///
/// # Layouts
///
/// - `CLASS/*.jpg`, or `CLASS/images/*.jpg`
/// - `images/*.jpg` beside `val_annotations.txt`. With these Tiny ImageNet is read as it is downloaded: its `val` is the
///   test part, for its `test` is without labels
/// - `*.jpg` without classes, by [`open_unlabeled`](Self::open_unlabeled) alone
///
/// Images beside class folders or deeper within them have no class: an error that names them.
///
/// # Formats
///
/// JPEG, PNG, BMP, TIFF and WebP, told by their bytes; of several frames or pages the first. The file of an image of
/// another format (`.gif`, `.heic`, …) is an error that names it, other files are no data.
///
/// - 8 or 16 bits a channel, `x / 255` or `x / 65535`; fewer bits and palettes as the colors they stand for. Numbers of
///   32 bits are refused
/// - opacity `α`: over black, `α · x`
/// - CMYK: as RGB, `(1 − c)(1 − k)` and so on, in JPEG by Adobe's convention; color profiles are not applied
/// - gray from colors: `0.299 R + 0.587 G + 0.114 B` (Rec. 601); colors from gray: all three the same
/// - an EXIF orientation is applied: images stand as viewers show them, and have the size that they have then
///
/// # Damaged images
///
/// An image that cannot be decoded, or ends before its last pixel, is an error that names it, or is
/// [skipped](Self::skipping_damaged). JPEGs have no checksum: one with other bytes in its middle may decode to another
/// image.
#[derive(Config, Debug, PartialEq)]
pub struct ImageFolderConfig {
    /// The images' size.
    #[config(default = "ImageSize::AsFirst")]
    pub size: ImageSize,
    /// The images' colors.
    #[config(default = "Colors::Rgb")]
    pub colors: Colors,
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

    /// Reads all images of `dir/train/CLASS` and `dir/test/CLASS`, or `dir/val/CLASS`, into memory; or Tiny ImageNet.
    ///
    /// # Errors
    ///
    /// If a part is missing, its classes are not those expected, or an image cannot be decoded or has a wrong size.
    pub fn read(&self, dir: &Path) -> Result<DataSet, DataError> {
        let [training, test] = self.open_parts(dir)?;
        let classes = training.classes().to_vec();
        Ok(DataSet { training: training.load()?, test: test.load()?, classes })
    }

    /// Lists the images of `dir/train/CLASS` and `dir/test/CLASS`, or `dir/val/CLASS`, to be read when asked for; or those
    /// of Tiny ImageNet.
    ///
    /// # Errors
    ///
    /// If a part is missing, its classes are not those expected, or the first image cannot be decoded where the size is
    /// to be [as the first](ImageSize::AsFirst).
    pub fn open_parts(&self, dir: &Path) -> Result<[ImageFolder; 2], DataError> {
        let training_dir = dir.join(TRAINING);
        let training = self.open(&training_dir)?;
        if let Some(listed) = annotated::listed(dir)? {
            files::check(&training_dir, training.classes(), listed == training.classes(), || {
                format!("the {} classes of `{}`", listed.len(), annotated::CLASSES)
            })?;
        }
        let test_dir = test_folder(dir);
        let tested = files::classes(&test_dir)?;
        files::check(&test_dir, &tested, tested == training.classes(), || {
            format!("the classes of `{TRAINING}`")
        })?;
        let files = files::labeled(&test_dir, &tested)?;
        let test = ImageFolder::list(&test_dir, files, tested, self, Some(training.frame()))?;
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
        let files = files::labeled(dir, &classes)?;
        ImageFolder::list(dir, files, classes, self, None)
    }

    /// Lists the images that lie in `dir` itself, to be read when asked for: images without labels, for rules that need
    /// none. They have the label 0, of no class: [`ImageFolder::classes`] is empty.
    ///
    /// ```
    /// use burn_hebbian_lab::data::ImageFolderConfig;
    ///
    /// let dir = tempfile::tempdir()?;
    /// image::RgbImage::new(4, 3).save(dir.path().join("0.png"))?;
    /// let images = ImageFolderConfig::new().open_unlabeled(dir.path())?;
    /// assert_eq!((images.labels(), images.classes().len(), images.dims()), (vec![0], 0, [3, 3, 4]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there are none, or some in a folder below, or the first image cannot be decoded where the size is to be
    /// [as the first](ImageSize::AsFirst).
    pub fn open_unlabeled(&self, dir: &Path) -> Result<ImageFolder, DataError> {
        ImageFolder::list(dir, files::unlabeled(dir)?, vec![], self, None)
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

/// Images that lie in `dir` itself, as they do where nobody labeled them.
pub(super) fn unlabeled_in(dir: &Path) -> usize {
    listing::Listing::of(dir).map_or(0, |listing| listing.images.len())
}

/// The folder of the test images; the usual name where there is none.
fn test_folder(dir: &Path) -> PathBuf {
    let [usual, other] = TEST.map(|name| dir.join(name));
    let is_other = annotated::is_in(&other) || (other.is_dir() && !usual.is_dir());
    if is_other { other } else { usual }
}

#[cfg(test)]
mod tests;
