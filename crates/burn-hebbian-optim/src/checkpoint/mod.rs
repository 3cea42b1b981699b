//! Checkpoints from which a training goes on as if it had never stopped.

mod error;
mod manifest;

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use burn::{
    lr_scheduler::{LrSchedulerRecord, module_lr_scheduler::ModuleLrScheduler},
    module::Module,
    optim::ModuleOptimizer,
    store::ModuleRecord,
    tensor::Bytes,
};
use serde::{Deserialize, Serialize};

pub use error::CheckpointError;
use manifest::Manifest;

use crate::Plan;

/// Where a training stands; the order of its data is to be a function of these numbers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The seed of the whole training.
    pub seed: u64,
    /// Epochs that are done.
    pub epochs: usize,
}

/// What a training consists of, but for its data.
pub struct Training<M> {
    /// Where it stands.
    pub progress: Progress,
    /// The model, with the state of its rules.
    pub model: M,
    /// The optimizer, with its state.
    pub optimizer: ModuleOptimizer,
    /// The schedule of learning rates, with its state.
    pub rates: ModuleLrScheduler,
}

/// A folder of checkpoints of one training.
///
/// A checkpoint is a folder of its own, `epoch-N`: model, optimizer and rates, and a manifest, written last, of what
/// belongs together: names, sizes and checksums of the files, the model's parameters, the plan. It appears at once or
/// not at all; a training that is killed at any moment goes on from the last one. On one CPU device it ends with the
/// same weights, bit for bit, as one that was never killed, if the order of its data, and of whatever else is drawn at
/// random, is a function of seed and epoch (seed the device anew at each epoch).
///
/// ```no_run
/// # use burn::{lr_scheduler::module_lr_scheduler::ModuleLrScheduler, module::Module, nn::Linear, optim::ModuleOptimizer};
/// # use burn_hebbian_optim::{Plan, checkpoint::{Checkpoints, Progress, Training}};
/// # fn example(plan: Plan, model: Linear, optimizer: ModuleOptimizer, rates: ModuleLrScheduler) -> Result<(), Box<dyn std::error::Error>> {
/// let checkpoints = Checkpoints::new("checkpoints");
/// let progress = Progress { seed: 1, epochs: 0 };
/// let mut training = checkpoints.resume(&plan, Training { progress, model, optimizer, rates })?;
/// while training.progress.epochs < 10 {
///     // train one epoch on an order of `seed` and `epochs`
///     training.progress.epochs += 1;
///     checkpoints.save(&plan, &training)?;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

/// The files of a checkpoint beside its manifest.
const FILES: [&str; 3] = ["model.bpk", "optimizer.bpk", "rates.bpk"];

const MANIFEST: &str = "manifest.json";

impl Checkpoints {
    /// In this folder; the last two are kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), keep: 2 }
    }

    /// With so many of the last ones kept, at least one.
    pub fn keeping(self, keep: usize) -> Self {
        Self { keep: keep.max(1), ..self }
    }

    /// Writes the checkpoint of `training`, and removes those that are too many.
    ///
    /// # Errors
    ///
    /// If an update since the last look was not finite, or a file cannot be written.
    pub fn save<M: Module>(&self, plan: &Plan, training: &Training<M>) -> Result<(), CheckpointError> {
        plan.check_finite()?;
        // running statistics keep their last update apart until somebody asks for them; records do not ask
        drop(training.model.valid());
        let files = [
            training.model.clone().into_record().into_bytes(),
            training.optimizer.into_bytes(),
            training.rates.to_record().into_bytes(),
        ];
        let name = format!("epoch-{}", training.progress.epochs);
        let (done, partial) = (self.folder.join(&name), self.folder.join(format!("{name}.partial")));
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(|error| CheckpointError::io(&partial, error))?;
        let mut manifest = Manifest::of(plan, training)?;
        for (file, bytes) in FILES.into_iter().zip(files) {
            let bytes = bytes.map_err(|error| CheckpointError::record(&partial.join(file), error))?;
            write(&partial.join(file), &bytes)?;
            manifest.add(file, &bytes);
        }
        write(&partial.join(MANIFEST), manifest.to_json()?.as_bytes())?;
        remove(&done)?;
        fs::rename(&partial, &done).map_err(|error| CheckpointError::io(&done, error))?;
        sync(&self.folder)?;
        self.prune()
    }

    /// The training as its last checkpoint left it, or `fresh` if there is none.
    ///
    /// `fresh` gives the shape of everything: the model with the plan applied, its optimizer and its rates.
    ///
    /// # Errors
    ///
    /// If the last checkpoint is incomplete, damaged, mixed from several, of another model, seed or plan; the error
    /// names the file or says what differs. An older one is taken only once the broken one is removed.
    pub fn resume<M: Module>(&self, plan: &Plan, fresh: Training<M>) -> Result<Training<M>, CheckpointError> {
        let Some((_, folder)) = self.complete()?.pop() else { return Ok(fresh) };
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        manifest.check(&folder, plan, &fresh)?;
        let [model, optimizer, rates] = FILES.map(|file| manifest.load(&folder, file));
        let record = |file: &str| {
            let path = folder.join(file);
            move |error| CheckpointError::record(&path, error)
        };
        let model = ModuleRecord::from_bytes(Bytes::from_bytes_vec(model?)).map_err(record(FILES[0]))?;
        let rates = LrSchedulerRecord::from_bytes(Bytes::from_bytes_vec(rates?)).map_err(record(FILES[2]))?;
        Ok(Training {
            progress: manifest.progress,
            model: fresh.model.try_load_record(model).map_err(record(FILES[0]))?,
            optimizer: fresh
                .optimizer
                .from_bytes(Bytes::from_bytes_vec(optimizer?))
                .map_err(record(FILES[1]))?,
            rates: fresh.rates.load_record(rates),
        })
    }

    /// The checkpoints that were written to the end, oldest first.
    fn complete(&self) -> Result<Vec<(usize, PathBuf)>, CheckpointError> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.folder).map_err(|error| CheckpointError::io(&self.folder, error))?;
        let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix("epoch-")?.parse().ok();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut found: Vec<_> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
        found.sort();
        Ok(found)
    }

    fn prune(&self) -> Result<(), CheckpointError> {
        let found = self.complete()?;
        let surplus = found.len().saturating_sub(self.keep);
        found[..surplus].iter().try_for_each(|(_, folder)| remove(folder))
    }
}

/// Writes a file and waits until it is on the disk.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| CheckpointError::io(path, error))
}

/// Waits until a folder's entries are on the disk, where folders can be opened.
fn sync(folder: &Path) -> Result<(), CheckpointError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| CheckpointError::io(folder, error))?;
    }
    Ok(())
}

/// Removes a checkpoint, complete or not; it stops being one before its files go.
fn remove(folder: &Path) -> Result<(), CheckpointError> {
    let aside = folder.with_extension("removed");
    if folder.exists() {
        discard(&aside)?;
        fs::rename(folder, &aside).map_err(|error| CheckpointError::io(folder, error))?;
    }
    discard(&aside)
}

fn discard(folder: &Path) -> Result<(), CheckpointError> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|error| CheckpointError::io(folder, error))
}
