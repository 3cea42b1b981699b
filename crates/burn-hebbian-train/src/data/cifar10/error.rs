//! What can be wrong with data on disk.

use std::{io, path::PathBuf};

use image::ImageError;

/// What is wrong with the data, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A folder without anything known in it.
    #[error(
        "{}: no CIFAR-10 here: neither data_batch_1.bin … test_batch.bin (or a folder cifar-10-batches-bin of \
         them) nor folders train/CLASS and test/CLASS of images", dir.display()
    )]
    NoData {
        /// The folder.
        dir: PathBuf,
    },
    /// A file or folder that cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of no bytes, or a class folder of no images.
    #[error("{}: empty", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file that ends within a record.
    #[error("{}: record at byte {offset} is cut short: {got} of {expected} bytes", path.display())]
    ShortRecord {
        /// The file.
        path: PathBuf,
        /// Where the record starts.
        offset: usize,
        /// Bytes that are there.
        got: usize,
        /// Bytes of a record.
        expected: usize,
    },
    /// A label that is none of the ten.
    #[error("{}: label {label} at byte {offset}, expected 0..=9", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Where the label is.
        offset: usize,
        /// What is there.
        label: u8,
    },
    /// A file with more or fewer records than the official one.
    #[error("{}: {got} records up to byte {offset}, expected {expected}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// Where the file ends.
        offset: usize,
        /// Records in the file.
        got: usize,
        /// Records in the official file.
        expected: usize,
    },
    /// A tree with other class folders than expected.
    #[error("{}: expected {expected}, found the class folders [{}]", dir.display(), found.join(", "))]
    Classes {
        /// The folder of class folders.
        dir: PathBuf,
        /// What it should hold.
        expected: String,
        /// The class folders.
        found: Vec<String>,
    },
    /// An image that cannot be decoded.
    #[error("{}: cannot be decoded", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: ImageError,
    },
    /// An image of the wrong size.
    #[error("{}: {width} × {height} pixels, expected 32 × 32", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
}
