//! Runs that are killed and go on.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use burn_hebbian_lab::reproduce::Args;
use clap::Parser;
use serde_json::{Value, json};

use super::experiment::{Own, cached};

/// Tells the child's arguments.
const ARGUMENTS: &str = "REPRODUCE_ARGUMENTS";

/// Longer than any of these runs.
const PATIENCE: Duration = Duration::from_secs(120);

const EPOCHS: usize = 30;

fn own() -> Own {
    Own::new(json!([
        {
            "name": "hybrid", "labels": "top",
            "stages": [
                { "hebbian": { "blocks": ["conv1", "conv1"], "epochs": 3 } },
                { "backprop": { "blocks": ["conv2", "fc"], "epochs": EPOCHS, "penalty": 0.03, "batch": 16 } }
            ],
            "evaluate": ["scores"]
        },
        {
            "name": "teacher", "labels": "everything",
            "stages": [{ "hebbian": { "blocks": ["conv1", "fc"], "epochs": EPOCHS } }],
            "evaluate": ["scores"]
        }
    ]))
}

/// Not a test: what runs in a process that is killed.
#[test]
#[ignore = "only as a process of the tests below"]
fn child() {
    let Ok(arguments) = env::var(ARGUMENTS) else { return };
    let arguments: Vec<String> = serde_json::from_str(&arguments).unwrap();
    Args::parse_from(arguments).run().unwrap();
}

fn spawn(arguments: &[String]) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "restarts::child", "--ignored"]);
    command.env(ARGUMENTS, serde_json::to_string(arguments).unwrap());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a run as soon as `time` has come.
fn killed(own: &Own, time: impl Fn(&Path) -> bool) {
    let mut child = spawn(&own.arguments("killed", &[]));
    let began = Instant::now();
    while !time(&own.dir.path().join("killed")) {
        assert!(began.elapsed() < PATIENCE, "the run took too long");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it was killed");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!own.file("killed", "results.json").exists(), "the run was finished");
}

/// Epochs that backprop has finished.
fn epochs(out: &Path) -> usize {
    let curves = cached(out, "curve.json");
    let read = |path| serde_json::from_slice::<Vec<f64>>(&fs::read(path).unwrap()).unwrap().len();
    curves.first().map_or(0, read)
}

fn bytes(own: &Own, out: &str) -> Vec<u8> {
    fs::read(own.file(out, "results.json")).unwrap()
}

fn minutes(own: &Own, row: &str) -> f64 {
    let run: Value = serde_json::from_slice(&fs::read(own.file("killed", "run.json")).unwrap()).unwrap();
    run["rows"][row]["minutes"].as_f64().unwrap_or_default()
}

/// In the middle of a stage by backprop, in the middle of one by rules, and between: the results are the same bytes.
#[test]
fn a_killed_run_ends_as_one_that_was_not() {
    let own = own();
    own.run("whole", &["--export"]).unwrap();
    killed(&own, |out| epochs(out) >= 2);
    assert!((2..EPOCHS).contains(&epochs(&own.dir.path().join("killed"))));
    let before = minutes(&own, "hybrid, seed 0");
    assert!(before > 0.0, "what was run is counted");
    killed(&own, |out| out.join("own/rows/hybrid-seed-0.json").exists());
    assert!(minutes(&own, "hybrid, seed 0") > before, "times of both runs are added");
    let second_epoch = |out: &Path| !cached(out, "checkpoints/epoch-5").is_empty();
    killed(&own, second_epoch);
    own.run("killed", &["--export"]).unwrap();
    assert!(bytes(&own, "whole") == bytes(&own, "killed"));
    let row = |out| fs::read(own.file(out, "rows/hybrid-seed-0.json")).unwrap();
    assert!(row("whole") == row("killed"));
    // accuracies forgive small differences, weights do not
    for row in ["hybrid-seed0", "teacher-seed0"] {
        let weights = |out| fs::read(own.file(out, &format!("export/{row}/weights.safetensors"))).unwrap();
        assert!(weights("whole") == weights("killed"), "{row}");
    }
}

/// A second run reads what the first one found.
#[test]
fn a_finished_run_is_not_run_again() {
    let own = own();
    own.run("out", &["--epochs", "1"]).unwrap();
    let (found, cache) = (bytes(&own, "out"), own.dir.path().join("out/cache"));
    fs::remove_dir_all(&cache).unwrap();
    own.run("out", &["--epochs", "1"]).unwrap();
    assert!(found == bytes(&own, "out") && cached(&own.dir.path().join("out"), "checkpoints").is_empty());
}

/// Without its row files it is, from the stages that are kept: to the same bytes.
#[test]
fn stages_that_are_kept_give_the_same_results() {
    let own = own();
    own.run("out", &["--epochs", "2"]).unwrap();
    let found = bytes(&own, "out");
    fs::remove_dir_all(own.file("out", "rows")).unwrap();
    own.run("out", &["--epochs", "2"]).unwrap();
    assert!(found == bytes(&own, "out"));
}

/// A control's weights and the statistics of its norms are of one pass, however many of its blocks are judged.
#[test]
fn blocks_that_nothing_trains_are_built_once() {
    let untrained = json!({ "blocks": ["conv1", "conv2"], "weights": "k-means", "fit_norms": true });
    let own = Own::new(json!([{
        "name": "k-means", "labels": "classifier",
        "stages": [{ "untrained": untrained }],
        "at": ["conv1", "conv2"],
        "evaluate": ["neighbors"]
    }]));
    own.run("out", &[]).unwrap();
    let blocks = own.cached("out", "blocks.bpk");
    let built = || fs::metadata(&blocks).unwrap().modified().unwrap();
    let (found, first) = (bytes(&own, "out"), built());
    fs::remove_dir_all(own.file("out", "rows")).unwrap();
    for block in ["conv1", "conv2"] {
        fs::remove_file(own.cached("out", &format!("{block}-training.safetensors"))).unwrap();
    }
    own.run("out", &[]).unwrap();
    assert!(found == bytes(&own, "out"));
    assert_eq!(first, built());
}

/// Features of several blocks, which one pass computes, are those of each block by itself.
#[test]
fn features_do_not_depend_on_the_blocks_beside_them() {
    let features = |at: &[&str], of: &str| {
        let row = json!({
            "name": "random filters", "labels": "classifier",
            "stages": [{ "untrained": { "blocks": ["conv1", "conv2"], "fit_norms": true } }],
            "at": at,
            "evaluate": ["neighbors"]
        });
        let own = Own::new(json!([row]));
        own.run("out", &[]).unwrap();
        fs::read(own.cached("out", &format!("{of}-test.safetensors"))).unwrap()
    };
    for block in ["conv1", "conv2"] {
        assert!(features(&["conv2", "conv1"], block) == features(&[block], block), "{block}");
    }
}
