//! Files that are whole.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Writes a file that appears at once or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let at = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(at)?;
    }
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).with_context(at)?;
    fs::rename(&partial, path).with_context(at)
}
