//! A case as it lies on disk, and what comes out against it.

use std::{cell::Cell, collections::HashMap, fs, path::Path};

use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_hebbian::spikes::Train;
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
    tolerance: f64,
    hyper: Map<String, Value>,
}

/// One case: a formula, its settings and its tensors.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) family: String,
    tolerance: f64,
    hyper: Map<String, Value>,
    tensors: HashMap<String, Stored>,
    compared: Cell<usize>,
}

#[derive(Clone)]
struct Stored {
    values: Vec<f64>,
    shape: Vec<usize>,
}

/// Every case of a folder; a folder without cases is an error.
pub(super) fn load_cases(folder: &Path) -> Result<Vec<Case>, String> {
    let path = folder.join("cases.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let index: Index = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if index.cases.is_empty() {
        return Err(format!("{}: no case", path.display()));
    }
    let load = |Entry { name, file, family, tolerance, hyper }| {
        let tensors = load_tensors(&folder.join(file))?;
        Ok(Case { name, family, tolerance, hyper, tensors, compared: Cell::new(0) })
    };
    index.cases.into_iter().map(load).collect()
}

fn load_tensors(path: &Path) -> Result<HashMap<String, Stored>, String> {
    let error = |error: String| format!("{}: {error}", path.display());
    let bytes = fs::read(path).map_err(|e| error(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| error(e.to_string()))?;
    let read = |(name, view): (&str, safetensors::tensor::TensorView)| {
        let eight = || view.data().as_chunks::<8>().0.iter();
        let values = match view.dtype() {
            Dtype::F32 => {
                view.data().as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
            }
            Dtype::F64 => eight().map(|b| f64::from_le_bytes(*b)).collect(),
            Dtype::I64 => eight().map(|b| i64::from_le_bytes(*b) as f64).collect(),
            other => return Err(error(format!("tensor `{name}` has type {other:?}"))),
        };
        Ok((name.to_string(), Stored { values, shape: view.shape().to_vec() }))
    };
    file.iter().map(read).collect()
}

pub(super) fn device() -> Device {
    Device::flex()
}

impl Case {
    /// How many tensors were compared.
    pub(super) fn compared(&self) -> usize {
        self.compared.get()
    }

    pub(super) fn setting(&self, key: &str) -> Result<&Value, String> {
        self.hyper.get(key).ok_or_else(|| format!("hyper.{key} is missing"))
    }

    /// All settings as one object.
    pub(super) fn settings(&self) -> Value {
        Value::Object(self.hyper.clone())
    }

    pub(super) fn number(&self, key: &str) -> Result<f64, String> {
        self.setting(key)?.as_f64().ok_or_else(|| format!("hyper.{key}: no number"))
    }

    /// A number, or `None` where the case says null.
    pub(super) fn number_or_null(&self, key: &str) -> Result<Option<f64>, String> {
        match self.setting(key)? {
            Value::Null => Ok(None),
            _ => self.number(key).map(Some),
        }
    }

    pub(super) fn integer(&self, key: &str) -> Result<usize, String> {
        let value = self.setting(key)?.as_u64();
        value.map(|value| value as usize).ok_or_else(|| format!("hyper.{key}: no whole number"))
    }

    pub(super) fn integers(&self, key: &str) -> Result<Vec<usize>, String> {
        let error = || format!("hyper.{key}: no list of whole numbers");
        let list = self.setting(key)?.as_array().ok_or_else(error)?;
        list.iter().map(|value| value.as_u64().map(|value| value as usize).ok_or_else(error)).collect()
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, String> {
        self.setting(key)?.as_bool().ok_or_else(|| format!("hyper.{key}: no true or false"))
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, String> {
        self.setting(key)?.as_str().ok_or_else(|| format!("hyper.{key}: no text"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn stored(&self, name: &str) -> Result<&Stored, String> {
        self.tensors.get(name).ok_or_else(|| format!("tensor `{name}` is missing"))
    }

    pub(super) fn shape(&self, name: &str) -> Result<Vec<usize>, String> {
        Ok(self.stored(name)?.shape.clone())
    }

    /// A tensor, in f32.
    pub(super) fn tensor<const D: usize>(&self, name: &str) -> Result<Tensor<D>, String> {
        let Stored { values, shape } = self.stored(name)?;
        if shape.len() != D {
            return Err(format!("tensor `{name}`: expected rank {D}, got {shape:?}"));
        }
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        Ok(Tensor::from_data(TensorData::new(values, shape.clone()), &device()))
    }

    pub(super) fn integers_of(&self, name: &str) -> Result<Tensor<1, Int>, String> {
        let values: Vec<i64> = self.stored(name)?.values.iter().map(|value| *value as i64).collect();
        Ok(Tensor::from_data(values.as_slice(), &device()))
    }

    /// The values of a tensor, row by row.
    pub(super) fn values(&self, name: &str) -> Result<Vec<f64>, String> {
        Ok(self.stored(name)?.values.clone())
    }

    /// A sequence `[T, N, ..]` as a train of rank `X`, and of some of its steps.
    pub(super) fn train<const X: usize>(&self, name: &str) -> Result<Train<X>, String> {
        let Stored { values, shape } = self.stored(name)?;
        if shape.len() != X + 1 {
            return Err(format!("tensor `{name}`: expected rank {}, got {shape:?}", X + 1));
        }
        let mut dims = [0; X];
        dims.copy_from_slice(&shape[1..]);
        dims[0] *= shape[0];
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        let values = Tensor::from_data(TensorData::new(values, dims), &device());
        Train::new(values, shape[0]).map_err(|error| error.to_string())
    }

    /// Compares what was computed, up to the tolerance of the case; what is a spike, a winner or a decision exactly.
    pub(super) fn compare(&self, name: &str, ours: TensorData) -> Result<(), String> {
        const EXACT: &[&str] =
            &["spikes", "crossed", "kept", "winners", "winner_time", "wave", "input2", "decision", "reward"];
        let Stored { values: theirs, .. } = self.stored(name)?;
        let ours: Vec<f64> = ours.iter::<f64>().collect();
        if ours.len() != theirs.len() {
            return Err(format!("{name}: {} values, expected {}", ours.len(), theirs.len()));
        }
        let tolerance = if EXACT.contains(&name) { 0.0 } else { self.tolerance };
        let scale = theirs.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
        for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let error = (ours - theirs).abs() / scale;
            // not `>`: NaN is an error
            if !matches!(error.partial_cmp(&tolerance), Some(order) if order.is_le()) {
                return Err(format!(
                    "{name}: value {at} is {ours}, expected {theirs} (tolerance {tolerance:e})"
                ));
            }
        }
        self.compared.set(self.compared.get() + 1);
        Ok(())
    }

    /// Compares one tensor for each step or image, stacked.
    pub(super) fn compare_stacked<const D: usize>(
        &self,
        name: &str,
        ours: Vec<Tensor<D>>,
    ) -> Result<(), String> {
        self.compare(name, stacked(ours))
    }

    /// The same, if the case has it.
    pub(super) fn compare_if_there<const D: usize>(
        &self,
        name: &str,
        ours: Vec<Tensor<D>>,
    ) -> Result<(), String> {
        if self.has(name) { self.compare_stacked(name, ours) } else { Ok(()) }
    }
}

/// One after the other.
fn stacked<const D: usize>(parts: Vec<Tensor<D>>) -> TensorData {
    Tensor::cat(parts, 0).into_data()
}
