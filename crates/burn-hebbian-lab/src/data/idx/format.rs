//! The format IDX.
//!
//! A file is two zero bytes, the kind of number (8: bytes), the number of dimensions, each dimension in four bytes from
//! the highest, then the numbers.

use std::{fs, io::Read, path::Path};

use flate2::read::MultiGzDecoder;

use crate::data::DataError;

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An array of bytes.
pub(super) struct Idx<const D: usize> {
    pub(super) dims: [usize; D],
    pub(super) numbers: Vec<u8>,
}

impl<const D: usize> Idx<D> {
    /// Bytes before the numbers.
    pub(super) const HEADER: usize = 4 + 4 * D;
    const MAGIC: [u8; 4] = [0, 0, 8, D as u8];

    /// Reads a file, compressed or not.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let mut bytes = unpacked(path)?;
        Self::check_header(path, &bytes)?;
        let (dims, got) = (Self::dims(&bytes), bytes.len());
        // saturating: a damaged header may register more than any file holds.
        let numbers = dims.iter().fold(1, |len: usize, dim| len.saturating_mul(*dim));
        match numbers.saturating_add(Self::HEADER) {
            expected if got == expected => Ok(Self { dims, numbers: bytes.split_off(Self::HEADER) }),
            expected => Err(DataError::Length { path: path.to_path_buf(), got, expected }),
        }
    }

    fn check_header(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
        let path = path.to_path_buf();
        if bytes.is_empty() {
            return Err(DataError::Empty { path });
        }
        if !bytes.starts_with(&Self::MAGIC) {
            let got = bytes.iter().take(Self::MAGIC.len()).copied().collect();
            return Err(DataError::Magic { path, got, expected: Self::MAGIC.to_vec() });
        }
        match bytes.len() {
            got if got < Self::HEADER => Err(DataError::Length { path, got, expected: Self::HEADER }),
            _ => Ok(()),
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
