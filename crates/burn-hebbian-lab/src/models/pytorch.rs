//! Weights written by PyTorch, `torch.save(net.state_dict(), file)`.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use burn_hebbian_lab::models::{ResNetConfig, pytorch::FromPytorch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let net = ResNetConfig::resnet18(1000).init(&Device::flex())?;
//! let net = net.load_pytorch("resnet18.pt")?;
//! # Ok(()) }
//! ```

use std::path::Path;

use burn::{
    module::Module,
    store::{ApplyError, ApplyResult, ModuleStore, PytorchStore},
};
use thiserror::Error;

/// A model that takes weights of PyTorch's.
pub trait FromPytorch: Module {
    /// Where PyTorch's parameters go.
    fn names(&self) -> Names {
        Names::default()
    }

    /// The model with the weights of `file`: every parameter must be there in its shape, and nothing else, except
    /// `num_batches_tracked`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its weights are not those of this model.
    fn load_pytorch(mut self, file: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let names = self.names();
        let path = file.as_ref();
        let mut store = names.store(path);
        let result = store.apply_to(&mut self).map_err(|error| WeightsError::unreadable(path, error))?;
        match names.problems(&result) {
            problems if problems.is_empty() => Ok(self),
            problems => Err(WeightsError::Mismatch { file: path.display().to_string(), problems }),
        }
    }
}

/// From PyTorch's names to the paths of a model.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Regular expressions and what they become, one after the other.
    patterns: Vec<(String, String)>,
    /// Last components of paths that PyTorch's model does not have.
    absent: Vec<&'static str>,
}

impl Names {
    /// What is called `from` (a whole leading part of a name) is at `to`.
    pub fn leading(self, from: impl AsRef<str>, to: impl AsRef<str>) -> Self {
        let from = from.as_ref().replace('.', r"\.");
        self.pattern(format!(r"^{from}\."), format!("{}.", to.as_ref()))
    }

    /// What matches the regular expression `from` becomes `to`, in which `${1}` is the first group.
    pub fn pattern(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.patterns.push((from.into(), to.into()));
        self
    }

    /// The file need not have parameters of this name.
    pub fn without(mut self, parameter: &'static str) -> Self {
        self.absent.push(parameter);
        self
    }

    fn store(&self, file: &Path) -> PytorchStore {
        // judged here, all at once, instead of at the first by the store
        let store = PytorchStore::from_file(file).validate(false).allow_partial(true);
        let store = store.map_indices_contiguous(false);
        self.patterns.iter().fold(store, |store, (from, to)| store.with_key_remapping(from, to))
    }

    /// Everything about a file that does not fit the model.
    fn problems(&self, result: &ApplyResult) -> Vec<String> {
        let expected = |path: &str| !self.absent.contains(&last(path));
        let missing = result.missing.iter().map(|(path, _)| path).filter(|path| expected(path));
        let unused = result.unused.iter().filter(|path| last(path) != "num_batches_tracked");
        missing
            .map(|path| format!("`{path}` is missing"))
            .chain(result.errors.iter().map(misfit))
            .chain(unused.map(|path| format!("`{path}` has no place in the model")))
            .collect()
    }
}

/// The last component of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn misfit(error: &ApplyError) -> String {
    match error {
        ApplyError::ShapeMismatch { path, expected, found } => {
            format!("`{path}`: expected shape {:?}, got {:?}", &expected[..], &found[..])
        }
        other => other.to_string(),
    }
}

/// Weights that a model cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WeightsError {
    /// Not a file that PyTorch wrote, or not all of it.
    #[error("{file}: cannot be read as PyTorch's weights: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader found.
        reason: String,
    },
    /// The weights of another model.
    #[error("{file}: not the weights of this model: {}", shortened(problems))]
    Mismatch {
        /// The file.
        file: String,
        /// What is missing, of the wrong shape, or too much; shapes and paths are those of the model here.
        problems: Vec<String>,
    },
}

impl WeightsError {
    fn unreadable(file: &Path, reason: impl ToString) -> Self {
        Self::Unreadable { file: file.display().to_string(), reason: reason.to_string() }
    }
}

/// The first of many problems.
fn shortened(problems: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = problems[..problems.len().min(SHOWN)].join("; ");
    match problems.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}
