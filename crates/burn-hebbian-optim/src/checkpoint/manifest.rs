//! What belongs together in a checkpoint.

use std::{collections::BTreeMap, fs, path::Path};

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckpointError, Progress, Rates, Training};
use crate::LocalOptimizer;

/// Written last: a checkpoint without one is none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) progress: Progress,
    /// The first epoch of the phase that the training was in, if its plan has phases and it was in one.
    phase: Option<usize>,
    plan: Value,
    /// Shapes by path.
    parameters: BTreeMap<String, Vec<usize>>,
    files: BTreeMap<String, Fingerprint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    bytes: usize,
    crc32: u32,
}

impl Fingerprint {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len(), crc32: crc32fast::hash(bytes) }
    }
}

impl Manifest {
    /// Without files yet.
    pub(super) fn of<M: Module>(training: &Training<M>) -> Result<Self, CheckpointError> {
        let bound = training.optim.plan();
        // as it reads back: a number is what its text says, here and there
        let text = serde_json::to_string(bound.plan());
        let plan = text.and_then(|text| serde_json::from_str(&text));
        Ok(Self {
            progress: training.progress,
            phase: bound.epoch(),
            plan: plan.map_err(|error| CheckpointError::Plan(error.to_string()))?,
            parameters: parameters(&training.model),
            files: BTreeMap::new(),
        })
    }

    /// `model` after the phases that the checkpoint has behind it: they leave room for the state of their rules.
    pub(super) fn replay<M: Module>(
        &self,
        optim: &mut LocalOptimizer,
        model: M,
    ) -> Result<M, CheckpointError> {
        let Some(phase) = self.phase else { return Ok(model) };
        let starts = optim.plan().plan().phase_starts();
        let behind = starts.into_iter().filter(|start| *start <= phase);
        Ok(behind.into_iter().try_fold(model, |model, start| optim.begin_epoch(start, model))?)
    }

    pub(super) fn add(&mut self, file: &str, bytes: &[u8]) {
        self.files.insert(file.to_string(), Fingerprint::of(bytes));
    }

    pub(super) fn to_json(&self) -> Result<String, CheckpointError> {
        serde_json::to_string_pretty(self).map_err(|error| CheckpointError::Plan(error.to_string()))
    }

    pub(super) fn read(path: &Path) -> Result<Self, CheckpointError> {
        let text = fs::read_to_string(path).map_err(|error| CheckpointError::io(path, error))?;
        serde_json::from_str(&text).map_err(|error| CheckpointError::Manifest {
            path: path.to_path_buf(),
            reason: error.to_string(),
        })
    }

    /// Refuses a checkpoint of another training.
    pub(super) fn check<M: Module>(
        &self,
        folder: &Path,
        fresh: &Training<M>,
        rates: Rates,
    ) -> Result<(), CheckpointError> {
        let ours = Self::of(fresh)?;
        let foreign = |(what, theirs, ours): (String, String, String)| {
            Err(CheckpointError::Foreign { path: folder.to_path_buf(), what, theirs, ours })
        };
        if self.progress.seed != ours.progress.seed {
            return foreign((
                "the seed".to_string(),
                self.progress.seed.to_string(),
                ours.progress.seed.to_string(),
            ));
        }
        let shapes = |all: &BTreeMap<String, Vec<usize>>| serde_json::json!(all);
        let parameters = difference("the parameter", &shapes(&self.parameters), &shapes(&ours.parameters));
        let plan =
            |plan: &Value| if rates == Rates::New { without_rates(plan.clone()) } else { plan.clone() };
        let differs = || difference("the plan's", &plan(&self.plan), &plan(&ours.plan));
        parameters.or_else(differs).map_or(Ok(()), foreign)
    }

    /// The bytes of a file, if they are what was written.
    pub(super) fn load(&self, folder: &Path, file: &str) -> Result<Vec<u8>, CheckpointError> {
        let path = folder.join(file);
        let bytes = fs::read(&path).map_err(|error| CheckpointError::io(&path, error))?;
        let found = Fingerprint::of(&bytes);
        let expected = self.files.get(file).copied().unwrap_or(Fingerprint { bytes: 0, crc32: 0 });
        if found == expected {
            return Ok(bytes);
        }
        Err(CheckpointError::Damaged {
            path,
            expected: expected.bytes,
            checksum: expected.crc32,
            found: found.bytes,
            found_checksum: found.crc32,
        })
    }
}

/// A plan without the rates of its entries.
fn without_rates(mut plan: Value) -> Value {
    let entries = plan.get_mut("entries").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
        entry.remove("rate");
    }
    plan
}

/// The first place in which two values differ, and what is there.
fn difference(at: &str, theirs: &Value, ours: &Value) -> Option<(String, String, String)> {
    let step = |key: String, theirs: Option<&Value>, ours: Option<&Value>| match (theirs, ours) {
        (Some(theirs), Some(ours)) => difference(&format!("{at} {key}"), theirs, ours),
        (theirs, ours) => {
            let show = |value: Option<&Value>| value.map_or("missing".to_string(), ToString::to_string);
            Some((format!("{at} {key}"), show(theirs), show(ours)))
        }
    };
    match (theirs, ours) {
        _ if theirs == ours => None,
        (Value::Object(theirs), Value::Object(ours)) => {
            let keys = theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key)));
            keys.cloned().find_map(|key| step(key.clone(), theirs.get(&key), ours.get(&key)))
        }
        (Value::Array(theirs), Value::Array(ours)) if theirs.iter().any(|value| !value.is_number()) => {
            let longest = theirs.len().max(ours.len());
            (0..longest).find_map(|i| step(format!("[{i}]"), theirs.get(i), ours.get(i)))
        }
        _ => Some((at.to_string(), theirs.to_string(), ours.to_string())),
    }
}

/// The shapes of a model's float parameters, by path.
fn parameters<M: Module>(model: &M) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes::default();
    model.visit(&mut shapes);
    shapes.found
}

#[derive(Default)]
struct Shapes {
    path: Vec<String>,
    found: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.insert(self.path.join("."), param.lazy_shape().to_vec());
    }
}
