//! Images of all classes in one folder, with a file that says which is which: the validation images of Tiny ImageNet.
//!
//! `images/val_0.JPEG` … beside `val_annotations.txt`, whose lines are `val_0.JPEG`, a tab, the class, and a box that is
//! not read. `wnids.txt` beside the folders of the parts lists the classes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use super::listing::{Files, Listing};
use crate::data::DataError;

/// The folder of the images; in the training part there is one in every class folder.
pub(super) const IMAGES: &str = "images";

const ANNOTATIONS: &str = "val_annotations.txt";
/// The file of all classes, beside the parts.
pub(super) const CLASSES: &str = "wnids.txt";

/// Whether `dir` holds images and what they are said to be.
pub(super) fn is_in(dir: &Path) -> bool {
    dir.join(ANNOTATIONS).is_file() && dir.join(IMAGES).is_dir()
}

/// The classes that the file beside the parts lists, sorted; none without that file.
pub(super) fn listed(dir: &Path) -> Result<Option<Vec<String>>, DataError> {
    let path = dir.join(CLASSES);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(DataError::io(&path))?;
    let mut classes: Vec<String> = text.split_whitespace().map(str::to_string).collect();
    classes.sort();
    Ok(Some(classes))
}

/// The classes that annotations name, sorted.
pub(super) fn classes(dir: &Path) -> Result<Vec<String>, DataError> {
    let classes: BTreeSet<String> = annotations(dir)?.into_values().collect();
    Ok(classes.into_iter().collect())
}

/// All images with the positions of their classes among those named.
///
/// # Errors
///
/// If an image has no annotation, or an annotation no image.
pub(super) fn labeled(dir: &Path) -> Result<Files, DataError> {
    let mut annotations = annotations(dir)?;
    let classes: BTreeSet<String> = annotations.values().cloned().collect();
    let labels: BTreeMap<String, u16> = classes.into_iter().zip(0..=u16::MAX).collect();
    let folder = dir.join(IMAGES);
    let mut files = vec![];
    for image in Listing::of(&folder)?.images {
        let name = image.file_name().map(|name| name.to_string_lossy().into_owned());
        match name.and_then(|name| annotations.remove(&name)) {
            Some(class) => files.push((image, labels[&class])),
            None => return Err(DataError::Unannotated { path: dir.join(ANNOTATIONS), image }),
        }
    }
    match annotations.into_keys().next() {
        Some(name) => Err(DataError::Io { path: folder.join(name), source: io::ErrorKind::NotFound.into() }),
        None if files.is_empty() => Err(DataError::Empty { path: folder }),
        None => Ok(files),
    }
}

/// The class of every image, by its name.
fn annotations(dir: &Path) -> Result<BTreeMap<String, String>, DataError> {
    let path = dir.join(ANNOTATIONS);
    let text = fs::read_to_string(&path).map_err(DataError::io(&path))?;
    let mut classes = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        let mut fields = text.split('\t');
        let (name, class) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let mut is_new = || classes.insert(name.to_string(), class.to_string()).is_none();
        if name.is_empty() || class.is_empty() || !is_new() {
            return Err(DataError::Annotation { path, line, text: text.to_string() });
        }
    }
    Ok(classes)
}
