//! The tables of the literature, and what runs say.

use std::{collections::BTreeSet, fs, path::Path};

use burn_hebbian_lab::reproduce::{Args, Backend};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use super::{
    data,
    experiment::{IMAGES, Line, Own, Results, VALIDATION, alone},
};

/// Accuracy of guesses, in percent.
const CHANCE: f64 = 10.0;

/// How far the best line that something trains is above chance, on two hundred images by an eighth of the neurons: three deviations of
/// the accuracy that guesses reach on forty test images, √(0.1 · 0.9 / 40) = 4.7 %.
const MARGIN: f64 = 15.0;

/// Epochs at most: a classifier by Adam, and one on other than normalized features, needs some to show anything; so does
/// a table of classifiers alone.
fn epochs(json: &Value) -> &'static str {
    let json = json.to_string();
    let has = |word: &str| json.contains(word);
    let slow = has("\"adam\"") || has("\"label_shares\"") || !has("\"backprop\"");
    match (is_from_scratch(&json), slow) {
        (true, _) => "40",
        (false, true) => "20",
        (false, false) => "4",
    }
}

/// Whether a network without norms learns by gradients and their like alone.
fn is_from_scratch(json: &str) -> bool {
    json.contains("\"dual\"")
}

/// Gives the gradients of a network without norms as many steps as it needs.
fn lengthen(json: &mut Value) {
    for row in json["protocol"]["table"]["rows"].as_array_mut().unwrap() {
        for stage in row["stages"].as_array_mut().unwrap() {
            if let Some(stage) = stage.get_mut("backprop") {
                (stage["epochs"], stage["full_rate_epochs"], stage["batch"]) =
                    (json!(40), json!(40), json!(10));
            }
        }
    }
}

/// Names and JSON of the tables that run on CIFAR-10.
fn tables() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let named = json.map(|path| {
        let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), json)
    });
    named.filter(|(_, json)| json["protocol"]["table"]["data"]["source"] == "cifar10").collect()
}

/// The lines there are to be: rows by shares of labels, blocks, evaluations.
fn expected_lines(table: &Value) -> usize {
    let count = |value: &Value| value.as_array().map_or(0, Vec::len).max(1);
    let rows = table["rows"].as_array().unwrap();
    rows.iter().map(|row| count(&row["label_shares"]) * count(&row["at"]) * count(&row["evaluate"])).sum()
}

/// The rows that something trains.
fn learned(table: &Value) -> Vec<&str> {
    let trains = |stage: &Value| stage.get("untrained").is_none();
    let rows = table["rows"].as_array().unwrap().iter();
    let learned = rows.filter(|row| row["stages"].as_array().unwrap().iter().any(trains));
    learned.map(|row| row["name"].as_str().unwrap()).collect()
}

/// Whitening with a smoothing of at least 3, a tenth of the largest variance there: less makes the noise of a hundred
/// images, each a direction of its own, as large as what tells classes apart.
fn smooth(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            if let Some(smoothing) = fields.get_mut("smoothing") {
                *smoothing = json!(smoothing.as_f64().unwrap().max(3.0));
            }
            fields.values_mut().for_each(smooth);
        }
        Value::Array(values) => values.iter_mut().for_each(smooth),
        _ => {}
    }
}

#[test]
fn every_table_runs_through() {
    let out = tempfile::tempdir().unwrap();
    for (name, mut json) in tables() {
        smooth(&mut json);
        if is_from_scratch(&json.to_string()) {
            lengthen(&mut json);
        }
        let file = out.path().join(format!("{name}.json")).to_string_lossy().into_owned();
        fs::write(&file, json.to_string()).unwrap();
        let (images, validation) = (IMAGES.to_string(), VALIDATION.to_string());
        let narrow =
            ["--images", &images, "--validation", &validation, "--epochs", epochs(&json), "--width", "0.125"];
        let paths = [data::folder(), out.path()].map(|path| path.to_string_lossy().into_owned());
        let common = ["reproduce", &file, "--data", &paths[0], "--out", &paths[1]];
        let run = || Args::parse_from(common.iter().chain(&narrow)).run();
        alone(run).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let found = out.path().join(&name).join("results.json");
        let results: Results = serde_json::from_slice(&fs::read(found).unwrap()).unwrap();
        assert_eq!((results.experiment.as_str(), results.scale.as_str()), (file.as_str(), "small"));
        assert_eq!(results.lines.len(), expected_lines(&json["protocol"]["table"]), "{name}");
        let keys: BTreeSet<_> =
            results.lines.iter().map(|line| (&line.row, &line.block, &line.evaluation)).collect();
        assert_eq!(keys.len(), results.lines.len(), "{name}: lines differ");
        assert!(results.lines.iter().all(|line| line.seeds.len() == 1 && (0.0..=100.0).contains(&line.mean)));
        let learned = learned(&json["protocol"]["table"]);
        let of_learned = |line: &&Line| learned.iter().any(|row| line.row.starts_with(row));
        let best = results.lines.iter().filter(of_learned).map(|line| line.mean).fold(0.0, f64::max);
        assert!(best > CHANCE + MARGIN, "{name}: {best} %");
    }
}

/// Percentage points by which a row may differ between two CPU backends: their products round differently, and after
/// hundreds of steps an image or two at the border between two classes change sides. One image is 0.22.
const ROUNDING: f64 = 1.0;

/// The table that needs no data, as a user runs it, on every backend of the build. ndarray's results are flex's, up to
/// rounding; a GPU draws other random numbers.
#[test]
fn digits_come_with_the_program() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/digits.json");
    let json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let on = |backend: &str| {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().to_string_lossy();
        let arguments = ["reproduce", "digits", "--data", "nowhere", "--out", &*folder, "--device", backend];
        alone(|| Args::parse_from(arguments).run()).unwrap();
        let found = fs::read(out.path().join("digits/results.json")).unwrap();
        let results: Results = serde_json::from_slice(&found).unwrap();
        assert_eq!(results.lines.len(), expected_lines(&json["protocol"]["table"]), "{backend}");
        for line in &results.lines {
            assert!(line.mean > CHANCE + RIDGE_MARGIN, "{backend}: {line:?}");
        }
        results
    };
    let flex = on("flex");
    for backend in Backend::value_variants().iter().filter(|backend| **backend != Backend::Flex) {
        let name = backend.to_possible_value().unwrap().get_name().to_string();
        let found = on(&name);
        for (line, on_flex) in found.lines.iter().zip(&flex.lines) {
            let same = (&line.row, &line.block, &line.evaluation)
                == (&on_flex.row, &on_flex.block, &on_flex.evaluation);
            let near = (line.mean - on_flex.mean).abs() <= ROUNDING;
            assert!(same && (name != "ndarray" || near), "{name}: {line:?}, on flex {on_flex:?}");
        }
    }
}

fn rows() -> Value {
    json!([
        {
            "name": "Hebbian", "labels": "classifier",
            "stages": [{ "hebbian": { "blocks": ["conv1", "conv2"], "epochs": 2, "batch": 16 } }],
            "at": ["conv1", "conv2"], "evaluate": ["ridge", "neighbors", "retrieval"]
        },
        {
            "name": "random filters", "labels": "classifier",
            "stages": [{ "untrained": { "blocks": ["conv1", "conv2"] } }],
            "at": ["conv1", "conv2"], "evaluate": ["ridge"]
        }
    ])
}

/// How far ridge regression on features is above chance: classes differ in color alone already.
const RIDGE_MARGIN: f64 = 40.0;

#[test]
fn features_tell_classes_apart_and_rows_are_compared_with_the_control() {
    let own = Own::new(rows());
    own.run("out", &["--seeds", "3"]).unwrap();
    let results = own.results("out");
    assert_eq!(results.lines.len(), 8);
    for line in &results.lines {
        assert!(line.mean > CHANCE + RIDGE_MARGIN, "{line:?}");
        let mean = line.seeds.iter().map(|(_, test)| test).sum::<f64>() / 3.0;
        assert!((line.mean - mean).abs() < 1e-9 && line.interval.is_some());
    }
    let line = |row: &str, block: &str, evaluation: &str| {
        let same = |line: &&Line| {
            (line.row.as_str(), line.block.as_str(), line.evaluation.as_str()) == (row, block, evaluation)
        };
        results.lines.iter().find(same).unwrap()
    };
    for block in ["conv1", "conv2"] {
        let (learned, control) =
            (line("Hebbian", block, "linear, ridge"), line("random filters", block, "linear, ridge"));
        let comparison = learned.comparison.as_ref().unwrap();
        assert_eq!((comparison.against.as_str(), comparison.seeds), ("random filters", 3));
        assert!((comparison.difference - (learned.mean - control.mean)).abs() < 1e-9);
        assert!(control.comparison.is_none());
        for evaluation in ["10 neighbors", "retrieval"] {
            let others = line("Hebbian", block, evaluation);
            assert!(others.comparison.is_none(), "the control was not judged so");
            let measure =
                if evaluation == "retrieval" { "mean average precision, %" } else { "test accuracy, %" };
            assert_eq!(others.measure, measure);
        }
    }
}

#[test]
fn a_table_names_the_row_that_others_are_compared_with() {
    let mut own = Own::new(rows());
    own.table()["against"] = json!("Hebbian");
    own.run("out", &["--seeds", "2", "--epochs", "1"]).unwrap();
    let results = own.results("out");
    let against = |index: usize| results.lines[index].comparison.as_ref().map(|found| found.against.as_str());
    assert_eq!([0, 5, 6].map(against), [None, None, Some("Hebbian")]);
    let markdown = fs::read_to_string(own.file("out", "results.md")).unwrap();
    assert!(markdown.contains(" | Hebbian | "), "{markdown}");
}

#[test]
fn shares_of_labels_are_run_and_compared_each_by_itself() {
    let row = |name: &str| {
        let mut row = rows()[0].clone();
        (row["name"], row["at"], row["evaluate"]) = (json!(name), json!(["conv1"]), json!(["ridge"]));
        row["label_shares"] = json!([0.2, 1.0]);
        row
    };
    let (mut first, second) = (row("Hebbian"), row("Hebbian, too"));
    first["against"] = json!("Hebbian, too");
    let mut own = Own::new(json!([first, second]));
    own.table()["against"] = json!("Hebbian");
    let lines = |rows: &[&str]| {
        let asked = rows.iter().flat_map(|row| ["--rows", row]);
        let arguments: Vec<&str> = ["--seeds", "2", "--epochs", "1"].into_iter().chain(asked).collect();
        own.run("out", &arguments).unwrap();
        let found = own.results("out").lines.into_iter();
        found.map(|line| (line.row, line.comparison.map(|found| found.against))).collect::<Vec<_>>()
    };
    let named = |row: &str, against: Option<&str>| (row.to_string(), against.map(ToString::to_string));
    let [fifth, all] = ["Hebbian, 20 % of the labels", "Hebbian, 100 % of the labels"];
    let [fifth_too, all_too] = ["Hebbian, too, 20 % of the labels", "Hebbian, too, 100 % of the labels"];
    assert_eq!(lines(&[fifth]), [named(fifth, None)]);
    assert_eq!(lines(&["Hebbian"]), [named(fifth, None), named(all, None)]);
    assert_eq!(
        lines(&["Hebbian, too"]),
        [
            named(fifth, Some(fifth_too)),
            named(all, Some(all_too)),
            named(fifth_too, Some(fifth)),
            named(all_too, Some(all))
        ]
    );
}

/// The outputs of two blocks, averaged over mirror images and regions, judged together.
#[test]
fn outputs_stand_beside_each_other() {
    let stages = json!([{ "hebbian": { "blocks": ["conv1", "conv2"], "epochs": 2, "batch": 16 } }]);
    let own = Own::new(json!([{
        "name": "both", "labels": "classifier", "stages": stages, "at": ["conv2"], "evaluate": ["ridge"],
        "mirror": true, "regions": 2, "beside": [{ "stages": stages, "at": "conv1", "regions": 3, "scale": 2.0 }]
    }]));
    own.run("out", &[]).unwrap();
    let line = &own.results("out").lines[0];
    assert!(line.mean > CHANCE + RIDGE_MARGIN, "{line:?}");
}
