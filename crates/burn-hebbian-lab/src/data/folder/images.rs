//! Images on disk, decoded when asked for.

use std::path::{Path, PathBuf};

use burn::data::dataset::{Dataset, DatasetError};

use super::{ImageFolderConfig, damaged, decode::Frame, listing::Files};
use crate::data::{DataError, Labeled, LabeledImage, shuffled};

/// The seed of the one order that trees are read in.
const ORDER: u64 = 0;

/// The images of class folders, decoded when asked for: a [`Dataset`] for data that memory does not hold. Made by
/// [`ImageFolderConfig::open`]. A [`ReadAheadLoader`](crate::data::ReadAheadLoader) decodes while a model trains.
///
/// Through [`Dataset`] an image that cannot be read is a [`DatasetError`] around the [`DataError`], with the same message.
#[derive(Debug, Clone)]
pub struct ImageFolder {
    files: Files,
    classes: Vec<String>,
    frame: Frame,
    damaged: Vec<PathBuf>,
}

impl ImageFolder {
    /// The `files` of `dir`, at least one; without a frame given, the first may say how large all are.
    pub(super) fn list(
        dir: &Path,
        mut files: Files,
        classes: Vec<String>,
        config: &ImageFolderConfig,
        frame: Option<Frame>,
    ) -> Result<Self, DataError> {
        let mut damaged = vec![];
        if config.skip_damaged == Some(true) {
            (files, damaged) = damaged::split(dir, files, &classes)?;
        }
        let first = files.first().map(|(path, _)| path.as_path()).unwrap_or(dir);
        let frame = frame.map_or_else(|| Frame::new(config.size, config.colors, first), Ok)?;
        let order = shuffled(files.len(), ORDER, 0);
        Ok(Self { files, classes, frame, damaged }.select(&order))
    }

    pub(super) fn frame(&self) -> Frame {
        self.frame
    }

    /// The names of the classes, in the order of the labels; none of [images without
    /// labels](ImageFolderConfig::open_unlabeled).
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Channels, height and width of every image.
    pub fn dims(&self) -> [usize; 3] {
        self.frame.dims()
    }

    /// The label of every image, without decoding it.
    pub fn labels(&self) -> Vec<u16> {
        self.files.iter().map(|(_, label)| *label).collect()
    }

    /// The images that were [skipped](ImageFolderConfig::skipping_damaged), class after class; none unless that was asked
    /// for.
    pub fn damaged(&self) -> &[PathBuf] {
        &self.damaged
    }

    /// These images alone, in this order.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn select(&self, indices: &[usize]) -> Self {
        let files = indices.iter().map(|&index| self.files[index].clone()).collect();
        Self { files, classes: self.classes.clone(), frame: self.frame, damaged: self.damaged.clone() }
    }

    /// Decodes image `index`.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded or has the wrong size.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn image(&self, index: usize) -> Result<LabeledImage, DataError> {
        let (path, label) = &self.files[index];
        let values = self.frame.decode(path)?;
        Ok(LabeledImage { index, dims: self.dims(), values, label: *label })
    }

    /// Decodes all images.
    ///
    /// # Errors
    ///
    /// As [`image`](Self::image), for the first image that is broken.
    pub fn load(&self) -> Result<Labeled, DataError> {
        let mut images = Labeled::with_capacity(self.dims(), self.files.len());
        for index in 0..self.files.len() {
            let LabeledImage { values, label, .. } = self.image(index)?;
            images.push(values, label);
        }
        Ok(images)
    }
}

impl Dataset<LabeledImage> for ImageFolder {
    fn get(&self, index: usize) -> Result<LabeledImage, DatasetError> {
        self.image(index).map_err(DatasetError::new)
    }

    fn len(&self) -> usize {
        self.files.len()
    }
}
