//! Images that cannot be decoded, told from the others.

use std::path::{Path, PathBuf};

use super::{decode, listing::Files};
use crate::data::DataError;

/// Takes the images that cannot be decoded out of those of `dir`.
///
/// # Errors
///
/// If no image is left, or none of a class; or one cannot be read at all, or is of a kind that is not read.
pub(super) fn split(
    dir: &Path,
    files: Files,
    classes: &[String],
) -> Result<(Files, Vec<PathBuf>), DataError> {
    let (mut intact, mut damaged) = (vec![], vec![]);
    for (path, label) in files {
        match decode::open(&path) {
            Ok(_) => intact.push((path, label)),
            Err(DataError::Image { .. } | DataError::CutShort { .. }) => damaged.push(path),
            Err(error) => return Err(error),
        }
    }
    if intact.is_empty() {
        return Err(DataError::AllDamaged { path: dir.to_path_buf() });
    }
    let lost = |label: usize| !intact.iter().any(|(_, other)| usize::from(*other) == label);
    match (0..classes.len()).find(|label| lost(*label)) {
        Some(label) => Err(DataError::AllDamaged { path: dir.join(&classes[label]) }),
        None => Ok((intact, damaged)),
    }
}
