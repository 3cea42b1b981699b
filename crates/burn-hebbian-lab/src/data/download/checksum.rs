//! Checksums of files.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::DownloadError;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// What a file's bytes must sum to, in hexadecimal digits.
///
/// MD5 tells a damaged file from a whole one, but not from one made to deceive: it is here because some data sets are
/// published with it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// SHA-256, 64 digits.
    Sha256(String),
    /// MD5, 32 digits.
    Md5(String),
}

impl Checksum {
    /// The sum of the file if it is another one.
    pub(super) fn of(&self, file: &Path) -> Result<Option<String>, DownloadError> {
        let sum = match self {
            Self::Sha256(_) => digest::<Sha256>(file),
            Self::Md5(_) => digest::<Md5>(file),
        };
        let sum = sum.map_err(DownloadError::io(file))?;
        Ok((!sum.eq_ignore_ascii_case(self.digits())).then_some(sum))
    }

    fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Md5(digits) => digits,
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Sha256(_) => "SHA-256",
            Self::Md5(_) => "MD5",
        };
        write!(f, "{name} {}", self.digits())
    }
}

fn digest<D: Digest>(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let (mut digest, mut chunk) = (D::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => digest.update(&chunk[..read]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
