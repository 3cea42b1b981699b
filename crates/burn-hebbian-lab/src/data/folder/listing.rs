//! What lies in a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::data::DataError;

/// Endings of the image files that are read, in small letters.
const READ: [&str; 9] = ["bmp", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"];

/// Endings of images that are not.
const NOT_READ: [&str; 26] = [
    "arw", "avif", "cr2", "cr3", "dds", "dng", "exr", "gif", "hdr", "heic", "heif", "ico", "j2k", "jp2",
    "jxl", "nef", "pbm", "pcx", "pgm", "pnm", "ppm", "psd", "qoi", "ras", "svg", "tga",
];

/// Folders that systems and archives leave behind, beside those whose names begin with a dot.
const LEFTOVERS: [&str; 3] = ["__MACOSX", "@eaDir", "$RECYCLE.BIN"];

/// Images with the positions of their classes.
pub(super) type Files = Vec<(PathBuf, u16)>;

/// The images and the folders in a folder, sorted; without what is hidden.
pub(super) struct Listing {
    pub(super) images: Vec<PathBuf>,
    pub(super) folders: Vec<PathBuf>,
}

impl Listing {
    /// What `dir` holds.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a file is an image of a format that is not read.
    pub(super) fn of(dir: &Path) -> Result<Self, DataError> {
        let (folders, files): (Vec<_>, Vec<_>) = entries(dir)?.into_iter().partition(|path| path.is_dir());
        let mut images = vec![];
        for path in files {
            match ending(&path) {
                read if READ.contains(&read.as_str()) => images.push(path),
                other if NOT_READ.contains(&other.as_str()) => {
                    return Err(DataError::Format { path, format: other.to_uppercase() });
                }
                _ => {}
            }
        }
        Ok(Self { images, folders })
    }

    /// Its images, of which there must be some, and none in a folder below.
    pub(super) fn flat(self, dir: &Path) -> Result<Vec<PathBuf>, DataError> {
        for folder in self.folders {
            if holds_images(&folder)? {
                return Err(DataError::Nested { path: folder });
            }
        }
        match self.images {
            images if images.is_empty() => Err(DataError::Empty { path: dir.to_path_buf() }),
            images => Ok(images),
        }
    }
}

fn holds_images(folder: &Path) -> Result<bool, DataError> {
    let Listing { images, folders } = Listing::of(folder)?;
    if !images.is_empty() {
        return Ok(true);
    }
    for folder in folders {
        if holds_images(&folder)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

pub(super) fn name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// Whether nobody meant it to be data: `.ipynb_checkpoints`, `._0.png`, `.DS_Store`, `__MACOSX`. `Thumbs.db` and
/// `desktop.ini` are no images by their endings.
fn is_hidden(path: &Path) -> bool {
    name(path).is_some_and(|name| name.starts_with('.') || LEFTOVERS.contains(&name.as_str()))
}

/// What a folder holds, sorted; without what is hidden.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let list = || -> io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = list().map_err(DataError::io(dir))?;
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    Ok(paths)
}
