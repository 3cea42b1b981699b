//! Whitening transforms on disk: the format safetensors, with the kind of transform in its metadata.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};

/// What is wrong with a file of a whitening transform.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WhiteningFileError {
    /// A file that cannot be read or written.
    #[error("{}: cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is no safetensors file, or a damaged one.
    #[error("{}: damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SafeTensorError,
    },
    /// A file of something else.
    #[error("{}: `{key}` is {got:?}, expected {expected}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// What the metadata should say.
        key: &'static str,
        /// What they say.
        got: Option<String>,
        /// What they should say.
        expected: String,
    },
    /// A tensor that is missing or has another shape or type.
    #[error("{}: tensor `{name}` is {got}, expected {expected}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: &'static str,
        /// What is there.
        got: String,
        /// What should be there.
        expected: String,
    },
}

/// Writes tensors of f32, and facts as metadata, to one file.
pub(super) fn save(
    path: &Path,
    kind: &str,
    tensors: &[(&'static str, TensorData)],
    facts: &[(&'static str, String)],
) -> Result<(), WhiteningFileError> {
    let damaged = |source| WhiteningFileError::Damaged { path: path.to_path_buf(), source };
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, data)| data.iter::<f32>().flat_map(f32::to_le_bytes).collect()).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for ((name, data), bytes) in tensors.iter().zip(&bytes) {
        let shape = data.shape().to_vec();
        views.push((*name, TensorView::new(Dtype::F32, shape, bytes).map_err(damaged)?));
    }
    let facts = facts.iter().map(|(key, value)| (key.to_string(), value.clone()));
    let metadata: HashMap<String, String> = facts.chain([("kind".to_string(), kind.to_string())]).collect();
    let file = safetensors::serialize(views, Some(metadata)).map_err(damaged)?;
    fs::write(path, file).map_err(|source| WhiteningFileError::Io { path: path.to_path_buf(), source })
}

/// A file that was read.
pub(super) struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
    facts: HashMap<String, String>,
}

impl Stored {
    /// Reads a file of this kind.
    pub(super) fn open(path: &Path, kind: &str) -> Result<Self, WhiteningFileError> {
        let path = path.to_path_buf();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(WhiteningFileError::Io { path, source }),
        };
        let facts = match SafeTensors::read_metadata(&bytes) {
            Ok((_, metadata)) => metadata.metadata().clone().unwrap_or_default(),
            Err(source) => return Err(WhiteningFileError::Damaged { path, source }),
        };
        let stored = Self { path, bytes, facts };
        stored.fact("kind", kind, |got| (got == kind).then_some(()))?;
        Ok(stored)
    }

    /// What the metadata say under `key`, as `parse` understands it.
    pub(super) fn fact<T>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, WhiteningFileError> {
        let got = self.facts.get(key);
        got.and_then(|got| parse(got)).ok_or_else(|| WhiteningFileError::Metadata {
            path: self.path.clone(),
            key,
            got: got.cloned(),
            expected: expected.to_string(),
        })
    }

    /// The mean `[1, n]` and the matrix `[n, n]`.
    pub(super) fn transform(&self, device: &Device) -> Result<(Tensor<2>, Tensor<2>), WhiteningFileError> {
        let n = self.shape("mean")?.last().copied().unwrap_or_default();
        let [mean, matrix] = [("mean", [1, n]), ("matrix", [n, n])].map(|(name, shape)| {
            let values = self.values(name, &shape)?;
            Ok(Tensor::from_data(TensorData::new(values, shape), device))
        });
        Ok((mean?, matrix?))
    }

    /// The tensor, `[any length]`.
    pub(super) fn vector(&self, name: &'static str) -> Result<Vec<f32>, WhiteningFileError> {
        let len = self.shape(name)?.iter().product();
        self.values(name, &[len])
    }

    /// The tensor of this shape.
    pub(super) fn values(&self, name: &'static str, shape: &[usize]) -> Result<Vec<f32>, WhiteningFileError> {
        let tensors = self.tensors()?;
        let view = tensors.tensor(name).ok();
        match view {
            Some(view) if view.dtype() == Dtype::F32 && view.shape() == shape => Ok(floats(view.data())),
            other => Err(WhiteningFileError::Tensor {
                path: self.path.clone(),
                name,
                got: other
                    .map_or("missing".to_string(), |view| format!("{} {:?}", view.dtype(), view.shape())),
                expected: format!("F32 {shape:?}"),
            }),
        }
    }

    fn shape(&self, name: &'static str) -> Result<Vec<usize>, WhiteningFileError> {
        Ok(self.tensors()?.tensor(name).map(|view| view.shape().to_vec()).unwrap_or_default())
    }

    fn tensors(&self) -> Result<SafeTensors<'_>, WhiteningFileError> {
        let damaged = |source| WhiteningFileError::Damaged { path: self.path.clone(), source };
        SafeTensors::deserialize(&self.bytes).map_err(damaged)
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Labeled, PatchZca, Spectrum, Zca};

    /// A file of a transform of images of one channel of 1 × 2 pixels, after a change to it.
    fn error_after(change: impl FnOnce(&Path)) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zca");
        let mut images = Labeled::with_capacity([1, 1, 2], 3);
        [[0.0, 1.0], [1.0, 1.0], [0.5, 0.0]].into_iter().for_each(|image| images.push(image, 0));
        Spectrum::fit(&images, &Device::flex()).unwrap().zca(0.1).save(&path).unwrap();
        change(&path);
        let error = Zca::load(&path, &Device::flex()).unwrap_err().to_string();
        error.replace(&dir.path().display().to_string(), "DIR")
    }

    fn tensors(matrix: [usize; 2]) -> [(&'static str, TensorData); 4] {
        let zeros = |shape: &[usize]| TensorData::new(vec![0f32; shape.iter().product()], shape.to_vec());
        [
            ("channel_mean", zeros(&[1])),
            ("channel_scale", zeros(&[1])),
            ("mean", zeros(&[1, 2])),
            ("matrix", zeros(&matrix)),
        ]
    }

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(error_after(|path| fs::remove_file(path).unwrap()), "DIR/zca: cannot be read or written");
    }

    #[test]
    fn a_damaged_file_is_named() {
        let cut = |path: &Path| fs::write(path, &fs::read(path).unwrap()[..100]).unwrap();
        assert_eq!(error_after(cut), "DIR/zca: damaged");
        let shorter = |path: &Path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
        };
        assert_eq!(error_after(shorter), "DIR/zca: damaged");
        assert_eq!(error_after(|path| fs::write(path, []).unwrap()), "DIR/zca: damaged");
    }

    #[test]
    fn another_kind_of_transform_is_refused() {
        let error = error_after(|path| save(path, "zca of patches", &tensors([2, 2]), &[]).unwrap());
        assert_eq!(error, "DIR/zca: `kind` is Some(\"zca of patches\"), expected zca of images");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zca");
        save(&path, "zca of patches", &tensors([2, 2]), &[("channels", "two".to_string())]).unwrap();
        let error = PatchZca::load(&path, &Device::flex()).unwrap_err().to_string();
        assert!(error.ends_with("zca: `channels` is Some(\"two\"), expected a number"), "{error}");
    }

    #[test]
    fn tensors_that_do_not_fit_are_named() {
        let error = error_after(|path| save(path, "zca of images", &tensors([2, 3]), &[]).unwrap());
        assert_eq!(error, "DIR/zca: tensor `matrix` is F32 [2, 3], expected F32 [2, 2]");
        let error = error_after(|path| save(path, "zca of images", &tensors([2, 2])[..3], &[]).unwrap());
        assert_eq!(error, "DIR/zca: tensor `matrix` is missing, expected F32 [2, 2]");
    }
}
