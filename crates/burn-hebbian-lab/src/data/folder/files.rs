//! The files of a tree of class folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::data::DataError;

/// Classes that labels can tell apart.
pub(super) const MAX_CLASSES: usize = 1 << u16::BITS;

/// Endings of image files, in small letters.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// Folders that systems and archives leave behind, beside those whose names begin with a dot.
const LEFTOVERS: [&str; 3] = ["__MACOSX", "@eaDir", "$RECYCLE.BIN"];

/// Images with the positions of their classes.
pub(super) type Files = Vec<(PathBuf, u16)>;

/// The names of the class folders, sorted.
pub(super) fn classes(dir: &Path) -> Result<Vec<String>, DataError> {
    let folders = entries(dir)?.into_iter().filter(|path| path.is_dir());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
}

/// An error that lists the classes `found` unless they fit.
pub(super) fn check(
    dir: &Path,
    found: &[String],
    fits: bool,
    expected: impl FnOnce() -> String,
) -> Result<(), DataError> {
    if fits {
        return Ok(());
    }
    Err(DataError::Classes { dir: dir.to_path_buf(), expected: expected(), found: found.to_vec() })
}

/// All images with the positions of their classes, class after class.
pub(super) fn labelled(dir: &Path, classes: &[String]) -> Result<Files, DataError> {
    let mut files = vec![];
    for (label, class) in (0..=u16::MAX).zip(classes) {
        files.extend(images(&dir.join(class))?.into_iter().map(|path| (path, label)));
    }
    Ok(files)
}

fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = entries(folder)?;
    files.retain(|path| is_image(path));
    if files.is_empty() {
        return Err(DataError::Empty { path: folder.to_path_buf() });
    }
    Ok(files)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Whether nobody meant it to be data: `.ipynb_checkpoints`, `._0.png`, `.DS_Store`, `__MACOSX`.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.starts_with('.') || LEFTOVERS.contains(&name.as_ref()))
}

/// What a folder holds, sorted; without what is hidden.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let list = || -> io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = list().map_err(DataError::io(dir))?;
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    Ok(paths)
}
