use std::{
    error::Error,
    fs,
    io::{Write, stderr},
};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::*;
use crate::data::Source;

fn idx(dims: &[u8], numbers: &[u8]) -> Vec<u8> {
    let magic = [0, 0, 8, dims.len() as u8].into_iter();
    magic.chain(dims.iter().flat_map(|dim| [0, 0, 0, *dim])).chain(numbers.iter().copied()).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Ten training images of 2 × 3 pixels, all of the value of their place, with labels `first`; a test image of class 6.
fn folder(first: [u16; 10]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(dir.path().join(name), bytes).unwrap();
    let pixels: Vec<u8> = (0..60).map(|i| i / 6).collect();
    write(TRAINING[0], idx(&[10, 2, 3], &pixels));
    write(TRAINING[1], idx(&[10], &first.map(|label| label as u8)));
    write(TEST[0], idx(&[1, 2, 3], &[0, 51, 102, 153, 204, 255]));
    write(TEST[1], idx(&[1], &[6]));
    dir
}

fn error_after(change: impl FnOnce(&Path)) -> String {
    let dir = folder(MNIST.first);
    change(dir.path());
    let error = mnist(dir.path()).unwrap_err();
    error.to_string().replace(&dir.path().display().to_string(), "DIR")
}

fn error_with(name: &str, bytes: &[u8]) -> String {
    error_after(|dir| fs::write(dir.join(name), bytes).unwrap())
}

#[test]
fn reads_images_and_labels() {
    let dir = folder(FASHION_MNIST.first);
    let data = Source::FashionMnist.read(dir.path()).unwrap();
    assert_eq!((data.training.dims, data.training.len()), ([1, 2, 3], 10));
    assert_eq!(data.training.labels, FASHION_MNIST.first);
    assert_eq!(data.training.image(3), [3.0 / 255.0; 6]);
    assert_eq!(data.test.values, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    assert_eq!(data.classes[usize::from(data.test.labels[0])], "shirt");
}

#[test]
fn compressed_files_are_the_same() {
    let dir = folder(MNIST.first);
    let plain = DataSet::read(dir.path()).unwrap();
    let pack = |from: &str, to: &str| {
        let bytes = fs::read(dir.path().join(from)).unwrap();
        fs::remove_file(dir.path().join(from)).unwrap();
        fs::write(dir.path().join(to), packed(&bytes)).unwrap();
    };
    for name in TRAINING {
        pack(name, &format!("{name}.gz"));
    }
    // compressed under the plain name
    pack(TEST[0], TEST[0]);
    assert_eq!(DataSet::read(dir.path()).unwrap(), plain);
}

#[test]
fn data_sets_are_told_apart_by_their_labels() {
    assert_eq!(Source::detect(folder(MNIST.first).path()).unwrap(), Source::Mnist);
    assert_eq!(Source::detect(folder(FASHION_MNIST.first).path()).unwrap(), Source::FashionMnist);
    let dir = folder([1; 10]);
    let error = Source::detect(dir.path()).unwrap_err().to_string();
    assert_eq!(
        error.replace(&dir.path().display().to_string(), "DIR"),
        "DIR/train-labels-idx1-ubyte: the first labels are [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], neither MNIST's nor \
         Fashion-MNIST's; name the data set"
    );
}

#[test]
fn the_other_data_set_is_refused() {
    let dir = folder(FASHION_MNIST.first);
    let error = Source::Mnist.read(dir.path()).unwrap_err().to_string();
    assert_eq!(
        error.replace(&dir.path().display().to_string(), "DIR"),
        "DIR/train-labels-idx1-ubyte: these are the labels of Fashion-MNIST, asked for MNIST"
    );
    assert!(Source::FashionMnist.read(folder(MNIST.first).path()).is_err());
    // a subset of either, or another set of ten classes
    assert!(Source::FashionMnist.read(folder([1; 10]).path()).is_ok());
}

#[test]
fn a_missing_file_is_named() {
    let error = error_after(|dir| fs::remove_file(dir.join(TEST[1])).unwrap());
    assert_eq!(error, "DIR/t10k-labels-idx1-ubyte: cannot be read");
}

#[test]
fn an_empty_file_is_named() {
    assert_eq!(error_with(TRAINING[0], &[]), "DIR/train-images-idx3-ubyte: empty");
}

#[test]
fn a_truncated_or_overlong_file_is_measured() {
    let labels = idx(&[10], &[0; 9]);
    let error = "DIR/train-labels-idx1-ubyte: 17 bytes, expected 18 by its header";
    assert_eq!(error_with(TRAINING[1], &labels), error);
    let error = "DIR/t10k-images-idx3-ubyte: 23 bytes, expected 22 by its header";
    assert_eq!(error_with(TEST[0], &idx(&[1, 2, 3], &[0; 7])), error);
    let error = "DIR/t10k-images-idx3-ubyte: 6 bytes, expected 16 by its header";
    assert_eq!(error_with(TEST[0], &[0, 0, 8, 3, 0, 0]), error);
}

#[test]
fn a_truncated_compressed_file_is_named_with_its_cause() {
    let dir = folder(MNIST.first);
    let bytes = packed(&idx(&[1], &[6]));
    fs::write(dir.path().join(TEST[1]), &bytes[..bytes.len() - 9]).unwrap();
    let error = mnist(dir.path()).unwrap_err();
    assert!(error.to_string().ends_with("t10k-labels-idx1-ubyte: cannot be read"), "{error}");
    assert!(error.source().is_some());
}

#[test]
fn another_format_is_refused() {
    let error = error_with(TRAINING[0], b"no idx file");
    let expected = "DIR/train-images-idx3-ubyte: begins with [6e, 6f, 20, 69], expected [00, 00, 08, 03]";
    assert_eq!(error, expected);
    let error = error_with(TEST[1], &idx(&[1, 2, 3], &[0; 6]));
    let expected = "DIR/t10k-labels-idx1-ubyte: begins with [00, 00, 08, 03], expected [00, 00, 08, 01]";
    assert_eq!(error, expected);
}

#[test]
fn a_wrong_label_is_located() {
    let error = error_with(TRAINING[1], &idx(&[10], &[0, 1, 2, 10, 4, 5, 6, 7, 8, 9]));
    assert_eq!(error, "DIR/train-labels-idx1-ubyte: label 10 at byte 11, expected 0..=9");
}

#[test]
fn labels_for_other_images_are_counted() {
    let error = error_with(TEST[1], &idx(&[2], &[0, 1]));
    assert_eq!(error, "DIR/t10k-labels-idx1-ubyte: 2 labels for 1 images");
}

#[test]
fn an_absurd_header_is_refused() {
    let error = error_with(TEST[0], &[[0, 0, 8, 3].as_slice(), &[255; 12]].concat());
    assert!(error.starts_with("DIR/t10k-images-idx3-ubyte: 16 bytes, expected "), "{error}");
}

/// Where Debian's package `dataset-fashion-mnist` puts the official files.
const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

/// Says on the terminal, past what tests capture, where it was ignored.
#[test]
fn the_official_files_are_read_where_they_are_installed() {
    let dir = Path::new(DEBIAN);
    if !dir.is_dir() {
        return writeln!(stderr(), "ignored: no {DEBIAN}, from Debian's package dataset-fashion-mnist")
            .unwrap();
    }
    let data = DataSet::read(dir).unwrap();
    assert_eq!(Source::detect(dir).unwrap(), Source::FashionMnist);
    for (part, each) in [(&data.training, 6_000), (&data.test, 1_000)] {
        assert_eq!((part.dims, part.len(), part.values.len()), ([1, 28, 28], 10 * each, 7_840 * each));
        for class in 0..10 {
            assert_eq!(part.labels.iter().filter(|label| **label == class).count(), each, "class {class}");
        }
    }
    // mean and deviation of the pixels as the field has them
    let statistics = crate::data::ChannelStatistics::of(&data.training);
    assert!((statistics.mean()[0] - 0.2860).abs() < 1e-4, "{statistics:?}");
    assert!((statistics.inverse_deviation()[0].recip() - 0.3530).abs() < 1e-4, "{statistics:?}");
    assert!(Source::Mnist.read(dir).unwrap_err().to_string().ends_with("of Fashion-MNIST, asked for MNIST"));
}
