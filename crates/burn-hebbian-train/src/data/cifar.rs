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

use super::{DataError, DataSet, Labelled, brightness};

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

    fn part(&self, folder: &Path, names: &[&str], records: usize) -> Result<Labelled, DataError> {
        let mut images = Labelled::with_capacity(DIMS, names.len() * records);
        for name in names {
            self.append(&mut images, &folder.join(name), records)?;
        }
        Ok(images)
    }

    /// Adds the images of one file, which holds exactly `records`.
    fn append(&self, images: &mut Labelled, path: &Path, records: usize) -> Result<(), DataError> {
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
mod tests {
    use super::*;
    use tempfile::TempDir;

    const TEN: Layout = Layout { records: [2, 2], ..Layout::CIFAR_10 };
    const HUNDRED: Layout = Layout { records: [2, 1], ..Layout::CIFAR_100 };

    /// A record whose bytes are all `label`.
    fn record(label: u8) -> Vec<u8> {
        vec![label; 1 + PIXELS]
    }

    /// A folder of six files of two records, labels 0..=5 and 9.
    fn folder_of_records() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (label, name) in TEN.training.iter().chain(TEN.test).enumerate() {
            fs::write(dir.path().join(name), [record(label as u8), record(9)].concat()).unwrap();
        }
        dir
    }

    /// A folder of two files, three records in all: superclass, class, pixels of 7.
    fn folder_of_pairs() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let record = |coarse: u8, fine: u8| [vec![coarse, fine], vec![7; PIXELS]].concat();
        fs::write(dir.path().join("train.bin"), [record(19, 99), record(3, 40)].concat()).unwrap();
        fs::write(dir.path().join("test.bin"), record(0, 20)).unwrap();
        dir
    }

    fn error_in(dir: &TempDir, layout: &Layout, change: impl FnOnce(&Path)) -> String {
        change(dir.path());
        layout.read(dir.path()).unwrap_err().to_string().replace(&dir.path().display().to_string(), "DIR")
    }

    fn error_after(change: impl FnOnce(&Path)) -> String {
        error_in(&folder_of_records(), &TEN, change)
    }

    #[test]
    fn reads_labels_and_planes() {
        let dir = folder_of_records();
        let data = TEN.read(dir.path()).unwrap();
        assert_eq!(data.training.labels, [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]);
        assert_eq!(data.test.labels, [5, 9]);
        assert_eq!(data.test.dims, [3, 32, 32]);
        assert!(data.test.image(1).iter().all(|&value| value == 9.0 / 255.0));
    }

    #[test]
    fn classes_and_superclasses_of_the_same_images() {
        let dir = folder_of_pairs();
        let fine = HUNDRED.read(dir.path()).unwrap();
        assert_eq!((&fine.training.labels, &fine.test.labels), (&vec![99, 40], &vec![20]));
        assert!(fine.training.values.iter().all(|value| *value == 7.0 / 255.0));
        let coarse = Layout { records: [2, 1], ..Layout::CIFAR_100_COARSE }.read(dir.path()).unwrap();
        assert_eq!((&coarse.training.labels, &coarse.test.labels), (&vec![19, 3], &vec![0]));
        assert_eq!((coarse.training.values, coarse.classes.len()), (fine.training.values, 20));
    }

    #[test]
    fn class_names_come_from_the_archive() {
        let dir = folder_of_records();
        assert_eq!(TEN.read(dir.path()).unwrap().classes[9], "9");
        let path = dir.path().join("batches.meta.txt");
        fs::write(&path, "a\nb\nc\nd\ne\nf\ng\nh\ni\ntruck\n\n").unwrap();
        assert_eq!(TEN.read(dir.path()).unwrap().classes[9], "truck");
        let error = error_in(&dir, &TEN, |_| fs::write(path, "a\nb\n").unwrap());
        assert_eq!(error, "DIR/batches.meta.txt: 2 class names, expected 10");
    }

    #[test]
    fn finds_the_folder_itself_or_the_nested_one() {
        let dir = folder_of_records();
        assert_eq!(TEN.folder(dir.path()).unwrap(), dir.path());
        let parent = tempfile::tempdir().unwrap();
        assert_eq!(TEN.folder(parent.path()), None);
        fs::create_dir(parent.path().join("cifar-10-batches-bin")).unwrap();
        assert_eq!(TEN.folder(parent.path()).unwrap(), parent.path().join("cifar-10-batches-bin"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = error_after(|dir| fs::remove_file(dir.join("data_batch_3.bin")).unwrap());
        assert_eq!(error, "DIR/data_batch_3.bin: cannot be read");
        let error =
            error_in(&folder_of_pairs(), &HUNDRED, |dir| fs::remove_file(dir.join("test.bin")).unwrap());
        assert_eq!(error, "DIR/test.bin: cannot be read");
    }

    #[test]
    fn an_empty_file_is_named() {
        let error = error_after(|dir| fs::write(dir.join("test_batch.bin"), []).unwrap());
        assert_eq!(error, "DIR/test_batch.bin: empty");
    }

    #[test]
    fn a_truncated_record_is_located() {
        let cut = [record(0), record(1)[..100].to_vec()].concat();
        let error = error_after(|dir| fs::write(dir.join("data_batch_2.bin"), cut).unwrap());
        assert_eq!(error, "DIR/data_batch_2.bin: record at byte 3073 is cut short: 100 of 3073 bytes");
        let cut = vec![0; 3074 + 1];
        let error =
            error_in(&folder_of_pairs(), &HUNDRED, |dir| fs::write(dir.join("train.bin"), cut).unwrap());
        assert_eq!(error, "DIR/train.bin: record at byte 3074 is cut short: 1 of 3074 bytes");
    }

    #[test]
    fn a_wrong_label_is_located() {
        let wrong = [record(0), record(10)].concat();
        let error = error_after(|dir| fs::write(dir.join("data_batch_5.bin"), wrong).unwrap());
        assert_eq!(error, "DIR/data_batch_5.bin: label 10 at byte 3073, expected 0..=9");
        let wrong = [vec![0; 3074], vec![100; 3074]].concat();
        let error =
            error_in(&folder_of_pairs(), &HUNDRED, |dir| fs::write(dir.join("train.bin"), wrong).unwrap());
        assert_eq!(error, "DIR/train.bin: label 100 at byte 3075, expected 0..=99");
    }

    #[test]
    fn a_file_cut_between_records_is_noticed() {
        let error = error_after(|dir| fs::write(dir.join("data_batch_1.bin"), record(0)).unwrap());
        assert_eq!(error, "DIR/data_batch_1.bin: 1 records up to byte 3073, expected 2");
    }
}
