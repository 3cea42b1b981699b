//! Outputs and sums in half and in double precision.

use burn::{
    module::Module,
    nn::LinearConfig,
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::observe::GradientFlow,
    prelude::*,
    rules::{Lateral, WeightLayout},
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input, weight},
    oracle::{self, Layer},
    values::{assert_close, vec},
};
use libtest_mimic::Trial;

use super::{Cast, TYPES, observed, outputs};
use crate::{geometry::small, on_flex, rules::rules};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("shapes::outputs_in_half_precision", outputs_in_half_precision),
        on_flex("shapes::blank_patches_in_half_precision", blank_patches_in_half_precision),
        on_flex("shapes::many_positions_in_half_precision", many_positions_in_half_precision),
        on_flex("shapes::all_rules_in_f64", all_rules_in_f64),
        on_flex("shapes::outputs_in_f64", outputs_in_f64),
    ]
}

/// How far half precision may be from `f32`.
fn rounding(dtype: DType) -> f64 {
    if dtype == DType::F16 { 4e-3 } else { 3e-2 }
}

/// Bright and faint patches, large and small weights: energies beyond 65,504 and below 6e-8.
fn outputs_in_half_precision(device: &Device) {
    let scales =
        [(300.0, 1.0), (2e4, 30.0), (1.0, 300.0), (1e-4, 1.0), (1.0, 1e-4), (1e-4, 1e-3), (1e-4, 1e4)];
    for (name, layer) in small() {
        for (output_name, output) in outputs().into_iter().skip(1) {
            for dtype in [DType::F16, DType::BF16] {
                for (bright, large) in scales {
                    let x = input(&layer, device).mul_scalar(bright).cast(dtype);
                    let w = weight(&layer, device).mul_scalar(large).cast(dtype);
                    let y = |dtype| {
                        let local = AnyLayer::with_weight(&layer, w.clone().cast(dtype), device);
                        local.with_output(output).forward(x.clone().cast(dtype))
                    };
                    let (half, expected) = (y(dtype), vec(y(DType::F32)));
                    assert_eq!(half.dtype(), dtype);
                    let largest = expected.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
                    // what the type cannot hold is the same for the plain layer
                    if !(1e-3..6e4).contains(&largest) {
                        continue;
                    }
                    let what = format!("{output_name} of {name} in {dtype:?}, {bright} and {large}");
                    assert_close(&what, &vec(half.cast(DType::F32)), &expected, rounding(dtype));
                    let local = AnyLayer::with_weight(&layer, w.clone(), device).with_output(output);
                    let seen = |local: &AnyLayer| local.forward(x.clone());
                    let (half, sums) = observed(&local, Rule::swta(), GradientFlow::Block, seen);
                    assert_close(&what, &vec(half.cast(DType::F32)), &expected, rounding(dtype));
                    assert!(vec(sums.numerator.into_values()).iter().all(|sum| sum.is_finite()), "{what}");
                }
            }
        }
    }
}

/// They have no direction.
fn blank_patches_in_half_precision(device: &Device) {
    for (name, layer) in small() {
        for (output_name, output) in outputs() {
            for dtype in [DType::F16, DType::BF16] {
                let local = AnyLayer::new(&layer, device).with_output(output).map(&mut Cast(dtype));
                let blank = input(&layer, device).cast(dtype).mul_scalar(0.0);
                let y = vec(local.forward(blank.clone()).cast(DType::F32));
                let expected = match output_name {
                    "raised" => 0.5,
                    "raised_cubed" => 0.125,
                    "gaussian" => continue,
                    _ => 0.0,
                };
                assert!(y.iter().all(|y| *y == expected), "{output_name} of {name} in {dtype:?}: {y:?}");
                let (_, sums) =
                    observed(&local, Rule::swta(), GradientFlow::Block, |local| local.forward(blank));
                assert!(
                    vec(sums.numerator.into_values()).iter().all(|sum| sum.is_finite()),
                    "{name} in {dtype:?}"
                );
            }
        }
    }
}

/// More of them than `f16` can count.
fn many_positions_in_half_precision(device: &Device) {
    const MANY: usize = 70_000;
    for dtype in TYPES {
        let x = Tensor::<2>::ones([MANY, 2], (device, dtype));
        for rule in [Rule::hebb(), Rule::hpca_adaptive(), Rule::bcm()] {
            let layer =
                Local::new(LinearConfig::new(2, 3).with_bias(false).init(device)).with_rule(rule.clone());
            let layer = layer.map(&mut Cast(dtype));
            let (_, sums) =
                observed(&layer, rule.clone(), GradientFlow::Block, |layer| layer.forward(x.clone()));
            let mass = vec(sums.mass.expect("a mean has a mass"));
            assert_eq!(mass, [MANY as f64], "{rule:?} in {dtype:?}");
            if let Some(statistics) = sums.statistics {
                let statistics = vec(statistics);
                assert!(statistics.contains(&(MANY as f64)), "{rule:?} in {dtype:?}: {statistics:?}");
            }
        }
    }
}

/// In 64 bits from the input to the sums: against the oracle, which has them too.
fn all_rules_in_f64(device: &Device) {
    for (name, layer) in small() {
        for (rule_name, rule) in rules(layer.neurons_per_group()) {
            let (x, w) = (input(&layer, device), weight(&layer, device));
            let expected = oracle::delta(&rule, &layer, &vec(x.clone()), &vec(w.clone()), None);
            let local =
                AnyLayer::with_weight(&layer, w.clone().cast(DType::F64), device).with_rule(rule.clone());
            let forward = |local: &AnyLayer| local.forward(x.cast(DType::F64));
            let (_, sums) = observed(&local, rule.clone(), GradientFlow::Block, forward);
            let numerator = sums.numerator.into_values();
            let types = [Some(&numerator), sums.mass.as_ref(), sums.statistics.as_ref()];
            let what = format!("{rule_name} on {name}");
            assert!(types.into_iter().flatten().all(|sum| sum.dtype() == DType::F64), "{what}");
            let layout = layout(&layer);
            let w = layout.view(w.cast(DType::F64));
            let delta = rule.finish().apply(layout.view(numerator), sums.mass, &w, &layout);
            // distances on a map are held in f32
            let tolerance = if rule.lateral == Lateral::None { 1e-9 } else { 1e-6 };
            assert_close(&what, &vec(delta), &expected, tolerance);
            if let Some(state) = rule.initial_state(&layout) {
                let state = Tensor::<1>::from_data(state.as_slice(), (device, DType::F64));
                assert_eq!(rule.next_state(state, sums.statistics, &layout).dtype(), DType::F64, "{what}");
            }
        }
    }
}

fn layout(layer: &Layer) -> WeightLayout {
    let [first, second, kernel @ ..] = layer.weight;
    let (groups, kernel) = (layer.groups, kernel.iter().product::<usize>());
    match layer.transposed {
        true => WeightLayout { groups, before: first / groups, neurons: second, after: kernel },
        false => WeightLayout { groups, before: 1, neurons: first / groups, after: second * kernel },
    }
}

fn outputs_in_f64(device: &Device) {
    for (name, layer) in small() {
        for (output_name, output) in outputs() {
            let [x, w] = [input(&layer, device), weight(&layer, device)];
            let y = |dtype| {
                let local = AnyLayer::with_weight(&layer, w.clone().cast(dtype), device).with_output(output);
                local.forward(x.clone().cast(dtype))
            };
            let (double, single) = (y(DType::F64), y(DType::F32));
            assert_eq!(double.dtype(), DType::F64);
            assert_close(&format!("{output_name} of {name}"), &vec(double), &vec(single), 1e-5);
        }
    }
}
