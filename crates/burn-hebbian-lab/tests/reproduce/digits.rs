//! Experiments whose images are not CIFAR-10's, on the digits inside the program.

use std::{fs, path::Path};

use burn_hebbian_lab::reproduce::Args;
use clap::Parser;
use serde_json::{Value, json};

use super::experiment::{Results, alone};

/// Percent that the worst row reaches, of ten classes.
const LEAST: f64 = 60.0;

/// As many as a thousand images need.
const EPOCHS: usize = 30;

/// A small run of an experiment of this program after some changes.
fn results(name: &str, change: impl Fn(&mut Value)) -> Results {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("experiments/{name}.json"));
    let mut json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut json["protocol"]["table"]);
    let out = tempfile::tempdir().unwrap();
    let own = out.path().join(format!("{name}.json"));
    fs::write(&own, json.to_string()).unwrap();
    let [own, folder] = [&own, out.path()].map(|path| path.to_string_lossy());
    let run = || Args::parse_from(["reproduce", &*own, "--data", "nowhere", "--out", &*folder]).run();
    alone(run).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let found = fs::read(out.path().join(name).join("results.json")).unwrap();
    let results: Results = serde_json::from_slice(&found).unwrap();
    let rows = json["protocol"]["table"]["rows"].as_array().unwrap().len();
    assert_eq!(results.lines.len(), rows, "{name}");
    for line in &results.lines {
        assert!(line.mean > LEAST && line.mean <= 100.0, "{name}: {line:?}");
    }
    results
}

#[test]
fn first_spikes_and_their_controls() {
    let results = results("spikes-digits", |_| ());
    let mean = |row: &str| results.lines.iter().find(|line| line.row == row).unwrap().mean;
    assert_ne!(mean("rank-order STDP"), mean("random filters"), "STDP moved the filters it began with");
}

#[test]
fn settled_networks_and_their_controls() {
    let results = results("equilibrium-fashion-mnist", |table| {
        table["data"]["source"] = json!("digits");
        table["data"]["validation"] = json!(270);
        table["net"]["blocks"][0]["layer"]["linear"]["neurons"] = json!(64);
        table["small"] = json!({ "images": 2250, "epochs": EPOCHS });
        for row in table["rows"].as_array_mut().unwrap() {
            row["label_shares"] = json!([1.0]);
            for stage in row["stages"].as_array_mut().unwrap() {
                for method in ["settling", "backprop"] {
                    if let Some(stage) = stage.get_mut(method) {
                        stage["epochs"] = json!(EPOCHS);
                    }
                }
            }
        }
    });
    let settled = results.lines.iter().filter(|line| line.labels == "all layers");
    assert_eq!(settled.filter(|line| line.mean > 85.0).count(), 3, "{:?}", results.lines);
}
