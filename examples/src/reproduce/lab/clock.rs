//! Where results come from: `run.json`. Times are kept here and nowhere else, so that results repeat.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{images::Sizes, write};
use crate::reproduce::args::{Backend, Scale};

/// The command, the program, the machine, and how long rows took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Run {
    command: Vec<String>,
    version: String,
    /// Of the sources, if they are a checkout.
    commit: Option<Commit>,
    cpu: Option<String>,
    threads: usize,
    device: String,
    scale: String,
    seeds: Vec<u64>,
    images: Option<Counts>,
    /// By row and seed, of all runs that it took.
    minutes: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Commit {
    hash: String,
    /// Whether files differ from it.
    dirty: bool,
}

/// Images of each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    training: usize,
    validation: usize,
    test: usize,
}

/// Measures rows, and keeps `run.json`.
#[derive(Debug)]
pub(crate) struct Clock {
    file: PathBuf,
    run: RefCell<Run>,
    /// The row that runs, and since when its time was not added.
    row: RefCell<Option<(String, Instant)>>,
}

impl Clock {
    /// For the experiment in this folder; goes on from what rows took before at the same scale.
    pub(crate) fn new(folder: &Path, scale: Scale, seeds: Vec<u64>, device: Backend) -> Result<Self> {
        let file = folder.join("run.json");
        let name = |word: &dyn std::fmt::Debug| format!("{word:?}").to_lowercase();
        let mut run = Run {
            command: std::env::args().collect(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            commit: commit(),
            cpu: cpu(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            device: name(&device),
            scale: name(&scale),
            seeds,
            images: None,
            minutes: BTreeMap::new(),
        };
        if let Ok(json) = fs::read(&file) {
            let at = || format!("{}: remove it to forget what rows took", file.display());
            let before: Run = serde_json::from_slice(&json).with_context(at)?;
            if before.scale == run.scale {
                run.minutes = before.minutes;
            }
        }
        Ok(Self { file, run: RefCell::new(run), row: RefCell::new(None) })
    }

    /// How many images there are.
    pub(crate) fn count(&self, sizes: &Sizes) -> Result<()> {
        let [training, validation, test] = sizes.counts;
        self.run.borrow_mut().images = Some(Counts { training, validation, test });
        self.write()
    }

    /// A row begins.
    pub(crate) fn begin(&self, row: String) {
        *self.row.borrow_mut() = Some((row, Instant::now()));
    }

    /// Adds the time since the last tick to the row that runs: often enough that little is lost if the run is killed.
    pub(crate) fn tick(&self) -> Result<()> {
        if let Some((row, since)) = &mut *self.row.borrow_mut() {
            let minutes = since.elapsed().as_secs_f64() / 60.0;
            *self.run.borrow_mut().minutes.entry(row.clone()).or_default() += minutes;
            *since = Instant::now();
        }
        self.write()
    }

    /// The row that runs is done; the minutes that it took in all.
    pub(crate) fn end(&self) -> Result<f64> {
        self.tick()?;
        let row = self.row.borrow_mut().take();
        Ok(row.and_then(|(row, _)| self.run.borrow().minutes.get(&row).copied()).unwrap_or_default())
    }

    fn write(&self) -> Result<()> {
        write(&self.file, &serde_json::to_vec_pretty(&*self.run.borrow())?)
    }
}

/// The commit that the sources of this program are at, where they are a checkout.
fn commit() -> Option<Commit> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let hash = git(&["rev-parse", "HEAD"])?;
    Some(Commit { hash, dirty: !git(&["status", "--porcelain"])?.is_empty() })
}

/// The name of the processor, where the system tells it in a file.
fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
