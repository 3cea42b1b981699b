//! A tree of class folders: `train/CLASS/*.jpg` and `test/CLASS/*.jpg`, or PNGs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::RgbImage;

use super::{CLASSES, Cifar10, DIMS, DataError, SIDE, brightness};
use crate::data::{Labelled, shuffled};

/// The folder of the training images.
pub(super) const TRAINING: &str = "train";
const TEST: &str = "test";

/// The seed of the one order that trees are read in.
const ORDER: u64 = 0;

/// Reads both parts. Labels are the positions of the class folders in alphabetical order, which for
/// CIFAR-10's names is the official order.
pub(super) fn read(dir: &Path) -> Result<Cifar10, DataError> {
    let classes = class_folders(&dir.join(TRAINING))?;
    check(&dir.join(TRAINING), &classes, classes.len() == CLASSES, || format!("{CLASSES} class folders"))?;
    let tested = class_folders(&dir.join(TEST))?;
    check(&dir.join(TEST), &tested, tested == classes, || format!("the classes of `{TRAINING}`"))?;
    Ok(Cifar10 { training: part(&dir.join(TRAINING), &classes)?, test: part(&dir.join(TEST), &classes)? })
}

fn check(
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

/// The images of one part, in a fixed shuffled order: every stretch of it holds all classes.
fn part(dir: &Path, classes: &[String]) -> Result<Labelled, DataError> {
    let mut files = vec![];
    for (label, class) in (0..).zip(classes) {
        files.extend(image_files(&dir.join(class))?.into_iter().map(|path| (path, label)));
    }
    let mut images = Labelled::with_capacity(DIMS, files.len());
    for index in shuffled(files.len(), ORDER, 0) {
        let (path, label) = &files[index];
        images.push(planes(&decode(path)?), *label);
    }
    Ok(images)
}

fn decode(path: &Path) -> Result<RgbImage, DataError> {
    let image = image::open(path).map_err(|source| DataError::Image { path: path.to_path_buf(), source })?;
    let (width, height) = (image.width(), image.height());
    if [width, height] != [SIDE as u32; 2] {
        return Err(DataError::Size { path: path.to_path_buf(), width, height });
    }
    Ok(image.into_rgb8())
}

/// Interleaved colours → planes of red, green and blue.
fn planes(image: &RgbImage) -> impl Iterator<Item = f32> {
    (0..3).flat_map(|channel| image.pixels().map(move |pixel| brightness(pixel.0[channel])))
}

fn class_folders(dir: &Path) -> Result<Vec<String>, DataError> {
    let folders = entries(dir)?.into_iter().filter(|path| path.is_dir());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
}

fn image_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = entries(folder)?;
    files
        .retain(|path| path.extension().is_some_and(|kind| kind == "jpg" || kind == "jpeg" || kind == "png"));
    if files.is_empty() {
        return Err(DataError::Empty { path: folder.to_path_buf() });
    }
    Ok(files)
}

/// What a folder holds, sorted.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let list =
        || -> std::io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = list().map_err(|source| DataError::Io { path: dir.to_path_buf(), source })?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use tempfile::TempDir;

    /// Ten classes; an image's red is its class, its blue twice that.
    fn tree_of_images() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (part, count) in [(TRAINING, 2), (TEST, 1)] {
            for class in 0..10u8 {
                let folder = dir.path().join(part).join(format!("class{class}"));
                fs::create_dir_all(&folder).unwrap();
                for number in 0..count {
                    let image = RgbImage::from_pixel(32, 32, Rgb([class, 0, 2 * class]));
                    image.save(folder.join(format!("{number:04}.png"))).unwrap();
                }
            }
        }
        dir
    }

    fn error_after(change: impl FnOnce(&Path)) -> String {
        let dir = tree_of_images();
        change(dir.path());
        read(dir.path()).unwrap_err().to_string().replace(&dir.path().display().to_string(), "DIR")
    }

    #[test]
    fn labels_are_the_order_of_the_folders() {
        let dir = tree_of_images();
        let data = read(dir.path()).unwrap();
        assert_eq!((data.training.len(), data.test.len()), (20, 10));
        for (index, &label) in data.training.labels.iter().enumerate() {
            let image = data.training.image(index);
            assert_eq!(image[0] * 255.0, f32::from(label));
            assert_eq!(image[1024..2048], [0.0; 1024]);
            assert_eq!((image[2048] * 255.0).round(), f32::from(2 * label));
        }
        assert_ne!(
            data.training.labels,
            data.training.labels.iter().copied().min().map_or(vec![], |l| vec![l; 20])
        );
    }

    #[test]
    fn an_unreadable_image_is_named() {
        let error = error_after(|dir| fs::write(dir.join("train/class3/0001.png"), b"no image").unwrap());
        assert_eq!(error, "DIR/train/class3/0001.png: cannot be decoded");
    }

    #[test]
    fn an_image_of_another_size_is_named() {
        let error = error_after(|dir| RgbImage::new(31, 32).save(dir.join("test/class0/0000.png")).unwrap());
        assert_eq!(error, "DIR/test/class0/0000.png: 31 × 32 pixels, expected 32 × 32");
    }

    #[test]
    fn an_empty_class_is_named() {
        let error = error_after(|dir| fs::remove_file(dir.join("test/class7/0000.png")).unwrap());
        assert_eq!(error, "DIR/test/class7: empty");
    }

    #[test]
    fn other_classes_are_refused() {
        let error = error_after(|dir| fs::remove_dir_all(dir.join("train/class9")).unwrap());
        assert!(
            error.starts_with("DIR/train: expected 10 class folders, found the class folders [class0, "),
            "{error}"
        );
        let error = error_after(|dir| fs::rename(dir.join("test/class9"), dir.join("test/zebra")).unwrap());
        assert!(error.starts_with("DIR/test: expected the classes of `train`, found"), "{error}");
    }

    #[test]
    fn a_missing_part_is_named() {
        let error = error_after(|dir| fs::remove_dir_all(dir.join("test")).unwrap());
        assert_eq!(error, "DIR/test: cannot be read");
    }
}
