//! Where results come from: `run.json`. Times are kept here and nowhere else, so that results repeat.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{
    files::write,
    target::{Backend, Scale},
};

/// The last command, the program, the machine, and how rows were computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Run {
    command: Vec<String>,
    version: String,
    cpu: Option<String>,
    device: String,
    scale: String,
    seeds: Vec<u64>,
    images: Option<Counts>,
    /// By row and seed.
    rows: BTreeMap<String, Ran>,
}

/// How a row was computed, by all commands that it took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Ran {
    minutes: f64,
    /// Of the last command.
    threads: usize,
    /// Of the sources, where they are a checkout; `+` behind it says that files differed.
    commits: Vec<String>,
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
    commit: Option<String>,
    /// The row that runs, and since when its time was not added.
    row: RefCell<Option<(String, Instant)>>,
}

impl Clock {
    /// For the experiment in this folder; goes on from what rows took before at the same scale.
    pub(crate) fn new(folder: &Path, scale: Scale, seeds: Vec<u64>, device: Backend) -> Result<Self> {
        let file = folder.join("run.json");
        let name = |word: &dyn std::fmt::Debug| format!("{word:?}").to_lowercase();
        let run = Run {
            command: env::args().collect(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            cpu: cpu(),
            device: name(&device),
            scale: name(&scale),
            seeds,
            images: None,
            rows: BTreeMap::new(),
        };
        let clock = Self { file, run: RefCell::new(run), commit: commit(), row: RefCell::new(None) };
        clock.read()?;
        Ok(clock)
    }

    /// Of rows that are recorded in this folder: it tells how they were computed, and measures nothing.
    pub(crate) fn recorded(folder: &Path) -> Result<Self> {
        let file = folder.join("run.json");
        let json = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let run = serde_json::from_slice(&json).with_context(|| file.display().to_string())?;
        Ok(Self { file, run: RefCell::new(run), commit: None, row: RefCell::new(None) })
    }

    /// `small` or `full`.
    pub(crate) fn scale(&self) -> String {
        self.run.borrow().scale.clone()
    }

    /// How many images there are for training, validation and test.
    pub(crate) fn count(&self, [training, validation, test]: [usize; 3]) -> Result<()> {
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
            // another run of the same experiment may have written its rows
            self.read()?;
            let mut run = self.run.borrow_mut();
            let ran = run.rows.entry(row.clone()).or_default();
            ran.minutes += since.elapsed().as_secs_f64() / 60.0;
            ran.threads = threads();
            if ran.commits.last() != self.commit.as_ref() {
                ran.commits.extend(self.commit.clone());
            }
            *since = Instant::now();
        }
        self.write()
    }

    /// The row that runs is done; the minutes that it took in all.
    pub(crate) fn end(&self) -> Result<f64> {
        self.tick()?;
        let row = self.row.borrow_mut().take();
        Ok(row.and_then(|(row, _)| Some(self.run.borrow().rows.get(&row)?.minutes)).unwrap_or_default())
    }

    /// The command, the machine and the time of each row that the results, of so many seeds, are of.
    pub(crate) fn markdown(&self, experiment: &str, seeds: usize) -> String {
        let run = self.run.borrow();
        let device = if run.device == "flex" { String::new() } else { format!(" --device {}", run.device) };
        let seeds = if seeds == 1 { String::new() } else { format!(" --seeds {seeds}") };
        let mut text = format!(
            "\n```text\ncargo run --release --example reproduce -- {experiment} --data DIR --out DIR --scale {}{seeds}{device}\n```\n\n",
            run.scale
        );
        // writing to a string does not fail
        if let Some(Counts { training, validation, test }) = run.images {
            let _ = write!(text, "{training} training, {validation} validation and {test} test images. ");
        }
        let _ = writeln!(text, "{}, {}.\n", run.device, run.cpu.as_deref().unwrap_or("processor unknown"));
        text.push_str("| row | minutes | threads | commits |\n|---|---|---|---|\n");
        for (row, Ran { minutes, threads, commits }) in &run.rows {
            let _ = writeln!(text, "| {row} | {minutes:.1} | {threads} | {} |", commits.join(", "));
        }
        text
    }

    /// Takes over what rows took, if the file tells it for the same scale.
    fn read(&self) -> Result<()> {
        if let Ok(json) = fs::read(&self.file) {
            let at = || format!("{}: remove it to forget what rows took", self.file.display());
            let before: Run = serde_json::from_slice(&json).with_context(at)?;
            let mut run = self.run.borrow_mut();
            if before.scale == run.scale {
                run.rows = before.rows;
            }
        }
        Ok(())
    }

    fn write(&self) -> Result<()> {
        write(&self.file, &serde_json::to_vec_pretty(&*self.run.borrow())?)
    }
}

/// Digits of a commit's hash.
const DIGITS: usize = 10;

/// The commit that the sources of this program are at.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let mut hash = git(&["rev-parse", "HEAD"])?;
    hash.truncate(DIGITS);
    let dirty = !git(&["status", "--porcelain"])?.is_empty();
    Some(if dirty { hash + "+" } else { hash })
}

/// As many as parallel loops take.
fn threads() -> usize {
    let asked = env::var("RAYON_NUM_THREADS").ok().and_then(|threads| threads.parse().ok());
    asked
        .filter(|threads| *threads > 0)
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// The name of the processor, where the system tells it in a file.
fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
