//! MNIST and Fashion-MNIST in their IDX files, compressed or not.
//!
//! Sources: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
//! *Proc. IEEE* 86 (1998), doi:10.1109/5.726791; H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST" (2017),
//! arXiv:1708.07747.

mod format;

use std::path::{Path, PathBuf};

use format::Idx;

use super::{DataError, DataSet, Labeled, brightness};

/// Images and labels of each part.
pub(super) const TRAINING: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
pub(super) const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Classes of either data set.
const CLASSES: usize = 10;

/// A data set in these files.
struct Known {
    name: &'static str,
    classes: [&'static str; CLASSES],
    /// The first training labels of the official file, by which it is told apart.
    first: [u16; 10],
}

const MNIST: Known = Known {
    name: "MNIST",
    classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    first: [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
};

const FASHION_MNIST: Known = Known {
    name: "Fashion-MNIST",
    classes: [
        "t-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ],
    first: [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
};

/// What is looked for, in words.
pub(super) fn files() -> String {
    format!("{} … {} (or .gz)", TRAINING[0], TEST[1])
}

/// Whether any of the files lies in `dir`.
pub(super) fn is_in(dir: &Path) -> bool {
    TRAINING.iter().chain(&TEST).any(|name| find(dir, name).exists())
}

/// Whether Fashion-MNIST lies in `dir`, not MNIST.
pub(super) fn is_fashion(dir: &Path) -> Result<bool, DataError> {
    let path = find(dir, TRAINING[1]);
    let first = first(&labels(&path)?).to_vec();
    let known = [&MNIST, &FASHION_MNIST].map(|known| first == known.first);
    if known.contains(&true) { Ok(known[1]) } else { Err(DataError::UnknownIdx { path, first }) }
}

/// Reads MNIST.
pub(super) fn mnist(dir: &Path) -> Result<DataSet, DataError> {
    read(dir, &MNIST, &FASHION_MNIST)
}

/// Reads Fashion-MNIST.
pub(super) fn fashion_mnist(dir: &Path) -> Result<DataSet, DataError> {
    read(dir, &FASHION_MNIST, &MNIST)
}

/// Reads all four files, which must not be those of `other`.
fn read(dir: &Path, asked: &Known, other: &Known) -> Result<DataSet, DataError> {
    if !is_in(dir) {
        return Err(DataError::no_data(dir, asked.name, &[files()]));
    }
    let training = part(dir, TRAINING)?;
    if first(&training.labels) == other.first {
        let path = find(dir, TRAINING[1]);
        return Err(DataError::OtherIdx { path, asked: asked.name, found: other.name });
    }
    let classes = asked.classes.map(str::to_string).to_vec();
    Ok(DataSet { training, test: part(dir, TEST)?, classes })
}

/// The labels that a data set is known by.
fn first(labels: &[u16]) -> &[u16] {
    &labels[..labels.len().min(MNIST.first.len())]
}

fn part(dir: &Path, [images, truths]: [&str; 2]) -> Result<Labeled, DataError> {
    let Idx { dims: [count, height, width], numbers } = Idx::read(&find(dir, images))?;
    let path = find(dir, truths);
    let labels = labels(&path)?;
    if labels.len() != count {
        return Err(DataError::Labels { path, labels: labels.len(), images: count });
    }
    let values = numbers.into_iter().map(brightness).collect();
    Ok(Labeled { dims: [1, height, width], values, labels })
}

fn labels(path: &Path) -> Result<Vec<u16>, DataError> {
    let Idx::<1> { numbers, .. } = Idx::read(path)?;
    match numbers.iter().position(|&label| usize::from(label) >= CLASSES) {
        Some(index) => {
            let (offset, label) = (Idx::<1>::HEADER + index, numbers[index]);
            Err(DataError::Label { path: path.to_path_buf(), offset, label, classes: CLASSES })
        }
        None => Ok(numbers.into_iter().map(u16::from).collect()),
    }
}

/// The file of this name in `dir`, compressed where it lies so alone.
fn find(dir: &Path, name: &str) -> PathBuf {
    let (plain, packed) = (dir.join(name), dir.join(format!("{name}.gz")));
    if packed.exists() && !plain.exists() { packed } else { plain }
}

#[cfg(test)]
mod tests;
