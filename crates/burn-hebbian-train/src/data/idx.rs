//! MNIST and Fashion-MNIST in their IDX files, compressed or not.
//!
//! A file is two zero bytes, the kind of number (8: bytes), the number of dimensions, each dimension in four bytes from
//! the highest, then the numbers.
//!
//! Sources: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
//! *Proc. IEEE* 86 (1998), doi:10.1109/5.726791; H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST" (2017),
//! arXiv:1708.07747.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::{DataError, DataSet, Labelled, Source, brightness, source::no_data};

/// Images and labels of each part.
pub(super) const TRAINING: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
pub(super) const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Classes of either data set.
const CLASSES: usize = 10;

/// A data set in these files.
struct Known {
    name: &'static str,
    classes: [&'static str; CLASSES],
    /// The first training labels of the official file, by which it is told apart.
    first: [u16; 10],
}

const MNIST: Known = Known {
    name: "MNIST",
    classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    first: [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
};

const FASHION_MNIST: Known = Known {
    name: "Fashion-MNIST",
    classes: [
        "t-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ],
    first: [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
};

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is looked for, in words.
pub(super) fn files() -> String {
    format!("{} … {} (or .gz)", TRAINING[0], TEST[1])
}

/// Whether any of the files lies in `dir`.
pub(super) fn is_in(dir: &Path) -> bool {
    TRAINING.iter().chain(&TEST).any(|name| find(dir, name).exists())
}

/// Which of the two data sets lies in `dir`.
pub(super) fn identify(dir: &Path) -> Result<Source, DataError> {
    let path = find(dir, TRAINING[1]);
    let first = first(&labels(&path)?).to_vec();
    [Source::Mnist, Source::FashionMnist]
        .into_iter()
        .zip([&MNIST, &FASHION_MNIST])
        .find_map(|(source, known)| (first == known.first).then_some(source))
        .ok_or(DataError::UnknownIdx { path, first })
}

/// Reads MNIST.
pub(super) fn mnist(dir: &Path) -> Result<DataSet, DataError> {
    read(dir, &MNIST, &FASHION_MNIST)
}

/// Reads Fashion-MNIST.
pub(super) fn fashion_mnist(dir: &Path) -> Result<DataSet, DataError> {
    read(dir, &FASHION_MNIST, &MNIST)
}

/// Reads all four files, which must not be those of `other`.
fn read(dir: &Path, asked: &Known, other: &Known) -> Result<DataSet, DataError> {
    if !is_in(dir) {
        return Err(no_data(dir, asked.name, &[files()]));
    }
    let training = part(dir, TRAINING)?;
    if first(&training.labels) == other.first {
        let path = find(dir, TRAINING[1]);
        return Err(DataError::OtherIdx { path, asked: asked.name, found: other.name });
    }
    let classes = asked.classes.map(str::to_string).to_vec();
    Ok(DataSet { training, test: part(dir, TEST)?, classes })
}

/// The labels that a data set is known by.
fn first(labels: &[u16]) -> &[u16] {
    &labels[..labels.len().min(MNIST.first.len())]
}

fn part(dir: &Path, [images, truths]: [&str; 2]) -> Result<Labelled, DataError> {
    let Idx { dims: [count, height, width], numbers } = Idx::read(&find(dir, images))?;
    let path = find(dir, truths);
    let labels = labels(&path)?;
    if labels.len() != count {
        return Err(DataError::Labels { path, labels: labels.len(), images: count });
    }
    let values = numbers.into_iter().map(brightness).collect();
    Ok(Labelled { dims: [1, height, width], values, labels })
}

fn labels(path: &Path) -> Result<Vec<u16>, DataError> {
    let Idx::<1> { numbers, .. } = Idx::read(path)?;
    match numbers.iter().position(|&label| usize::from(label) >= CLASSES) {
        Some(index) => {
            let (offset, label) = (Idx::<1>::HEADER + index, numbers[index]);
            Err(DataError::Label { path: path.to_path_buf(), offset, label, classes: CLASSES })
        }
        None => Ok(numbers.into_iter().map(u16::from).collect()),
    }
}

/// The file of this name in `dir`, compressed where it lies so alone.
fn find(dir: &Path, name: &str) -> PathBuf {
    let (plain, packed) = (dir.join(name), dir.join(format!("{name}.gz")));
    if packed.exists() && !plain.exists() { packed } else { plain }
}

/// An array of bytes.
struct Idx<const D: usize> {
    dims: [usize; D],
    numbers: Vec<u8>,
}

impl<const D: usize> Idx<D> {
    /// Bytes before the numbers.
    const HEADER: usize = 4 + 4 * D;
    const MAGIC: [u8; 4] = [0, 0, 8, D as u8];

    fn read(path: &Path) -> Result<Self, DataError> {
        let mut bytes = unpacked(path)?;
        let path = || path.to_path_buf();
        if bytes.is_empty() {
            return Err(DataError::Empty { path: path() });
        }
        if !bytes.starts_with(&Self::MAGIC) {
            bytes.truncate(Self::MAGIC.len());
            return Err(DataError::Magic { path: path(), got: bytes, expected: Self::MAGIC.to_vec() });
        }
        let got = bytes.len();
        if got < Self::HEADER {
            return Err(DataError::Length { path: path(), got, expected: Self::HEADER });
        }
        let dims = Self::dims(&bytes);
        // saturating: a damaged header may announce more than any file holds.
        let expected =
            dims.iter().fold(1, |len: usize, dim| len.saturating_mul(*dim)).saturating_add(Self::HEADER);
        match bytes.split_off(Self::HEADER) {
            numbers if got == expected => Ok(Self { dims, numbers }),
            _ => Err(DataError::Length { path: path(), got, expected }),
        }
    }

    fn dims(bytes: &[u8]) -> [usize; D] {
        let byte = |index: usize| usize::from(bytes[index]);
        std::array::from_fn(|d| (0..4).fold(0, |dim, place| dim << 8 | byte(4 + 4 * d + place)))
    }
}

/// What a file holds, whether it is compressed or not, whatever it is called.
fn unpacked(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(path).map_err(DataError::io(path))?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).map_err(DataError::io(path))?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::{error::Error, io::Write};

    use flate2::{Compression, write::GzEncoder};
    use tempfile::TempDir;

    use super::*;

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
}
