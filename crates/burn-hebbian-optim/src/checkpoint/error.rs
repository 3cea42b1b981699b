//! What can be wrong with a checkpoint.

use std::{
    io,
    path::{Path, PathBuf},
};

use burn::store::RecordError;

use crate::{PlanError, UpdateError};

/// A checkpoint that cannot be written, or that a training cannot go on from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file or folder that cannot be read or written.
    #[error("checkpoint: {path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is not what the manifest says.
    #[error(
        "checkpoint: {path} is damaged or of another checkpoint: expected {expected} bytes with checksum {checksum:08x}, found {found} with {found_checksum:08x}",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Bytes in the manifest.
        expected: usize,
        /// Checksum in the manifest.
        checksum: u32,
        /// Bytes in the file.
        found: usize,
        /// Checksum of the file.
        found_checksum: u32,
    },
    /// A file that is not a manifest.
    #[error("checkpoint: {path} is not a manifest: {reason}", path = path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// A record that Burn refuses.
    #[error("checkpoint: {path}: {reason}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What Burn says.
        reason: String,
    },
    /// A checkpoint of another model, plan or seed.
    #[error("checkpoint: {path} is of another training: {what} is {theirs} there and {ours} here", path = path.display())]
    Foreign {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: String,
        /// Its value in the checkpoint.
        theirs: String,
        /// Its value in this training.
        ours: String,
    },
    /// A plan that cannot be written down.
    #[error("checkpoint: the plan cannot be written down: {0}")]
    Plan(String),
    /// An update that was not finite: such a training is not saved.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The plan does not fit the model.
    #[error(transparent)]
    DoesNotFit(#[from] PlanError),
}

impl CheckpointError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }

    pub(super) fn record(path: &Path, error: RecordError) -> Self {
        Self::Record { path: path.to_path_buf(), reason: error.to_string() }
    }
}
