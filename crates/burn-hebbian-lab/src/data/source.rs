//! Known data sets, by name or by what lies in a folder.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DataError, DataSet, ImageFolderConfig, ImageSize, cifar::Layout, folder, idx};

/// Where images come from: a data set in its official files, or a tree of class folders.
///
/// Its name in a config is `cifar10`, `cifar100`, `cifar100-coarse`, `mnist`, `fashion-mnist` or `folder`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// CIFAR-10: 32 × 32 color images of 10 classes; `data_batch_1.bin` … `test_batch.bin`, or class folders.
    Cifar10,
    /// CIFAR-100: 32 × 32 color images of 100 classes; `train.bin` and `test.bin`, or class folders.
    Cifar100,
    /// CIFAR-100 with its 20 superclasses for labels.
    Cifar100Coarse,
    /// MNIST: 28 × 28 gray digits; `train-images-idx3-ubyte` and so on, each with or without `.gz`.
    Mnist,
    /// Fashion-MNIST: 28 × 28 gray clothes of 10 classes; files named as MNIST's.
    FashionMnist,
    /// `train/CLASS/*.png` and `test/CLASS/*.png`, or `val` for `test`, or other formats: color images of one size; Tiny
    /// ImageNet as it is downloaded. For other sizes, see [`ImageFolderConfig`].
    Folder,
}

impl Source {
    /// The data set that lies in `dir`. MNIST and Fashion-MNIST, whose files have the same names, are told apart by their
    /// first labels; a tree of class folders is a [`Folder`](Source::Folder), whatever images it holds.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn detect(dir: &Path) -> Result<Self, DataError> {
        if Layout::CIFAR_10.folder(dir).is_some() {
            return Ok(Self::Cifar10);
        }
        if Layout::CIFAR_100.folder(dir).is_some() {
            return Ok(Self::Cifar100);
        }
        if idx::is_in(dir) {
            return Ok(if idx::is_fashion(dir)? { Self::FashionMnist } else { Self::Mnist });
        }
        if folder::is_in(dir) {
            return Ok(Self::Folder);
        }
        let images = folder::unlabeled_in(dir);
        if images > 0 {
            return Err(DataError::Unlabeled { dir: dir.to_path_buf(), images });
        }
        let looked_for = [Layout::CIFAR_10.files(), Layout::CIFAR_100.files(), idx::files(), folder::files()];
        Err(DataError::no_data(dir, "known data set", &looked_for))
    }

    /// Reads it from `dir`.
    ///
    /// # Errors
    ///
    /// If it is not there, or a file is missing or damaged.
    pub fn read(self, dir: &Path) -> Result<DataSet, DataError> {
        match self {
            Self::Cifar10 => cifar(&Layout::CIFAR_10, "CIFAR-10", dir),
            Self::Cifar100 => cifar(&Layout::CIFAR_100, "CIFAR-100", dir),
            Self::Cifar100Coarse => cifar(&Layout::CIFAR_100_COARSE, "CIFAR-100 with superclasses", dir),
            Self::Mnist => idx::mnist(dir),
            Self::FashionMnist => idx::fashion_mnist(dir),
            Self::Folder => ImageFolderConfig::new().read(dir),
        }
    }
}

impl DataSet {
    /// Reads whatever data set [`Source::detect`] finds in `dir`.
    ///
    /// # Errors
    ///
    /// If there is none, or a file is missing or damaged.
    pub fn read(dir: &Path) -> Result<Self, DataError> {
        Source::detect(dir)?.read(dir)
    }
}

/// Official files, or class folders of images of the official size.
fn cifar(layout: &Layout, name: &'static str, dir: &Path) -> Result<DataSet, DataError> {
    if let Some(folder) = layout.folder(dir) {
        return layout.read(&folder);
    }
    if folder::is_in(dir) {
        let [_, height, width] = super::cifar::DIMS;
        let size = ImageSize::Expected { height, width };
        return ImageFolderConfig::new().with_size(size).with_classes(Some(layout.classes)).read(dir);
    }
    Err(DataError::no_data(dir, name, &[layout.files(), folder::files()]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn message(dir: &Path, error: DataError) -> String {
        error.to_string().replace(&dir.display().to_string(), "DIR")
    }

    #[test]
    fn names_are_kebab_case() {
        let names = ["cifar10", "cifar100", "cifar100-coarse", "mnist", "fashion-mnist", "folder"];
        let sources: Vec<Source> =
            names.iter().map(|name| serde_json::from_value((*name).into()).unwrap()).collect();
        assert_eq!(sources[4], Source::FashionMnist);
        assert_eq!(sources.iter().map(|s| serde_json::to_value(s).unwrap()).collect::<Vec<_>>(), names);
    }

    #[test]
    fn a_folder_without_data_says_what_was_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let detected = message(dir.path(), Source::detect(dir.path()).unwrap_err());
        assert_eq!(
            detected,
            "DIR: no known data set here: neither data_batch_1.bin … test_batch.bin (or a folder cifar-10-batches-bin \
             of them), nor train.bin … test.bin (or a folder cifar-100-binary of them), nor \
             train-images-idx3-ubyte … t10k-labels-idx1-ubyte (or .gz), nor folders train/CLASS and test/CLASS of images"
        );
        let read = message(dir.path(), Source::Cifar10.read(dir.path()).unwrap_err());
        assert_eq!(
            read,
            "DIR: no CIFAR-10 here: neither data_batch_1.bin … test_batch.bin (or a folder cifar-10-batches-bin of \
             them), nor folders train/CLASS and test/CLASS of images"
        );
        let mnist = message(dir.path(), Source::Mnist.read(dir.path()).unwrap_err());
        assert_eq!(mnist, "DIR: no MNIST here: no train-images-idx3-ubyte … t10k-labels-idx1-ubyte (or .gz)");
    }

    #[test]
    fn data_sets_are_told_apart_by_their_files() {
        for (file, expected) in [
            ("data_batch_4.bin", Source::Cifar10),
            ("cifar-10-batches-bin/x", Source::Cifar10),
            ("train.bin", Source::Cifar100),
            ("cifar-100-binary/x", Source::Cifar100),
            ("train/cat/1.png", Source::Folder),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, []).unwrap();
            assert_eq!(Source::detect(dir.path()).unwrap(), expected);
        }
    }
}
