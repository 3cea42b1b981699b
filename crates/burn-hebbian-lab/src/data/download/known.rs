//! Where the official files of known data sets lie.

use std::path::Path;

use super::{Checksum, DownloadError, archive, fetch};
use crate::data::{Source, cifar::Layout, idx};

/// A file of a data set, by the MD5 sum that its authors or the usual mirror publish.
struct Remote {
    server: &'static str,
    name: &'static str,
    md5: &'static str,
}

const CIFAR: &str = "https://www.cs.toronto.edu/~kriz";
const MNIST: &str = "https://ossci-datasets.s3.amazonaws.com/mnist";
const FASHION_MNIST: &str = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com";

const CIFAR_10_ARCHIVE: Remote =
    Remote { server: CIFAR, name: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" };
const CIFAR_100_ARCHIVE: Remote =
    Remote { server: CIFAR, name: "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8" };

/// The sums of training images and labels, test images and labels.
const MNIST_SUMS: [&str; 4] = [
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
];
const FASHION_MNIST_SUMS: [&str; 4] = [
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
];

impl Source {
    /// Fetches the official files to `dir`, where [`read`](Self::read) finds them. What is there already stays.
    ///
    /// # Errors
    ///
    /// As [`fetch`]; a [`Folder`](Self::Folder) has no official files.
    pub fn download(self, dir: &Path) -> Result<(), DownloadError> {
        match self {
            Self::Cifar10 => cifar(&Layout::CIFAR_10, &CIFAR_10_ARCHIVE, dir),
            Self::Cifar100 | Self::Cifar100Coarse => cifar(&Layout::CIFAR_100, &CIFAR_100_ARCHIVE, dir),
            Self::Mnist => idx_files(MNIST, MNIST_SUMS, dir),
            Self::FashionMnist => idx_files(FASHION_MNIST, FASHION_MNIST_SUMS, dir),
            Self::Folder => Err(DownloadError::NoFiles),
        }
    }
}

fn cifar(layout: &Layout, archive: &Remote, dir: &Path) -> Result<(), DownloadError> {
    if layout.folder(dir).is_some() {
        return Ok(());
    }
    let file = dir.join(archive.name);
    archive.fetch(&file)?;
    archive::unpack(&file, layout.archive, dir)
}

fn idx_files(server: &'static str, sums: [&'static str; 4], dir: &Path) -> Result<(), DownloadError> {
    for (name, md5) in idx::TRAINING.iter().chain(&idx::TEST).zip(sums) {
        let name = format!("{name}.gz");
        fetch(&format!("{server}/{name}"), &Checksum::Md5(md5.to_string()), &dir.join(name))?;
    }
    Ok(())
}

impl Remote {
    fn fetch(&self, target: &Path) -> Result<(), DownloadError> {
        let Self { server, name, md5 } = self;
        fetch(&format!("{server}/{name}"), &Checksum::Md5(md5.to_string()), target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_their_length_and_differ() {
        let sums = [CIFAR_10_ARCHIVE.md5, CIFAR_100_ARCHIVE.md5].into_iter();
        let mut sums: Vec<&str> = sums.chain(MNIST_SUMS).chain(FASHION_MNIST_SUMS).collect();
        assert!(sums.iter().all(|sum| sum.len() == 32 && sum.bytes().all(|digit| digit.is_ascii_hexdigit())));
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), 10);
    }

    #[test]
    fn class_folders_have_no_official_files() {
        let dir = tempfile::tempdir().unwrap();
        let error = Source::Folder.download(dir.path()).unwrap_err();
        assert_eq!(error.to_string(), "class folders of images have no official files to fetch");
    }

    #[test]
    fn what_is_there_is_not_fetched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("cifar-100-binary")).unwrap();
        Source::Cifar100Coarse.download(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
