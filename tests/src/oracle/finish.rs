//! What happens to the sums, once.

use burn_hebbian::{
    prelude::*,
    rules::{Normalization, Rate, Recurrence, Reduction, Scale},
};

use super::{
    layer::Layer,
    stages::{dot, norm},
};

/// What happens to the sums.
pub(super) fn finish(
    rule: &Rule,
    layer: &Layer,
    sums: Vec<Vec<f64>>,
    mass: &[f64],
    w: &[&[f64]],
) -> Vec<f64> {
    let scale =
        if rule.finish.scale == Scale::InverseSqrtFanIn { 1.0 / (layer.fan_in() as f64).sqrt() } else { 1.0 };
    let divisor = |k: usize| match rule.finish.reduction {
        Reduction::Sum => 1.0,
        _ if mass[k] == 0.0 => f64::INFINITY,
        _ => mass[k],
    };
    let mut delta: Vec<Vec<f64>> = sums
        .into_iter()
        .enumerate()
        .map(|(k, sums)| sums.into_iter().map(|sum| scale * sum / divisor(k)).collect())
        .collect();
    if matches!(rule.recurrence, Recurrence::Ica { normalized: true, .. }) {
        for (delta, w) in delta.iter_mut().zip(w) {
            let along = dot(delta, w);
            delta.iter_mut().zip(*w).for_each(|(delta, w)| *delta -= along * w);
        }
    }
    if rule.finish.normalization == Normalization::MaxPerGroup {
        for group in delta.chunks_mut(layer.neurons_per_group()) {
            let largest = group.iter().flatten().fold(1e-30_f64, |largest, value| largest.max(value.abs()));
            group.iter_mut().flatten().for_each(|value| *value /= largest);
        }
    }
    if let Rate::NormDeviation { power } = rule.finish.rate {
        for (delta, w) in delta.iter_mut().zip(w) {
            let rate = ((norm(w) - 1.0).abs() + 1e-10).powf(power);
            delta.iter_mut().for_each(|value| *value *= rate);
        }
    }
    delta.concat()
}
