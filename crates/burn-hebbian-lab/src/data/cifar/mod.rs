//! CIFAR-10 and CIFAR-100 in the official binary files.
//!
//! A file is a row of records: the label (of CIFAR-100 the superclass, then the class), then planes of red, green and
//! blue, a byte a pixel.
//!
//! Source: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images* (2009).

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{DataError, DataSet, Labeled, brightness};

/// Channels, height, width.
pub(super) const DIMS: [usize; 3] = [3, 32, 32];

/// Bytes of an image.
const PIXELS: usize = DIMS[0] * DIMS[1] * DIMS[2];

/// How a data set lies on disk.
pub(super) struct Layout {
    /// The folder that the official archive unpacks to.
    pub(super) archive: &'static str,
    training: &'static [&'static str],
    test: &'static [&'static str],
    /// Records of a training and of a test file.
    records: [usize; 2],
    /// Bytes before the pixels, and which of them is the label.
    labels: (usize, usize),
    pub(super) classes: usize,
    /// The file of the names of the classes, a line each.
    names: &'static str,
}

impl Layout {
    pub(super) const CIFAR_10: Self = Self {
        archive: "cifar-10-batches-bin",
        training: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: &["test_batch.bin"],
        records: [10_000, 10_000],
        labels: (1, 0),
        classes: 10,
        names: "batches.meta.txt",
    };

    pub(super) const CIFAR_100: Self = Self {
        archive: "cifar-100-binary",
        training: &["train.bin"],
        test: &["test.bin"],
        records: [50_000, 10_000],
        labels: (2, 1),
        classes: 100,
        names: "fine_label_names.txt",
    };

    pub(super) const CIFAR_100_COARSE: Self =
        Self { labels: (2, 0), classes: 20, names: "coarse_label_names.txt", ..Self::CIFAR_100 };

    /// What is looked for, in words.
    pub(super) fn files(&self) -> String {
        let Self { training, test, archive, .. } = self;
        format!("{} … {} (or a folder {archive} of them)", training[0], test[0])
    }

    /// The folder of the binary files in or under `dir`, if there is one.
    pub(super) fn folder(&self, dir: &Path) -> Option<PathBuf> {
        let nested = dir.join(self.archive);
        if nested.is_dir() {
            return Some(nested);
        }
        let any = self.training.iter().chain(self.test).any(|name| dir.join(name).exists());
        any.then(|| dir.to_path_buf())
    }

    /// Reads all files.
    pub(super) fn read(&self, folder: &Path) -> Result<DataSet, DataError> {
        let [training, test] = self.records;
        Ok(DataSet {
            classes: self.class_names(folder)?,
            training: self.part(folder, self.training, training)?,
            test: self.part(folder, self.test, test)?,
        })
    }

    fn part(&self, folder: &Path, names: &[&str], records: usize) -> Result<Labeled, DataError> {
        let mut images = Labeled::with_capacity(DIMS, names.len() * records);
        for name in names {
            self.append(&mut images, &folder.join(name), records)?;
        }
        Ok(images)
    }

    /// Adds the images of one file, which holds exactly `records`.
    fn append(&self, images: &mut Labeled, path: &Path, records: usize) -> Result<(), DataError> {
        let bytes = fs::read(path).map_err(DataError::io(path))?;
        let expected = self.labels.0 + PIXELS;
        let path = || path.to_path_buf();
        if bytes.is_empty() {
            return Err(DataError::Empty { path: path() });
        }
        for (offset, record) in (0..).step_by(expected).zip(bytes.chunks(expected)) {
            if record.len() < expected {
                return Err(DataError::ShortRecord { path: path(), offset, got: record.len(), expected });
            }
            let (label, pixels) = self.record(record);
            if usize::from(label) >= self.classes {
                let (offset, classes) = (offset + self.labels.1, self.classes);
                return Err(DataError::Label { path: path(), offset, label, classes });
            }
            images.push(pixels.iter().copied().map(brightness), label.into());
        }
        match bytes.len() / expected {
            got if got == records => Ok(()),
            got => Err(DataError::Records { path: path(), offset: bytes.len(), got, expected: records }),
        }
    }

    /// Label and pixels.
    fn record<'a>(&self, record: &'a [u8]) -> (u8, &'a [u8]) {
        let (labels, pixels) = record.split_at(self.labels.0);
        (labels[self.labels.1], pixels)
    }

    /// The names in the archive's own list; without it, numbers.
    fn class_names(&self, folder: &Path) -> Result<Vec<String>, DataError> {
        let path = folder.join(self.names);
        if !path.exists() {
            return Ok((0..self.classes).map(|class| class.to_string()).collect());
        }
        let text = fs::read_to_string(&path).map_err(DataError::io(&path))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let names: Vec<String> = lines.map(str::to_string).collect();
        match names.len() {
            got if got == self.classes => Ok(names),
            got => Err(DataError::Names { path, got, expected: self.classes }),
        }
    }
}

#[cfg(test)]
mod tests;
