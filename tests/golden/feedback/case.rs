//! A case as it lies on disk, in double precision.

use std::{collections::HashMap, fs, path::Path};

use burn::tensor::{DType, Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

#[derive(Deserialize)]
struct Index {
    cases: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    file: String,
    family: String,
    hyper: Value,
    /// What a float64 recomputation misses by.
    recomputation_error: f64,
    /// What a float32 recomputation misses by.
    float32_error: Error,
}

/// An error relative to the largest entry of a tensor, of updates and gradients and of all else.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Error {
    pub(super) delta: Option<f64>,
    pub(super) other: Option<f64>,
}

/// One case: a formula, its settings and its tensors.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) family: String,
    pub(super) recomputation_error: f64,
    pub(super) float32_error: Error,
    hyper: Value,
    tensors: HashMap<String, TensorData>,
}

/// Every case of a folder; a folder without cases is an error.
pub(super) fn load_cases(folder: &Path) -> Result<Vec<Case>, String> {
    let path = folder.join("cases.json");
    let error = |error: String| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|e| error(e.to_string()))?;
    let index: Index = serde_json::from_str(&text).map_err(|e| error(e.to_string()))?;
    if index.cases.is_empty() {
        return Err(error("no case".into()));
    }
    index.cases.into_iter().map(|entry| Case::load(folder, entry)).collect()
}

impl Case {
    fn load(folder: &Path, entry: Entry) -> Result<Self, String> {
        let Entry { name, file, family, hyper, recomputation_error, float32_error } = entry;
        let path = folder.join(file);
        let error = |error: String| format!("{}: {error}", path.display());
        let bytes = fs::read(&path).map_err(|e| error(e.to_string()))?;
        let stored = SafeTensors::deserialize(&bytes).map_err(|e| error(e.to_string()))?;
        let mut tensors = HashMap::new();
        for (name, view) in stored.iter() {
            let values: Vec<f64> = match view.dtype() {
                Dtype::F64 => view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
                Dtype::F32 => {
                    view.data().as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
                }
                other => return Err(error(format!("tensor `{name}` has type {other:?}"))),
            };
            tensors.insert(name.to_string(), TensorData::new(values, view.shape().to_vec()));
        }
        Ok(Self { name, family, recomputation_error, float32_error, hyper, tensors })
    }

    /// The settings of the family.
    pub(super) fn hyper<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(self.hyper.clone()).map_err(|error| format!("hyper: {error}"))
    }

    /// A tensor, if the case has it.
    pub(super) fn data(&self, name: &str) -> Option<&TensorData> {
        self.tensors.get(name)
    }

    /// The names of all tensors.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// A tensor that the case must have, of this rank.
    pub(super) fn tensor<const D: usize>(&self, name: &str, dtype: DType) -> Result<Tensor<D>, String> {
        let data = self.data(name).ok_or_else(|| format!("tensor `{name}` is missing"))?;
        if data.shape().num_dims() != D {
            return Err(format!("tensor `{name}`: expected rank {D}, got {:?}", data.shape()));
        }
        Ok(Tensor::from_data(data.clone(), (&Device::flex(), dtype)))
    }

    /// A tensor that the case must have, one row an image.
    pub(super) fn rows(&self, name: &str, dtype: DType) -> Result<Tensor<2>, String> {
        let data = self.data(name).ok_or_else(|| format!("tensor `{name}` is missing"))?;
        let (n, elements) = (data.shape()[0], data.shape().num_elements());
        let flat = TensorData::new(data.iter::<f64>().collect::<Vec<_>>(), [n, elements / n.max(1)]);
        Ok(Tensor::from_data(flat, (&Device::flex(), dtype)))
    }
}
