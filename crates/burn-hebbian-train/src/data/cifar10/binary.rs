//! The official binary layout: files of records of one label byte and 3072 pixel bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{CLASSES, Cifar10, DIMS, DataError, SIDE, brightness};
use crate::data::Labelled;

const TRAINING: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST: [&str; 1] = ["test_batch.bin"];

/// Bytes of a record: the label, then planes of red, green and blue.
const RECORD: usize = 1 + 3 * SIDE * SIDE;

/// Records of an official file.
pub(super) const RECORDS: usize = 10_000;

/// The folder of the binary files in or under `dir`, if there is one.
pub(super) fn folder(dir: &Path) -> Option<PathBuf> {
    let nested = dir.join("cifar-10-batches-bin");
    if nested.is_dir() {
        return Some(nested);
    }
    let any = TRAINING.iter().chain(&TEST).any(|name| dir.join(name).exists());
    any.then(|| dir.to_path_buf())
}

/// Reads all six files of `records` records each.
pub(super) fn read(folder: &Path, records: usize) -> Result<Cifar10, DataError> {
    Ok(Cifar10 { training: files(folder, &TRAINING, records)?, test: files(folder, &TEST, records)? })
}

fn files(folder: &Path, names: &[&str], records: usize) -> Result<Labelled, DataError> {
    let mut images = Labelled::with_capacity(DIMS, names.len() * records);
    for name in names {
        append(&mut images, &folder.join(name), records)?;
    }
    Ok(images)
}

/// Adds the images of one file, which holds exactly `records`.
fn append(images: &mut Labelled, path: &Path, records: usize) -> Result<(), DataError> {
    let path = || path.to_path_buf();
    let bytes = fs::read(path()).map_err(|source| DataError::Io { path: path(), source })?;
    if bytes.is_empty() {
        return Err(DataError::Empty { path: path() });
    }
    for (offset, record) in (0..).step_by(RECORD).zip(bytes.chunks(RECORD)) {
        if record.len() < RECORD {
            return Err(DataError::ShortRecord { path: path(), offset, got: record.len(), expected: RECORD });
        }
        let label = record[0];
        if usize::from(label) >= CLASSES {
            return Err(DataError::Label { path: path(), offset, label });
        }
        images.push(record[1..].iter().copied().map(brightness), label);
    }
    match bytes.len() / RECORD {
        got if got == records => Ok(()),
        got => Err(DataError::Records { path: path(), offset: bytes.len(), got, expected: records }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A record whose bytes are all `label`.
    fn record(label: u8) -> Vec<u8> {
        vec![label; RECORD]
    }

    /// A folder of six files of two records, labels 0..=5 and 9.
    fn folder_of_records() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (label, name) in TRAINING.iter().chain(&TEST).enumerate() {
            fs::write(dir.path().join(name), [record(label as u8), record(9)].concat()).unwrap();
        }
        dir
    }

    fn error_after(change: impl FnOnce(&Path)) -> String {
        let dir = folder_of_records();
        change(dir.path());
        read(dir.path(), 2).unwrap_err().to_string().replace(&dir.path().display().to_string(), "DIR")
    }

    #[test]
    fn reads_labels_and_planes() {
        let dir = folder_of_records();
        let data = read(dir.path(), 2).unwrap();
        assert_eq!(data.training.labels, [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]);
        assert_eq!(data.test.labels, [5, 9]);
        assert_eq!(data.test.dims, [3, 32, 32]);
        assert!(data.test.image(1).iter().all(|&value| value == 9.0 / 255.0));
    }

    #[test]
    fn finds_the_folder_itself_or_the_nested_one() {
        let dir = folder_of_records();
        assert_eq!(folder(dir.path()).unwrap(), dir.path());
        let parent = tempfile::tempdir().unwrap();
        assert_eq!(folder(parent.path()), None);
        fs::create_dir(parent.path().join("cifar-10-batches-bin")).unwrap();
        assert_eq!(folder(parent.path()).unwrap(), parent.path().join("cifar-10-batches-bin"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = error_after(|dir| fs::remove_file(dir.join("data_batch_3.bin")).unwrap());
        assert_eq!(error, "DIR/data_batch_3.bin: cannot be read");
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
    }

    #[test]
    fn a_wrong_label_is_located() {
        let wrong = [record(0), record(10)].concat();
        let error = error_after(|dir| fs::write(dir.join("data_batch_5.bin"), wrong).unwrap());
        assert_eq!(error, "DIR/data_batch_5.bin: label 10 at byte 3073, expected 0..=9");
    }

    #[test]
    fn a_file_cut_between_records_is_noticed() {
        let error = error_after(|dir| fs::write(dir.join("data_batch_1.bin"), record(0)).unwrap());
        assert_eq!(error, "DIR/data_batch_1.bin: 1 records up to byte 3073, expected 2");
    }
}
