//! What runs write beside their results.

use std::{collections::BTreeSet, fs, path::Path};

use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

use super::{
    data,
    experiment::{IMAGES, Line, Own, VALIDATION, cached},
};

fn own() -> Own {
    Own::new(json!([
        {
            "name": "one epoch", "labels": "classifier",
            "stages": [{ "hebbian": { "blocks": ["conv1", "conv2"], "epochs": 1, "batch": 8 } }],
            "at": ["conv2"], "evaluate": ["ridge"]
        },
        {
            "name": "top", "labels": "top",
            "stages": [
                { "hebbian": { "blocks": ["conv1", "conv2"], "epochs": 3 } },
                { "backprop": { "blocks": ["conv2", "fc"], "epochs": 2, "penalty": 0.001 } }
            ],
            "evaluate": ["scores"]
        },
        { "name": "pixels", "labels": "classifier", "stages": [], "at": ["pixels"], "evaluate": ["ridge"] }
    ]))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Shape and values of a `.npy` file.
fn npy<const N: usize, T>(path: &Path, number: impl Fn([u8; N]) -> T) -> (String, Vec<T>) {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8_lossy(&bytes[10..header]).into_owned();
    let shape = text.split_once("'shape': (").unwrap().1.split_once(')').unwrap().0.to_string();
    (shape, bytes[header..].chunks_exact(N).map(|chunk| number(chunk.try_into().unwrap())).collect())
}

/// All that rules learn, with the statistics of norms, and what it makes of the images.
fn learned(own: &Own, out: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![];
    for row in ["one-epoch-seed0", "top-seed0"] {
        for entry in fs::read_dir(own.file(out, "export").join(row)).unwrap() {
            let path = entry.unwrap().path();
            found.push((format!("{row}/{:?}", path.file_name()), fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn to_read_layers_changes_nothing_that_they_learn() {
    let own = own();
    own.run("read", &["--export"]).unwrap();
    own.run("unread", &["--export", "--no-diagnostics"]).unwrap();
    let pairs = learned(&own, "read").into_iter().zip(learned(&own, "unread"));
    let differ: Vec<_> = pairs.filter(|(read, unread)| read != unread).map(|(read, _)| read.0).collect();
    assert!(differ.is_empty(), "{differ:?}");
    let [read, unread] = ["read", "unread"].map(|out| fs::read(own.file(out, "results.json")).unwrap());
    assert!(read == unread);
    let readings = |out: &str| cached(&own.dir.path().join(out), "diagnostics.json").len();
    assert_eq!([readings("read"), readings("unread")], [2, 0]);
}

/// One epoch is read at its beginning and end at least, three after each epoch as far as time allows.
#[test]
fn layers_are_read_while_they_learn() {
    let own = own();
    own.run("out", &[]).unwrap();
    let out = own.dir.path().join("out");
    let steps = |path: &Path| -> BTreeSet<(u64, u64)> {
        let records = read(path);
        let time = |record: &Value| (record["epoch"].as_u64().unwrap(), record["step"].as_u64().unwrap());
        records.as_array().unwrap().iter().map(time).collect()
    };
    let training = IMAGES - VALIDATION;
    let (one, three) = (training.div_ceil(8) as u64, training.div_ceil(64) as u64);
    let histories = cached(&out, "diagnostics.json");
    assert_eq!(histories.len(), 2);
    for path in histories {
        let found = steps(&path);
        let end = if read(&path.with_file_name("stage.json"))["stages"][0]["hebbian"]["epochs"] == 1 {
            (1, one)
        } else {
            (3, 3 * three)
        };
        assert!(found.contains(&(0, 0)) && found.contains(&end), "{found:?}");
        let last = &read(&path)[2 * found.len() - 1];
        assert_eq!(last["layer"], "conv2");
        for quantity in ["mean_norm", "unit_distance", "update_ratio", "dead", "win_entropy", "response_rank"]
        {
            assert!(last["values"][quantity].is_f64(), "{quantity}: {last}");
            // of what moved there may be one value alone
            let drawn = !["mean_norm", "update_ratio"].contains(&quantity);
            assert!(!drawn || path.with_file_name(format!("{quantity}.png")).exists(), "{quantity}");
        }
        let csv = fs::read_to_string(path.with_extension("csv")).unwrap();
        assert_eq!(csv.lines().count(), 1 + 2 * found.len());
    }
    assert_eq!(cached(&out, "curve.png").len(), 1);
    let filters = cached(&out, "filters.png");
    assert_eq!(filters.len(), 2, "of the stages that start at the images");
    // eight filters of 5 × 5 in three rows and columns, four pixels a weight
    assert_eq!(image::open(&filters[0]).unwrap().to_rgb8().dimensions(), (3 * 21 + 1, 3 * 21 + 1));
}

#[test]
fn exports_are_what_the_last_stage_learned() {
    let own = own();
    own.run("out", &["--export", "--epochs", "1"]).unwrap();
    let export = own.file("out", "export");
    let row = export.join("one-epoch-seed0");
    // 32 → 28 → 7 → 5 → 2
    let test = 10 * data::TEST;
    for (part, count) in [("training", IMAGES - VALIDATION), ("validation", VALIDATION), ("test", test)] {
        let path = |what: &str| row.join(format!("{what}-{part}.npy"));
        let (shape, features) = npy(&path("features-conv2"), f32::from_le_bytes);
        assert_eq!(shape, format!("{count}, 12, 2, 2,"));
        assert!(features.len() == count * 48 && features.iter().any(|value| *value != features[0]));
        let (_, labels) = npy(&path("labels"), i64::from_le_bytes);
        assert!(labels.len() == count && (0..10).all(|class| labels.contains(&class)));
    }
    for (block, neurons, positions) in [("conv1", 8, 28 * 28), ("conv2", 12, 5 * 5)] {
        let (shape, wins) = npy(&row.join(format!("wins-{block}.npy")), u64::from_le_bytes);
        assert_eq!(shape, format!("{neurons},"));
        assert_eq!(wins.iter().sum::<u64>(), (test * positions) as u64, "each position has a winner");
    }
    let bytes = fs::read(row.join("weights.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(weights.tensor("conv1.layer.weight").unwrap().shape(), [8, 3, 5, 5]);
    assert_eq!(weights.tensor("conv2.layer.weight").unwrap().shape(), [12, 8, 3, 3]);
    let top = fs::read(export.join("top-seed0/weights.safetensors")).unwrap();
    let names = SafeTensors::deserialize(&top).unwrap();
    assert!(names.names().iter().all(|name| !name.starts_with("conv1")), "the last stage alone");
    let (shape, _) = npy(&export.join("pixels-seed0/features-pixels-test.npy"), f32::from_le_bytes);
    assert_eq!(shape, format!("{test}, 3, 32, 32,"));
}

#[test]
fn deeper_neurons_are_drawn_if_asked_for() {
    let own = own();
    own.run("out", &["--pictures", "--epochs", "1", "--rows", "top"]).unwrap();
    let size = |name: &str| {
        let path = own.file("out", "pictures/top-seed0").join(name);
        image::open(path).unwrap().to_rgb8().dimensions()
    };
    // nine neurons; conv2 sees 8 + 2 · 4 pixels
    let (whole, patch) = (32 * 4 + 1, 16 * 4 + 1);
    assert_eq!(size("conv2-maximized.png"), (3 * whole + 1, 3 * whole + 1));
    assert_eq!(size("conv2-strongest.png"), (3 * patch + 1, 3 * patch + 1));
    assert_eq!(size("fc-strongest.png"), (3 * whole + 1, 3 * whole + 1));
    own.run("plain", &["--epochs", "1", "--rows", "top"]).unwrap();
    // beside the chart of the table
    assert!(!own.file("plain", "pictures/top-seed0").exists() && !own.file("plain", "export").exists());
}

#[test]
fn a_run_says_where_its_results_come_from() {
    let own = own();
    own.run("out", &["--epochs", "1", "--rows", "one", "--seeds", "2"]).unwrap();
    let run = read(&own.file("out", "run.json"));
    assert_eq!(run["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(run["images"], json!({ "training": 170, "validation": 30, "test": 40 }));
    assert_eq!(
        [&run["scale"], &run["device"], &run["seeds"]],
        [&json!("small"), &json!("flex"), &json!([0, 1])]
    );
    assert!(run["command"].as_array().is_some());
    let rows = run["rows"].as_object().unwrap();
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["one epoch, seed 0", "one epoch, seed 1"]);
    assert!(
        rows.values().all(|row| row["minutes"].as_f64() > Some(0.0) && row["threads"].as_u64() > Some(0))
    );
    assert!(rows.values().all(|row| row["commits"].as_array().unwrap().len() <= 1));
    let markdown = fs::read_to_string(own.file("out", "results.md")).unwrap();
    assert!(markdown.contains("170 training, 30 validation and 40 test images. flex, "), "{markdown}");
    assert!(markdown.contains(" --scale small --seeds 2\n"), "{markdown}");
    assert!(markdown.contains("| one epoch, seed 1 | 0.0 | "), "{markdown}");
    let results = fs::read_to_string(own.file("out", "results.json")).unwrap();
    assert!(!results.contains("minutes"), "times are no results");
}

/// Rows add to what is there.
#[test]
fn results_hold_all_rows_that_are_done() {
    let own = own();
    let lines = || {
        let line = |line: Line| (line.row, line.seeds.into_iter().map(|(seed, _)| seed).collect::<Vec<_>>());
        own.results("out").lines.into_iter().map(line).collect::<Vec<_>>()
    };
    own.run("out", &["--rows", "pixels"]).unwrap();
    own.run("out", &["--epochs", "1", "--rows", "one epoch"]).unwrap();
    assert_eq!(lines(), [("one epoch".to_string(), vec![0])], "other epochs, other results");
    own.run("out", &["--epochs", "1", "--rows", "pixels", "--first-seed", "1"]).unwrap();
    own.run("out", &["--epochs", "1", "--rows", "pixels"]).unwrap();
    assert_eq!(lines(), [("one epoch".to_string(), vec![0]), ("pixels".to_string(), vec![0, 1])]);
}

/// Features are kept in half precision, and in single precision where that cannot hold them.
#[test]
fn features_keep_their_range() {
    let own = |fit_norms: bool| {
        let mut own = Own::new(json!([{
            "name": "random filters", "labels": "classifier",
            "stages": [{ "untrained": { "blocks": ["conv1", "conv2"], "fit_norms": fit_norms } }],
            "at": ["conv1", "conv2"],
            "evaluate": ["neighbors"]
        }]));
        own.large_features(1e4);
        own.run("out", &[]).unwrap();
        own
    };
    let kept = |own: &Own, block: &str| {
        let bytes = fs::read(own.cached("out", &format!("{block}-training.safetensors"))).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let features = file.tensor("features").unwrap();
        (features.dtype(), features.data().to_vec())
    };
    let large = own(false);
    assert_eq!(kept(&large, "conv1").0, Dtype::F16);
    let (dtype, bytes) = kept(&large, "conv2");
    assert_eq!(dtype, Dtype::F32);
    let largest = bytemuck::pod_collect_to_vec::<u8, f32>(&bytes).into_iter().fold(0.0, f32::max);
    assert!(largest > 65504.0 && largest.is_finite(), "{largest}");
    // norms with statistics make them small again
    assert_eq!(kept(&own(true), "conv2").0, Dtype::F16);
    // and what was kept can be read
    let results = || fs::read(large.file("out", "results.json")).unwrap();
    let found = results();
    fs::remove_dir_all(large.file("out", "rows")).unwrap();
    large.run("out", &[]).unwrap();
    assert!(found == results());
}
