//! The files of a tree of class folders.

use std::path::{Path, PathBuf};

use super::{
    annotated::{self, IMAGES},
    listing::{Files, Listing, name},
};
use crate::data::DataError;

/// Classes that labels can tell apart.
pub(super) const MAX_CLASSES: usize = 1 << u16::BITS;

/// The names of the classes, sorted: class folders, or what the images beside annotations are said to be.
pub(super) fn classes(dir: &Path) -> Result<Vec<String>, DataError> {
    if annotated::is_in(dir) {
        return annotated::classes(dir);
    }
    let Listing { images, folders } = Listing::of(dir)?;
    match (images.first(), folders.as_slice()) {
        (Some(_), []) => Err(DataError::Unlabeled { dir: dir.to_path_buf(), images: images.len() }),
        (Some(image), _) => Err(DataError::NoClass { path: image.clone() }),
        (None, [folder]) if folder.ends_with(IMAGES) => {
            Err(DataError::Unlabeled { dir: folder.clone(), images: Listing::of(folder)?.images.len() })
        }
        (None, _) => Ok(folders.iter().filter_map(|path| name(path)).collect()),
    }
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

/// All images with the positions of their classes, class after class, or in the order of annotated images.
pub(super) fn labeled(dir: &Path, classes: &[String]) -> Result<Files, DataError> {
    if annotated::is_in(dir) {
        return annotated::labeled(dir);
    }
    let mut files = vec![];
    for (label, class) in (0..=u16::MAX).zip(classes) {
        files.extend(images_of(&dir.join(class))?.into_iter().map(|path| (path, label)));
    }
    Ok(files)
}

/// All images that lie in `dir`, of no class.
pub(super) fn unlabeled(dir: &Path) -> Result<Files, DataError> {
    let images = Listing::of(dir)?.flat(dir)?;
    Ok(images.into_iter().map(|path| (path, 0)).collect())
}

/// The images of a class, in its folder or, as in Tiny ImageNet, in a folder `images` there.
fn images_of(class: &Path) -> Result<Vec<PathBuf>, DataError> {
    let listing = Listing::of(class)?;
    match listing.folders.as_slice() {
        [folder] if listing.images.is_empty() && folder.ends_with(IMAGES) => {
            Listing::of(folder)?.flat(folder)
        }
        _ => listing.flat(class),
    }
}
