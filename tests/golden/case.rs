//! A case as it lies on disk.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Index {
    cases: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    file: String,
    family: String,
    lr: f64,
    hyper: Map<String, Value>,
}

/// One case: a formula, its hyper-parameters and its tensors.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) lr: f64,
    hyper: Map<String, Value>,
    tensors: HashMap<String, TensorData>,
}

/// Every case of a folder; a folder without cases is an error.
pub(crate) fn load_cases(folder: &Path) -> Result<Vec<Case>, String> {
    let path = folder.join("cases.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let index: Index = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if index.cases.is_empty() {
        return Err(format!("{}: no case", path.display()));
    }
    index.cases.into_iter().map(|entry| Case::load(folder, entry)).collect()
}

impl Case {
    fn load(folder: &Path, entry: Entry) -> Result<Self, String> {
        let tensors = load_tensors(folder.join(&entry.file))?;
        // without these there would be nothing to compare with
        if let Some(missing) = ["delta_w", "w1"].iter().find(|name| !tensors.contains_key(**name)) {
            return Err(format!("{}: tensor `{missing}` is missing", entry.file));
        }
        let Entry { name, family, lr, hyper, .. } = entry;
        Ok(Self { name, family, lr, hyper, tensors })
    }

    /// A number under `hyper`.
    pub(crate) fn number(&self, key: &str) -> Result<f64, String> {
        self.hyper.get(key).and_then(Value::as_f64).ok_or_else(|| format!("hyper.{key}: no number"))
    }

    pub(crate) fn integer(&self, key: &str) -> Result<usize, String> {
        let value = self.hyper.get(key).and_then(Value::as_u64);
        value.map(|value| value as usize).ok_or_else(|| format!("hyper.{key}: no whole number"))
    }

    pub(crate) fn integers(&self, key: &str) -> Result<Vec<usize>, String> {
        let error = || format!("hyper.{key}: no list of whole numbers");
        let list = self.hyper.get(key).and_then(Value::as_array).ok_or_else(error)?;
        list.iter().map(|value| value.as_u64().map(|value| value as usize).ok_or_else(error)).collect()
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, String> {
        self.hyper.get(key).and_then(Value::as_bool).ok_or_else(|| format!("hyper.{key}: no true or false"))
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str, String> {
        self.hyper.get(key).and_then(Value::as_str).ok_or_else(|| format!("hyper.{key}: no text"))
    }

    /// A tensor, if the case has it.
    pub(crate) fn data(&self, name: &str) -> Option<&TensorData> {
        self.tensors.get(name)
    }

    pub(crate) fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>, String> {
        let data = self.data(name).ok_or_else(|| format!("tensor `{name}` is missing"))?;
        if data.shape().num_dims() != D {
            return Err(format!("tensor `{name}`: expected rank {D}, got {:?}", data.shape()));
        }
        Ok(Tensor::from_data(data.clone(), device))
    }
}

fn load_tensors(path: PathBuf) -> Result<HashMap<String, TensorData>, String> {
    let error = |error: String| format!("{}: {error}", path.display());
    let bytes = fs::read(&path).map_err(|e| error(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| error(e.to_string()))?;
    file.iter()
        .map(|(name, view)| {
            let values: Vec<f32> = match view.dtype() {
                Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
                Dtype::F64 => {
                    view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()
                }
                Dtype::I64 => {
                    view.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect()
                }
                other => return Err(error(format!("tensor `{name}` has type {other:?}"))),
            };
            Ok((name.to_string(), TensorData::new(values, view.shape().to_vec())))
        })
        .collect()
}
