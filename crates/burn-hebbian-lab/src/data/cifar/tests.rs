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
    let error = error_in(&folder_of_pairs(), &HUNDRED, |dir| fs::remove_file(dir.join("test.bin")).unwrap());
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
    let error = error_in(&folder_of_pairs(), &HUNDRED, |dir| fs::write(dir.join("train.bin"), cut).unwrap());
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
