//! The experiments that are no tables of classifiers, cut down to seconds.

use std::{fs, path::Path};

use burn_hebbian_lab::reproduce::Args;
use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    data,
    experiment::{Line, Results, alone},
};

/// What an experiment of this program gives after some changes.
fn results(name: &str, change: impl Fn(&mut Value)) -> (TempDir, Results) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("experiments/{name}.json"));
    let mut json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let protocol = json["protocol"].as_object_mut().unwrap();
    change(protocol.values_mut().next().unwrap());
    let out = tempfile::tempdir().unwrap();
    let own = out.path().join(format!("{name}.json"));
    fs::write(&own, json.to_string()).unwrap();
    let [own, data, folder] = [&own, data::folder(), out.path()].map(|path| path.to_string_lossy());
    let run = || Args::parse_from(["reproduce", &*own, "--data", &*data, "--out", &*folder]).run();
    alone(run).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let found = fs::read(out.path().join(name).join("results.json")).unwrap();
    let results: Results = serde_json::from_slice(&found).unwrap();
    assert!(results.lines.iter().all(|line| line.seeds.len() == 1 && line.mean.is_finite()));
    (out, results)
}

fn line<'r>(results: &'r Results, row: &str, block: &str, how: &str, measure: &str) -> &'r Line {
    let same = |line: &&Line| {
        let found = [&line.row, &line.block, &line.evaluation, &line.measure];
        found.into_iter().zip([row, block, how, measure]).all(|(found, asked)| found == asked)
    };
    results.lines.iter().find(same).unwrap_or_else(|| panic!("{row}, {block}, {how}, {measure}"))
}

/// Patches of gratings lie in few directions.
fn patches(study: &mut Value) {
    study["patches"] = json!({ "side": 4, "colors": "gray", "count": 4000 });
    study["small"] = json!({ "patches": 4000, "epochs": 10 });
}

#[test]
fn principal_components_are_found() {
    let (out, results) = results("oja-pca", |study| {
        patches(study);
        study["neurons"] = json!(2);
    });
    let angle = "cos of the largest angle between the spans";
    let of = |row, block, how, measure| line(&results, row, block, how, measure).mean;
    // a grating and itself a quarter of a period on vary alike: the two have a span and no order
    for rule in ["Sanger (linear HPCA)", "subspace rule"] {
        assert!(of(rule, "all neurons", "after 10 epochs", angle) > 0.95, "{rule}");
    }
    let untrained = of("random weights", "all neurons", "untrained", angle);
    assert!(untrained < 0.8, "{untrained}");
    assert!(out.path().join("oja-pca/pictures").read_dir().unwrap().count() > 0);
}

#[test]
fn independent_components_are_sparser_than_where_they_began() {
    let (_out, results) = results("ica-filters", |study| {
        patches(study);
        study["neurons"] = json!(8);
    });
    let kurtosis = |row: &str, how: &str| {
        line(&results, row, "mean of all neurons", how, "excess kurtosis of answers to test patches").mean
    };
    let [first, last] = ["after 0 epochs", "after 10 epochs"].map(|how| kurtosis("ICA, super-Gaussian", how));
    assert!(last > first, "{first} to {last}");
    assert!(last > kurtosis("random rotation", "untrained"));
}

#[test]
fn updates_are_timed() {
    let (_out, results) = results("fasthebb", |config| {
        config["networks"] = json!([{ "name": "six-layer", "batch": 2, "small_batch": 2, "epoch": 50000 }]);
        config["small_rounds"] = json!(1);
    });
    for rule in ["SWTA", "HPCA"] {
        let row = format!("six-layer net, convolutions, {rule}");
        let of = |way, measure| line(&results, &row, way, "batch 2, medians of 1", measure).mean;
        let [patches, ours] = ["patch by patch", "this library"].map(|way| of(way, "images/s"));
        let ratio = of("patch by patch", "time / this library's time");
        assert!((ours / patches / ratio - 1.0).abs() < 1e-3, "{rule}: {patches}, {ours}, {ratio}");
    }
}

#[test]
fn steps_of_networks_are_measured() {
    let (_out, results) = results("imagenet-scale", |config| {
        for (field, value) in [("networks", json!(["resnet50"])), ("side", json!(32)), ("classes", json!(10))]
        {
            config[field] = value;
        }
        config["small"] = json!({ "rounds": 1, "batch": 1 });
    });
    let of = |row, how, measure| line(&results, "ResNet-50", row, how, measure).mean;
    // 4.09 thousand millions on 224 × 224 pixels; a 49th of the positions
    let macs = of("the network", "from the geometry of its layers", "MACs an image, thousand millions");
    assert!((macs / (4.09 / 49.0) - 1.0).abs() < 0.05, "{macs}");
    for trainer in ["backprop", "SWTA", "HPCA"] {
        let of = |measure| of(trainer, "batch 1, median of 1 steps", measure);
        assert!((of("images/s") * of("seconds a step") - 1.0).abs() < 1e-3, "{trainer}");
        assert!(of("peak memory of a step beyond weights and images, MiB") > 1.0, "{trainer}");
    }
}
