//! Small runs on the digits, without optimization: what is too slow for that is in `tests/reproduce`.

use std::{fs, path::Path};

use clap::Parser;
use serde_json::{Value, json};

use super::Args;

/// Accuracy of guesses, in percent, and what is well above it.
const CHANCE: f64 = 10.0;
const MARGIN: f64 = 40.0;

/// Runs an experiment of these rows on a network of these blocks and a classifier; the lines of its results.
fn run(out: &Path, blocks: &[Value], rows: Value, preparation: &str) -> anyhow::Result<Vec<Value>> {
    let last = json!({
        "name": "classifier", "layer": { "linear": { "neurons": 10 } },
        "rule": "teacher", "output": { "similarity": "projection" }, "rate": 0.1
    });
    let blocks: Vec<&Value> = blocks.iter().chain([&last]).collect();
    let table = json!({
        "data": { "source": "digits", "validation": 100, "preparation": preparation },
        "net": { "blocks": blocks }, "small": { "images": 600, "epochs": 20 }, "rows": rows
    });
    let experiment = json!({
        "title": "a test", "source": "none", "minutes": { "small": 1, "full": 1 }, "protocol": { "table": table }
    });
    let file = out.join("own.json");
    fs::write(&file, serde_json::to_vec(&experiment)?)?;
    let paths = [file, out.to_path_buf()].map(|path| path.to_string_lossy().into_owned());
    let arguments = ["reproduce", &paths[0], "--data", "nowhere", "--out", &paths[1], "--no-diagnostics"];
    Args::try_parse_from(arguments)?.run()?;
    let results: Value = serde_json::from_slice(&fs::read(out.join("own/results.json"))?)?;
    Ok(results["lines"].as_array().unwrap().clone())
}

fn mean(line: &Value) -> f64 {
    line["mean"].as_f64().unwrap()
}

/// Whitened patches of 3 × 3 pixels, and the code of those that are near.
fn patches() -> [Value; 2] {
    let pool = json!({ "average": { "size": 3 } });
    [
        json!({
            "name": "whitened", "layer": { "conv": { "filters": 9, "kernel": 3 } }, "whitening": 0.1,
            "rule": "hebb", "rate": 0
        }),
        json!({
            "name": "patches", "layer": { "conv": { "filters": 24, "kernel": 1 } }, "rule": "hard-wta",
            "output": { "similarity": "projection" }, "rate": 0.1, "code": { "share": 0.4 }, "pool": pool
        }),
    ]
}

fn of_patches(name: &str, stage: Value) -> Value {
    json!({
        "name": name, "labels": "classifier", "stages": [stage], "at": ["patches"],
        "evaluate": [{ "factored": { "epochs": 20, "rate": 0.05 } }]
    })
}

#[test]
fn near_patches_tell_digits_apart_drawn_or_learned() {
    let out = tempfile::tempdir().unwrap();
    let blocks = ["whitened", "patches"];
    let learned = json!({ "blocks": blocks, "epochs": 1, "batch": 16, "start": "patches", "images": 160 });
    let drawn = json!({ "untrained": { "blocks": blocks, "weights": "patches" } });
    let mut mirrored = of_patches("mirrored", drawn.clone());
    mirrored["mirror"] = json!(true);
    let rows =
        json!([of_patches("drawn", drawn), of_patches("learned", json!({ "hebbian": learned })), mirrored]);
    let lines = run(out.path(), &patches(), rows.clone(), "standardized").unwrap();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert!(mean(line) > CHANCE + MARGIN, "{line}");
    }
    // what stages learned and made of the images is kept: the same bytes again
    let results = || fs::read(out.path().join("own/results.json")).unwrap();
    let first = results();
    fs::remove_dir_all(out.path().join("own/rows")).unwrap();
    run(out.path(), &patches(), rows, "standardized").unwrap();
    assert!(results() == first);
}

#[test]
fn patches_that_cannot_be_coded_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = |change: fn(&mut [Value; 2]), stage: Value| {
        let mut blocks = patches();
        change(&mut blocks);
        let error = run(out.path(), &blocks, json!([of_patches("bad", stage)]), "standardized").unwrap_err();
        let text = format!("{error:#}");
        text.rsplit_once("row `bad`: ").map_or(text.clone(), |(_, reason)| reason.to_string())
    };
    let drawn = || json!({ "untrained": { "blocks": ["whitened", "patches"], "weights": "patches" } });
    let share = refused(|blocks| blocks[1]["code"]["share"] = json!(1.5), drawn());
    assert_eq!(share, "block `patches`: share of near neurons: must be in 0..=1, got 1.5");
    let largest = refused(|blocks| blocks[1]["pool"] = json!({ "max": { "size": 3 } }), drawn());
    assert!(largest.starts_with("block `patches`: a code is pooled by averages"), "{largest}");
    let filters = refused(|blocks| blocks[0]["layer"]["conv"]["filters"] = json!(8), drawn());
    assert_eq!(filters, "whitened: 8 filters whiten patches of 9 values");
    let smoothing = refused(|blocks| blocks[0]["whitening"] = json!(-1.0), drawn());
    assert_eq!(
        smoothing,
        "block `whitened`: the smoothing of a whitening must be finite and at least 0, got -1"
    );
    let backprop = json!({ "backprop": { "blocks": ["whitened", "patches"], "penalty": 0.0 } });
    assert_eq!(refused(|_| (), backprop), "backprop would train `whitened`, which whitens");
    let none = json!({ "hebbian": { "blocks": ["whitened", "patches"], "images": 0 } });
    assert_eq!(refused(|_| (), none), "an epoch has at least 1 image, got 0");
}

fn conv() -> Value {
    json!({
        "name": "conv", "layer": { "conv": { "filters": 6, "kernel": 3, "padding": 1 } },
        "pool": { "max": { "size": 2 } }, "rule": "hard-wta", "rate": 0.1
    })
}

fn trained(dual: Value) -> Value {
    json!({ "name": "dual", "labels": "everything", "evaluate": ["scores"], "stages": [{ "backprop": {
        "blocks": ["conv", "classifier"], "epochs": 8, "batch": 32, "rate": 0.05, "penalty": 0.0, "dual": dual
    } }] })
}

fn adjoint(beta: f64) -> Value {
    json!({ "form": "adjoint", "alpha": 0.5, "beta": beta, "cost": "cross_entropy" })
}

#[test]
fn dual_propagation_learns_digits() {
    let out = tempfile::tempdir().unwrap();
    let lines = run(out.path(), &[conv()], json!([trained(adjoint(1.0))]), "standardized").unwrap();
    assert!(mean(&lines[0]) > CHANCE + MARGIN, "{lines:?}");
}

#[test]
fn blocks_that_have_no_dual_states_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = |change: fn(&mut Value), beta: f64| {
        let mut block = conv();
        change(&mut block);
        let error = run(out.path(), &[block], json!([trained(adjoint(beta))]), "standardized").unwrap_err();
        let text = format!("{error:#}");
        text.rsplit_once("row `dual`: ").map_or(text.clone(), |(_, reason)| reason.to_string())
    };
    let norm = refused(|block| block["norm"] = json!("plain"), 1.0);
    assert_eq!(norm, "dual propagation has no norm and no dropout, as `conv` has");
    let pool = refused(|block| block["pool"] = json!({ "average": { "size": 2 } }), 1.0);
    assert!(
        pool.starts_with("dual propagation pools the largest of windows side by side; `conv` has "),
        "{pool}"
    );
    let beta = refused(|_| (), 0.0);
    assert!(beta.contains('0'), "{beta}");
}
