//! Small experiments, and runs of them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use burn_hebbian_lab::reproduce::Args;
use clap::Parser;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::data;

/// As `results.json` has it; a field more or less is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Results {
    pub(crate) experiment: String,
    pub(crate) title: String,
    pub(crate) source: String,
    pub(crate) scale: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Line {
    pub(crate) row: String,
    pub(crate) block: String,
    pub(crate) evaluation: String,
    pub(crate) labels: String,
    pub(crate) measure: String,
    pub(crate) seeds: Vec<(u64, f64)>,
    pub(crate) mean: f64,
    pub(crate) interval: Option<f64>,
    pub(crate) published: Option<f64>,
    pub(crate) difference: Option<f64>,
    pub(crate) comparison: Option<Comparison>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Comparison {
    pub(crate) against: String,
    pub(crate) seeds: usize,
    pub(crate) difference: f64,
    pub(crate) interval: f64,
    pub(crate) p: f64,
}

/// An experiment of its own in a folder of its own.
pub(crate) struct Own {
    pub(crate) dir: TempDir,
    pub(crate) json: Value,
}

/// Training images of runs, and those of them that are held out.
pub(crate) const IMAGES: usize = 10 * data::TRAINING;
pub(crate) const VALIDATION: usize = 30;

impl Own {
    /// Of these rows, on a network of two convolutions and a classifier.
    pub(crate) fn new(rows: Value) -> Self {
        let output = json!({ "similarity": "cosine", "activation": "relu" });
        let conv = |name: &str, filters: usize, kernel: usize, pool: usize| {
            json!({
                "name": name, "layer": { "conv": { "filters": filters, "kernel": kernel } },
                "pool": { "max": { "size": pool } }, "norm": "plain",
                "rule": "hard-wta", "output": output, "rate": 0.1
            })
        };
        let last = json!({
            "name": "fc", "dropout": 0.5, "layer": { "linear": { "neurons": 10 } },
            "rule": "teacher", "output": { "similarity": "projection" }, "rate": 0.1
        });
        let table = json!({
            "data": { "source": "cifar10", "validation": VALIDATION, "preparation": "standardized" },
            "net": { "blocks": [conv("conv1", 8, 5, 4), conv("conv2", 12, 3, 2), last] },
            "small": { "images": IMAGES, "epochs": 30 },
            "rows": rows
        });
        let json = json!({
            "title": "a test", "source": "none", "minutes": { "small": 1, "full": 1 },
            "protocol": { "table": table }
        });
        Self { dir: tempfile::tempdir().unwrap(), json }
    }

    pub(crate) fn table(&mut self) -> &mut Value {
        &mut self.json["protocol"]["table"]
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("own.json")
    }

    /// The arguments of a run whose results go to this folder inside the experiment's.
    pub(crate) fn arguments(&self, out: &str, more: &[&str]) -> Vec<String> {
        fs::write(self.path(), serde_json::to_vec(&self.json).unwrap()).unwrap();
        let at = |path: &Path| path.to_string_lossy().into_owned();
        let out = at(&self.dir.path().join(out));
        let own = ["reproduce".to_string(), at(&self.path())];
        let own = own.into_iter().chain(match more.contains(&"--data") {
            true => vec![],
            false => vec!["--data".to_string(), at(data::folder())],
        });
        let more = more.iter().map(|argument| (*argument).to_string());
        own.chain(["--out".to_string(), out]).chain(more).collect()
    }

    pub(crate) fn run(&self, out: &str, more: &[&str]) -> Result<()> {
        alone(|| Args::try_parse_from(self.arguments(out, more))?.run())
    }

    /// What a run refuses, cause after cause, without the names of folders.
    pub(crate) fn error(&self, more: &[&str]) -> String {
        let error = self.run("out", more).unwrap_err();
        let text = format!("{error:#}").replace(&self.dir.path().display().to_string(), "DIR");
        text.replace(&data::folder().display().to_string(), "DATA")
    }

    /// A file of the run's results.
    pub(crate) fn file(&self, out: &str, name: &str) -> PathBuf {
        self.dir.path().join(out).join("own").join(name)
    }

    pub(crate) fn results(&self, out: &str) -> Results {
        serde_json::from_slice(&fs::read(self.file(out, "results.json")).unwrap()).unwrap()
    }

    /// Layers of filters of this norm that hand on their products.
    pub(crate) fn large_features(&mut self, norm: f64) {
        let blocks = &mut self.table()["net"]["blocks"];
        for block in [0, 1] {
            blocks[block]["layer"]["conv"]["initial"] = json!({ "normal": { "norm": norm } });
            blocks[block]["output"] = json!({ "similarity": "dot", "activation": "relu" });
        }
    }

    /// The only file of this name in the caches of stages.
    pub(crate) fn cached(&self, out: &str, name: &str) -> PathBuf {
        let found = cached(&self.dir.path().join(out), name);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0].clone()
    }
}

/// Runs one at a time: they seed the generator that a process has one of.
pub(crate) fn alone<T>(run: impl FnOnce() -> T) -> T {
    static RUNS: Mutex<()> = Mutex::new(());
    let _alone = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}

/// The files of this name in the caches of stages.
pub(crate) fn cached(out: &Path, name: &str) -> Vec<PathBuf> {
    let stages = fs::read_dir(out.join("cache")).into_iter().flatten();
    stages.map(|stage| stage.unwrap().path().join(name)).filter(|path| path.exists()).collect()
}
