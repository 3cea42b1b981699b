//! Checkpoints from which a training goes on as if it had never stopped.

mod error;
mod manifest;

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use burn::{
    lr_scheduler::LrSchedulerRecord,
    module::Module,
    store::{ModuleRecord, RecordError},
    tensor::Bytes,
};
use serde::{Deserialize, Serialize};

pub use error::CheckpointError;
use manifest::Manifest;

use crate::LocalOptimizer;

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
    /// What trains it, with the state of optimizer and rates.
    pub optim: LocalOptimizer,
}

/// A folder of checkpoints of one training.
///
/// A checkpoint is a folder of its own, `epoch-N`: model, optimizer and rates, and a manifest, written last, of what
/// belongs together: names, sizes and checksums of the files, the model's parameters, the plan. It appears at once or
/// not at all; a training that is killed at any moment goes on from the last one. On one CPU device it ends with the
/// same weights, bit for bit, as one that was never killed, if the order of its data, and of whatever else is drawn at
/// random, is a function of seed and epoch (seed the device anew at each epoch).
///
/// What may change on purpose from one run to the next is the device, which the fresh model decides, and with
/// [`resume_at_new_rates`](Self::resume_at_new_rates) the rates of the plan.
///
/// ```no_run
/// # use burn::{module::Module, nn::Linear, optim::AdamConfig};
/// # use burn_hebbian_optim::{Plan, checkpoint::{Checkpoints, Progress, Training}};
/// # fn example(plan: Plan, model: Linear) -> Result<(), Box<dyn std::error::Error>> {
/// let checkpoints = Checkpoints::new("checkpoints");
/// let (model, optim) = plan.init(model, AdamConfig::new())?;
/// let progress = Progress { seed: 1, epochs: 0 };
/// let mut training = checkpoints.resume(Training { progress, model, optim })?;
/// while training.progress.epochs < 10 {
///     // train one epoch on an order of `seed` and `epochs`
///     training.progress.epochs += 1;
///     checkpoints.save(&training)?;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

/// The files of a checkpoint.
const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const RATES: &str = "rates.bpk";
const MANIFEST: &str = "manifest.json";

/// The extension of a checkpoint that another one of its name takes the place of.
const ASIDE: &str = "aside";

/// Whether a checkpoint's rates are to be this training's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rates {
    Same,
    New,
}

/// The files of a checkpoint, checked against its manifest.
struct Files<'a> {
    manifest: &'a Manifest,
    folder: &'a Path,
}

impl Files<'_> {
    fn bytes(&self, file: &str) -> Result<Bytes, CheckpointError> {
        Ok(Bytes::from_bytes_vec(self.manifest.load(self.folder, file)?))
    }

    fn refused(&self, file: &str) -> impl FnOnce(RecordError) -> CheckpointError + use<> {
        let path = self.folder.join(file);
        move |error| CheckpointError::record(&path, error)
    }

    fn model(&self) -> Result<ModuleRecord, CheckpointError> {
        ModuleRecord::from_bytes(self.bytes(MODEL)?).map_err(self.refused(MODEL))
    }

    fn rates(&self) -> Result<LrSchedulerRecord, CheckpointError> {
        LrSchedulerRecord::from_bytes(self.bytes(RATES)?).map_err(self.refused(RATES))
    }
}

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
    pub fn save<M: Module>(&self, training: &Training<M>) -> Result<(), CheckpointError> {
        training.optim.plan().check_finite()?;
        // running statistics keep their last update apart until somebody asks for them; records do not ask
        drop(training.model.valid());
        let files = [
            training.model.clone().into_record().into_bytes(),
            training.optim.optimizer().into_bytes(),
            training.optim.rates().to_record().into_bytes(),
        ];
        let name = format!("epoch-{}", training.progress.epochs);
        let (done, partial) = (self.folder.join(&name), self.folder.join(format!("{name}.partial")));
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(|error| CheckpointError::io(&partial, error))?;
        let mut manifest = Manifest::of(training)?;
        for (file, bytes) in [MODEL, OPTIMIZER, RATES].into_iter().zip(files) {
            let bytes = bytes.map_err(|error| CheckpointError::record(&partial.join(file), error))?;
            write(&partial.join(file), &bytes)?;
            manifest.add(file, &bytes);
        }
        write(&partial.join(MANIFEST), manifest.to_json()?.as_bytes())?;
        // all of it is on the disk before it gets its name
        sync(&partial)?;
        self.publish(&partial, &done)?;
        self.prune()
    }

    /// Gives a checkpoint its name; an older one of that name steps aside, and goes once the new one is there.
    fn publish(&self, partial: &Path, done: &Path) -> Result<(), CheckpointError> {
        let aside = done.with_extension(ASIDE);
        remove(&aside)?;
        if done.exists() {
            rename(done, &aside)?;
        }
        rename(partial, done)?;
        sync(&self.folder)?;
        remove(&aside)
    }

    /// The training as its last checkpoint left it, or `fresh` if there is none.
    ///
    /// `fresh` gives the shape of everything: the model and its optimizer, as [`Plan::init`](crate::Plan::init) gave
    /// them.
    ///
    /// # Errors
    ///
    /// If the last checkpoint is incomplete, damaged, mixed from several, of another model, seed or plan; the error
    /// names the file or says what differs. An older one is taken only once the broken one is removed.
    pub fn resume<M: Module>(&self, fresh: Training<M>) -> Result<Training<M>, CheckpointError> {
        self.resume_as(fresh, Rates::Same)
    }

    /// As [`resume`](Self::resume), where the rates of the plan may differ from those of the checkpoint; they start anew.
    ///
    /// # Errors
    ///
    /// As [`resume`](Self::resume), but for rates.
    pub fn resume_at_new_rates<M: Module>(&self, fresh: Training<M>) -> Result<Training<M>, CheckpointError> {
        self.resume_as(fresh, Rates::New)
    }

    fn resume_as<M: Module>(&self, fresh: Training<M>, rates: Rates) -> Result<Training<M>, CheckpointError> {
        let Some((_, folder)) = self.complete()?.pop() else { return Ok(fresh) };
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        let Training { model, mut optim, progress } = fresh;
        let model = manifest.replay(&mut optim, model)?;
        let fresh = Training { progress, model, optim };
        manifest.check(&folder, &fresh, rates)?;
        let files = Files { manifest: &manifest, folder: &folder };
        let model = fresh.model.try_load_record(files.model()?).map_err(files.refused(MODEL))?;
        let optimizer = files.bytes(OPTIMIZER)?;
        let optimizer =
            fresh.optim.fresh_optimizer().from_bytes(optimizer).map_err(files.refused(OPTIMIZER))?;
        let rates = match rates {
            Rates::Same => files.rates()?,
            Rates::New => fresh.optim.rates().to_record(),
        };
        let optim = fresh.optim.resumed(optimizer, rates);
        Ok(Training { progress: manifest.progress, model, optim })
    }

    /// The checkpoints that were written to the end, oldest first.
    fn complete(&self) -> Result<Vec<(usize, PathBuf)>, CheckpointError> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        self.put_back()?;
        let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix("epoch-")?.parse().ok();
        let mut found: Vec<_> =
            folders(&self.folder)?.into_iter().filter_map(|path| Some((number(&path)?, path))).collect();
        found.sort();
        Ok(found)
    }

    /// Puts back what stepped aside for a checkpoint that never got its name.
    fn put_back(&self) -> Result<(), CheckpointError> {
        for aside in
            folders(&self.folder)?.into_iter().filter(|path| path.extension().is_some_and(|it| it == ASIDE))
        {
            let done = aside.with_extension("");
            if done.exists() { remove(&aside)? } else { rename(&aside, &done)? }
        }
        Ok(())
    }

    fn prune(&self) -> Result<(), CheckpointError> {
        let found = self.complete()?;
        let surplus = found.len().saturating_sub(self.keep);
        found[..surplus].iter().try_for_each(|(_, folder)| remove(folder))
    }
}

/// What is in a folder.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(|error| CheckpointError::io(folder, error))
}

fn rename(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    fs::rename(from, to).map_err(|error| CheckpointError::io(to, error))
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
