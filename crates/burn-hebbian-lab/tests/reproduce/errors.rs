//! What is refused: with the value at fault, before time is spent.

use std::fs;

use serde_json::{Value, json};

use super::experiment::Own;

fn row(name: &str, stages: Value) -> Value {
    json!({ "name": name, "labels": "top", "stages": stages, "at": ["conv2"], "evaluate": ["ridge"] })
}

fn hebbian(more: Value) -> Value {
    let mut stage = json!({ "blocks": ["conv1", "conv2"], "epochs": 1 });
    stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([{ "hebbian": stage }])
}

/// A row that can be run, then one that may not.
fn own(stages: Value) -> Own {
    Own::new(json!([row("good", hebbian(json!({}))), row("bad", stages)]))
}

/// The error, and that no row was begun.
fn refused(own: &Own, more: &[&str]) -> String {
    let error = own.error(more);
    assert!(!own.dir.path().join("out/cache").exists(), "a stage was begun");
    error
}

#[test]
fn stages() {
    let bad = |stages| refused(&own(stages), &[]);
    let at = "experiment `DIR/own.json`: row `bad`: ";
    let unknown = json!([{ "hebbian": { "blocks": ["conv1", "conv7"] } }]);
    assert_eq!(bad(unknown), format!("{at}no block `conv7`; there are conv1, conv2, fc"));
    let reversed = json!([{ "untrained": { "blocks": ["conv2", "conv1"] } }]);
    assert_eq!(bad(reversed), format!("{at}blocks 1 to 0 are in the wrong order"));
    let gap = json!([{ "untrained": { "blocks": ["conv2", "conv2"] } }]);
    assert_eq!(bad(gap), format!("{at}a stage begins at block 1, the ones before it end at 0"));
    let above = json!([{ "untrained": { "blocks": ["conv1", "conv1"] } }]);
    assert_eq!(bad(above), format!("{at}block `conv2` is above the last stage"));
    assert_eq!(bad(hebbian(json!({ "batch": 0 }))), format!("{at}a batch has at least 1 image, got 0"));
    let epochs = bad(hebbian(json!({ "epochs": 0 })));
    assert_eq!(epochs, format!("{at}a stage trains for at least 1 epoch, got 0"));
    assert_eq!(
        bad(hebbian(json!({ "rate": -0.5 }))),
        format!("{at}a rate must be finite and at least 0, got -0.5")
    );
    let rules = bad(hebbian(json!({ "rules": ["oja"] })));
    assert_eq!(rules, format!("{at}1 rules for 2 blocks, conv1 to conv2"));
    let penalty = json!([{ "backprop": { "blocks": ["conv1", "fc"], "penalty": -1.0 } }]);
    assert_eq!(bad(penalty), format!("{at}a penalty must be finite and at least 0, got -1"));
    let all =
        json!([{ "backprop": { "blocks": ["conv1", "fc"], "penalty": 0.0, "classifier_dropout": 1.0 } }]);
    assert_eq!(bad(all), format!("{at}dropout must be in 0..1, got 1"));
    let none = json!([{ "backprop": { "blocks": ["conv1", "fc"], "penalty": 0.0, "choose_on": 0 } }]);
    assert_eq!(bad(none), format!("{at}an epoch is chosen on at least 1 image, got 0"));
    let typo = bad(json!([{ "hebbian": { "blocks": ["conv1", "conv2"], "epoch": 1 } }]));
    assert!(typo.starts_with("experiment `DIR/own.json`: unknown field `epoch`, expected one of"), "{typo}");
}

/// Of networks that settle, and of blocks that learn from spikes.
#[test]
fn states_and_spikes() {
    let at = "experiment `DIR/own.json`: row `bad`: ";
    let settling = |blocks: [&str; 2], beta: f64| {
        let method = json!({ "equilibrium": { "sides": "centered", "beta": beta, "free": 5, "nudged": 5 } });
        json!([{ "settling": { "blocks": blocks, "epochs": 1, "batch": 10, "method": method } }])
    };
    let scored = |stages| {
        let mut own = own(stages);
        own.table()["rows"][1]["evaluate"] = json!(["scores"]);
        own.table()["rows"][1]["at"] = json!([]);
        refused(&own, &[])
    };
    let features = refused(&own(settling(["conv1", "fc"], 0.1)), &[]);
    assert_eq!(features, format!("{at}a network that settles is judged by its own `scores`"));
    let none = scored(settling(["conv1", "fc"], 0.0));
    assert_eq!(none, format!("{at}beta: must be finite and not 0, got 0"));
    let part = scored(settling(["conv1", "conv2"], 0.1));
    assert_eq!(part, format!("{at}feedback goes through the whole network, got conv1 to conv2"));
    let norm = scored(settling(["conv1", "fc"], 0.1));
    let expected = "block `conv1`: between states that settle there is no norm and no dropout";
    assert_eq!(norm, format!("{at}{expected}"));
    let stdp = json!({ "rules": [{ "rank-order-stdp": { "plus": 0.004, "minus": -0.003 } }, "oja"] });
    let above = refused(&own(hebbian(stdp)), &[]);
    assert_eq!(above, format!("{at}block `conv1` learns from spikes, and needs a stage of its own"));
    let images = refused(&own(hebbian(json!({ "images": 0 }))), &[]);
    assert_eq!(images, format!("{at}an epoch has at least 1 image, got 0"));
}

/// What is known once the images are.
#[test]
fn stages_that_do_not_fit_the_images() {
    let at = "row `bad`: stage 1, conv1 to conv2: ";
    let map = refused(&own(hebbian(json!({ "rules": [{ "som": { "size": [3, 3] } }, "oja"] }))), &[]);
    assert_eq!(
        map,
        format!(
            "{at}plan: layer `conv1`: map: 1 to 3 axes with one cell for each of the group's 8 neurons, got [3, 3] with 9 cells"
        )
    );
    let mut many = own(json!([{ "untrained": { "blocks": ["conv1", "conv2"], "weights": "pca" } }]));
    many.table()["net"]["blocks"][1]["layer"]["conv"]["filters"] = json!(145);
    let many = refused(&many, &[]);
    assert_eq!(many, format!("{at}conv2: 145 filters of 72 principal components and their negatives"));
    let mut search = own(json!([{ "untrained": { "blocks": ["conv1", "conv2"] } }]));
    search.table()["data"]["search"] = json!(true);
    let search = refused(&search, &[]);
    let none = "ridge regression chooses its penalty on validation images; there are 0";
    assert_eq!(search, format!("row `good`: {none}"));
}

#[test]
fn networks() {
    let bad = |change: &dyn Fn(&mut Value)| {
        let mut own = own(hebbian(json!({})));
        change(&mut own.table()["net"]["blocks"]);
        refused(&own, &[])
    };
    let dropout = bad(&|blocks| blocks[2]["dropout"] = json!(1.5));
    assert_eq!(dropout, "row `good`: block `fc`: dropout must be in 0..1, got 1.5");
    let kernel = bad(&|blocks| blocks[1]["layer"]["conv"]["kernel"] = json!(9));
    assert_eq!(kernel, "row `good`: conv2: a kernel of 9 on 7 pixels");
    let pool = bad(&|blocks| blocks[1]["pool"]["max"]["size"] = json!(6));
    assert_eq!(pool, "row `good`: conv2: pooling of 5 positions");
    let filters = bad(&|blocks| blocks[0]["layer"]["conv"]["filters"] = json!(0));
    assert_eq!(filters, "row `good`: block `conv1`: a layer has at least 1 neuron, got 0");
    let name = bad(&|blocks| blocks[2]["name"] = json!("a/b"));
    assert_eq!(name, "row `good`: block `a/b`: a name is letters, digits, - and _: files are called by it");
    let twice = bad(&|blocks| blocks[2]["name"] = json!("conv1"));
    assert_eq!(twice, "row `good`: two blocks are called `conv1`");
}

/// A last block that nothing scores may have any size.
#[test]
fn classes_count_where_they_are_scored() {
    let top = json!([{ "backprop": { "blocks": ["conv1", "fc"], "penalty": 0.0 } }]);
    let mut scored = own(top);
    scored.table()["net"]["blocks"][2]["layer"]["linear"]["neurons"] = json!(7);
    let error = refused(&scored, &[]);
    assert_eq!(error, "row `bad`: the last block scores 7 classes, the data have 10");
    assert!(scored.run("good", &["--rows", "good"]).is_ok());
}

#[test]
fn tables() {
    let mut named = own(hebbian(json!({})));
    named.table()["net"] = json!("lenet");
    let error = refused(&named, &[]);
    assert!(
        error.starts_with("experiment `DIR/own.json`: row `good`: no network `lenet`; there are thesis, "),
        "{error}"
    );
    let twice = Own::new(json!([row("a b", hebbian(json!({}))), row("a-b", hebbian(json!({})))]));
    assert_eq!(refused(&twice, &[]), "experiment `DIR/own.json`: two rows are called `a-b`");
    let mut against = own(hebbian(json!({})));
    against.table()["against"] = json!("backprop");
    assert_eq!(
        refused(&against, &[]),
        "experiment `DIR/own.json`: rows are compared with `backprop`, which is none of good, bad"
    );
    let mut alone = row("bad", hebbian(json!({})));
    alone["against"] = json!("worse");
    assert_eq!(
        refused(&Own::new(json!([alone])), &[]),
        "experiment `DIR/own.json`: rows are compared with `worse`, which is none of bad"
    );
    let mut scores = row("bad", hebbian(json!({})));
    scores["evaluate"] = json!(["scores"]);
    assert_eq!(
        refused(&Own::new(json!([scores])), &[]),
        "experiment `DIR/own.json`: row `bad`: `scores` are asked for, of stages that score no classes"
    );
    let mut share = row("bad", hebbian(json!({})));
    share["label_shares"] = json!([1.5]);
    assert_eq!(
        refused(&Own::new(json!([share])), &[]),
        "experiment `DIR/own.json`: row `bad`: a share of labels must be above 0 and at most 1, got 1.5"
    );
}

/// What stands beside a row is checked as the row is.
#[test]
fn branches() {
    let bad = |more: Value| {
        let mut bad = row("bad", hebbian(json!({})));
        bad.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refused(&Own::new(json!([bad])), &[])
    };
    let beside = |at: &str, regions: usize, stages: Value| json!({ "beside": [{ "at": at, "regions": regions, "stages": stages }] });
    let first = json!([{ "untrained": { "blocks": ["conv1", "conv1"] } }]);
    assert_eq!(
        bad(beside("conv2", 1, first.clone())),
        "experiment `DIR/own.json`: row `bad`: beside, `conv2`: block `conv2` is above the last stage"
    );
    assert_eq!(
        bad(beside("conv1", 1, json!([]))),
        "experiment `DIR/own.json`: row `bad`: beside, `conv1`: no stages"
    );
    assert_eq!(
        bad(beside("conv1", 8, first.clone())),
        "row `bad`: beside, `conv1`: 8 × 8 regions of 7 × 7 positions"
    );
    let zero = json!({ "beside": [{ "at": "conv1", "stages": first, "scale": 0.0 }] });
    assert_eq!(
        bad(zero),
        "experiment `DIR/own.json`: row `bad`: beside, `conv1`: a scale must be finite and above 0, got 0"
    );
    let map =
        json!([{ "hebbian": { "blocks": ["conv1", "conv1"], "rules": [{ "som": { "size": [3, 3] } }] } }]);
    let map = bad(beside("conv1", 1, map));
    assert!(
        map.starts_with("row `bad`: beside, `conv1`: stage 1, conv1 to conv1: plan: layer `conv1`: map: "),
        "{map}"
    );
    assert_eq!(bad(json!({ "regions": 0 })), "row `bad`: at `conv2`: 0 × 0 regions of 2 × 2 positions");
}

#[test]
fn arguments() {
    let own = own(hebbian(json!({})));
    assert_eq!(refused(&own, &["--rows", "worst"]), "no row's name contains `worst`; there are good, bad");
    for name in ["--seeds", "--images", "--epochs"] {
        let error = refused(&own, &[name, "0"]);
        assert!(error.contains("must be a whole number of at least 1") && error.contains(name), "{error}");
    }
    let error = refused(&own, &["--width", "2"]);
    assert!(error.contains("must be above 0 and at most 1") && error.contains("--width"), "{error}");
    let error = refused(&own, &["--seeds", "2", "--first-seed", "18446744073709551614"]);
    assert_eq!(error, "2 seeds from 18446744073709551614 on: there are not so many");
    let missing = own.dir.path().join("missing.json").display().to_string();
    let error = burn_hebbian_lab::reproduce::Args {
        experiment: Some(missing.clone()),
        ..clap::Parser::parse_from(["reproduce", "x"])
    };
    let error = format!("{:#}", error.run().unwrap_err());
    assert!(error.starts_with(&format!("cannot read {missing}: ")), "{error}");
}

#[test]
fn data() {
    let own = own(hebbian(json!({})));
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().display().to_string();
    let error = refused(&own, &["--data", &folder]).replace(&folder, "EMPTY");
    assert_eq!(
        error,
        "row `good`: EMPTY: no CIFAR-10 here: neither data_batch_1.bin … test_batch.bin (or a folder \
         cifar-10-batches-bin of them), nor folders train/CLASS and test/CLASS of images"
    );
    let held_out = refused(&own, &["--validation", "201"]);
    assert_eq!(held_out, "row `good`: 201 images for validation, of 200");
}

/// Files of a run that was begun, broken before it goes on.
#[test]
fn broken_files() {
    let own = Own::new(json!([
        row("rules", hebbian(json!({}))),
        { "name": "top", "labels": "top", "evaluate": ["scores"], "stages": [
            { "hebbian": { "blocks": ["conv1", "conv1"], "epochs": 1 } },
            { "backprop": { "blocks": ["conv2", "fc"], "epochs": 2, "penalty": 0.0 } }
        ] }
    ]));
    own.run("out", &[]).unwrap();
    let broken = |file: &std::path::Path, bytes: &[u8], rows: &str| {
        let whole = fs::read(file).unwrap();
        let _ = fs::remove_dir_all(own.file("out", "rows"));
        fs::write(file, bytes).unwrap();
        let error = own.error(&["--rows", rows]);
        fs::write(file, whole).unwrap();
        error.replace(
            &file
                .parent()
                .unwrap()
                .display()
                .to_string()
                .replace(&own.dir.path().display().to_string(), "DIR"),
            "STAGE",
        )
    };
    let features = own.cached("out", "conv2-training.safetensors");
    assert_eq!(
        broken(&features, b"nothing", "rules"),
        "row `rules`, seed 0: STAGE/conv2-training.safetensors: remove it to compute it anew: header too small"
    );
    let curve = own.cached("out", "curve.json");
    assert_eq!(
        broken(&curve, b"[1", "top"),
        "row `top`, seed 0: STAGE/curve.json: EOF while parsing a list at line 1 column 2"
    );
    let blocks = own.cached("out", "blocks.bpk");
    let error = broken(&blocks, b"nothing", "top");
    assert!(error.starts_with("row `top`, seed 0: STAGE/blocks.bpk: "), "{error}");
    // features are there no longer, so that the checkpoint counts
    fs::remove_file(&features).unwrap();
    let model = features.with_file_name("checkpoints/epoch-1/model.bpk");
    let mut bytes = fs::read(&model).unwrap();
    bytes[100] ^= 1;
    let error = broken(&model, &bytes, "rules");
    let begin =
        "row `rules`, seed 0: checkpoint: STAGE/model.bpk is damaged or of another checkpoint: expected ";
    assert!(error.starts_with(begin), "{error}");
    own.run("out", &[]).unwrap();
    let row = own.file("out", "rows/top-seed-0.json");
    fs::write(&row, b"[").unwrap();
    assert_eq!(
        own.error(&[]),
        "row `top`, seed 0: DIR/out/own/rows/top-seed-0.json: remove it to run the row anew: EOF while parsing a list at line 1 column 1"
    );
}

/// What the layers make of the images is not finite, though nothing has learned.
#[test]
fn features_that_are_not_finite() {
    let mut own = own(json!([{ "untrained": { "blocks": ["conv1", "conv2"] } }]));
    own.large_features(1e30);
    assert_eq!(own.error(&["--rows", "bad"]), "row `bad`, seed 0: features of `conv2`, training: got inf");
}

/// Training that diverges names the layer.
#[test]
fn what_is_not_finite() {
    let rules = own(hebbian(json!({ "rate": 1e38, "rules": ["hebb", "hebb"] })));
    assert_eq!(
        rules.error(&["--rows", "bad"]),
        "row `bad`, seed 0: update of `conv1` is not finite (seen within the last 1 step(s)); check its input and \
         learning rate"
    );
    let backprop = own(json!([{ "backprop": { "blocks": ["conv1", "fc"], "rate": 1e30, "penalty": 0.0 } }]));
    assert_eq!(
        backprop.error(&["--rows", "bad"]),
        "row `bad`, seed 0: conv1: weights are not finite after epoch 1 of backprop at a rate of \
         1000000000000000000000000000000"
    );
}
