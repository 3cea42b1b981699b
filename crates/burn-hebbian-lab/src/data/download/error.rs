//! What can go wrong on the way.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A server that cannot be reached, or no network.
    #[error("{url}: cannot be reached; is there a network?")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the client says.
        source: Box<ureq::Error>,
    },
    /// A server that does not give the file.
    #[error("{url}: the server answers with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The server's status.
        status: u16,
    },
    /// A connection that ended early.
    #[error("{url}: interrupted after {got} bytes, which are kept in {}", part.display())]
    Interrupted {
        /// What was asked for.
        url: String,
        /// Bytes that have come.
        got: u64,
        /// Where they lie.
        part: PathBuf,
        /// What the client says.
        source: io::Error,
    },
    /// A file with another sum; it was deleted.
    #[error("{url}: expected {expected}, got {got}")]
    Checksum {
        /// What was asked for.
        url: String,
        /// The right sum.
        expected: String,
        /// The sum of what came.
        got: String,
    },
    /// A file that cannot be read, written or unpacked.
    #[error("{}: cannot be read, written or unpacked", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A source without official files.
    #[error("class folders of images have no official files to fetch")]
    NoFiles,
}

impl DownloadError {
    /// Names the file of what the system says.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Io { path: path.to_path_buf(), source }
    }
}
