//! Unpacking of `tar.gz` archives.

use std::{fs, fs::File, path::Path};

use flate2::read::GzDecoder;
use tar::Archive;

use super::{DownloadError, beside};

/// Unpacks the folder `name` of an archive to `dir`: whole, or not at all.
pub(super) fn unpack(archive: &Path, name: &str, dir: &Path) -> Result<(), DownloadError> {
    let target = dir.join(name);
    let part = beside(&target);
    if part.exists() {
        fs::remove_dir_all(&part).map_err(DownloadError::io(&part))?;
    }
    let file = File::open(archive).map_err(DownloadError::io(archive))?;
    Archive::new(GzDecoder::new(file)).unpack(&part).map_err(DownloadError::io(archive))?;
    fs::rename(part.join(name), &target).map_err(DownloadError::io(&target))?;
    fs::remove_dir_all(&part).map_err(DownloadError::io(&part))
}
