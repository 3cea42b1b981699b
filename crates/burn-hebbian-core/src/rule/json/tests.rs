use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Map, Value, from_str, json, to_string};

use super::known::{PRESETS, Preset};
use crate::{Competition, Gate, Reduction, Rule, Scale};

/// A value for each argument, none of them a usual one.
fn argument(name: &str) -> Value {
    match name {
        "activation" => json!({ "repu": { "power": 1.7 } }),
        "delta" => json!(0.4),
        "k" => json!(7),
        "minus" => json!(-0.3),
        "p" => json!(3.3),
        "plus" => json!(0.2),
        "seed" => json!(u64::MAX),
        "size" => json!([3, 5]),
        "sub_gaussian" => json!(0.3),
        "target" => json!(0.07),
        "tau_minus" => json!(33.0),
        "tau_plus" => json!(17.0),
        "temperature" => json!(0.65),
        _ => panic!("argument `{name}` has no value in this test"),
    }
}

fn object(preset: &Preset) -> Map<String, Value> {
    let arguments = preset.arguments.iter().map(|name| (name.to_string(), argument(name)));
    [("preset".into(), json!(preset.name))].into_iter().chain(arguments).collect()
}

fn read(json: &str) -> Rule {
    from_str(json).unwrap()
}

fn refused(json: &str) -> String {
    from_str::<Rule>(json).unwrap_err().to_string()
}

#[test]
fn every_preset_has_a_name() {
    let sources = [include_str!("../presets.rs"), include_str!("../timed.rs")];
    let source = sources.iter().flat_map(|source| source.lines());
    let functions = source.filter_map(|line| line.trim_start().strip_prefix("pub fn ")?.split_once('('));
    let mut functions: Vec<_> = functions.map(|(name, _)| name).collect();
    let mut names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    functions.sort_unstable();
    names.sort_unstable();
    assert_eq!(functions, names);
}

#[test]
fn every_preset_round_trips() {
    for preset in PRESETS {
        let json = Value::Object(object(preset));
        let rule = read(&json.to_string());
        let short = if preset.arguments.is_empty() { json!(preset.name) } else { json };
        let written = to_string(&rule).unwrap();
        assert_eq!(from_str::<Value>(&written).unwrap(), short, "{}", preset.name);
        assert_eq!(read(&written), rule, "{}", preset.name);
        assert_eq!(serde_json::from_value::<Rule>(short).unwrap(), rule, "{}", preset.name);
    }
}

#[test]
fn presets_are_told_apart() {
    let rules: Vec<_> =
        PRESETS.iter().map(|preset| read(&Value::Object(object(preset)).to_string())).collect();
    for (rule, preset) in rules.iter().zip(PRESETS) {
        assert_eq!(rules.iter().filter(|other| *other == rule).count(), 1, "{}", preset.name);
    }
}

#[test]
fn every_stage_beside_a_preset_takes_its_place() {
    let scale = json!("inverse_sqrt_fan_in");
    for preset in PRESETS {
        let mut object = object(preset);
        let rule = read(&Value::Object(object.clone()).to_string());
        // in front of what it overrides, and behind
        object.insert("scale".into(), scale.clone());
        let behind = Value::Object(object).to_string();
        let front = behind.replacen('{', r#"{"gate":"one","#, 1);
        let scaled = rule.with_scale(Scale::InverseSqrtFanIn);
        assert_eq!(read(&behind), scaled, "{}", preset.name);
        assert_eq!(read(&front), scaled.clone().with_gate(Gate::One), "{}", preset.name);
        assert_eq!(read(&to_string(&scaled).unwrap()), scaled, "{}", preset.name);
    }
}

#[test]
fn an_argument_is_required() {
    for preset in PRESETS {
        for argument in preset.arguments {
            let mut object = object(preset);
            object.remove(*argument);
            let error = refused(&Value::Object(object).to_string());
            let expected = format!("preset {:?} needs {argument:?}; its arguments: ", preset.name);
            assert!(error.starts_with(&expected), "{error}");
        }
    }
    assert!(refused(r#""krotov""#).starts_with(r#"preset "krotov" needs "p"; its arguments: p, k, delta"#));
}

#[test]
fn what_is_unknown_is_refused_with_what_is_known() {
    assert!(refused(r#""swtaa""#).starts_with(r#"unknown preset "swtaa"; known: hebb, oja, sanger, hpca, "#));
    let error = refused(r#"{"preset":"soft_hebb","temprature":1}"#);
    let expected =
        r#"unknown field "temprature" of preset "soft_hebb"; known: temperature, similarity, surround, "#;
    assert!(error.starts_with(expected), "{error}");
    let foreign = refused(r#"{"preset":"k_wta","k":2,"delta":0.1}"#);
    assert!(
        foreign.starts_with(r#"unknown field "delta" of preset "k_wta"; known: k, similarity"#),
        "{foreign}"
    );
    let alone = refused(r#"{"temperature":1}"#);
    let expected = r#"unknown field "temperature" of a rule without preset; known: preset, similarity, "#;
    assert!(alone.starts_with(expected), "{alone}");
    let twice = refused(r#"{"preset":"k_wta","k":2,"k":3}"#);
    assert!(twice.starts_with("duplicate field `k`"), "{twice}");
    let kind = refused("3");
    assert!(kind.contains("expected the name of a preset, or an object of a preset or of stages"), "{kind}");
    assert!(!refused(r#"{"reduction":null}"#).is_empty(), "no value is not the default");
}

#[test]
fn an_argument_named_as_a_stage_is_listed_once() {
    let error = refused(r#"{"preset":"hpca","activation":"relu","x":1}"#);
    assert_eq!(error.matches("activation").count(), 1, "{error}");
}

#[test]
fn all_stages_may_be_written_out() {
    let full = r#"{"similarity":{"raised_cosine":{"power":2.0}},"surround":"none","bias":"frozen",
        "activation":"linear","variance":"fixed","abstention":"none","competition":{"softmax":{"temperature":0.02}},
        "lateral":"none","teacher":"ignored","gate":"competition","recurrence":"signed_instar","homeostasis":"none",
        "reduction":"weighted","scale":"none","normalization":"none","rate":"one"}"#;
    assert_eq!(read(full), Rule::swta());
    assert_eq!(read("{}"), Rule::hebb());
}

#[test]
fn other_rules_are_written_as_stages_that_differ() {
    let rule = Rule::k_wta(3).with_reduction(Reduction::Mean);
    let expected = r#"{"similarity":{"raised_cosine":{"power":2.0}},"competition":{"k_winners":{"k":3,"losers":0.0}},"gate":"competition","recurrence":"signed_instar"}"#;
    assert_eq!(to_string(&rule).unwrap(), expected);
    assert_eq!(to_string(&Rule::k_wta(1)).unwrap(), r#""hard_wta""#);
}

/// Three in ten of these would be one bit off without `float_roundtrip`.
#[test]
fn numbers_come_back_to_the_bit() {
    let mut bits = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..2000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let temperature = f64::from_bits(bits);
        if !temperature.is_finite() {
            continue;
        }
        let back = read(&to_string(&Rule::soft_hebb(temperature)).unwrap());
        let Competition::SignedSoftmax { temperature: back } = back.competition else { panic!("{back:?}") };
        assert_eq!(back.to_bits(), temperature.to_bits());
    }
}
