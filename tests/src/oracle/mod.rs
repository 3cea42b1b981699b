//! Every rule as loops over scalars in f64, straight from the formulas: no tensors, no broadcasting.

mod layer;
mod stages;

use burn_hebbian::prelude::*;

pub use layer::Layer;
use stages::{dot, norm, see, teacher};

/// `ΔW` (ascent) of a rule on a layer, in the layout of the convolution's weight.
///
/// `labels` has one teacher row an image.
pub fn delta(rule: &Rule, layer: &Layer, x: &[f64], w: &[f64], labels: Option<&[Vec<f64>]>) -> Vec<f64> {
    let per_group = layer.neurons_per_group();
    let neurons: Vec<&[f64]> = w.chunks(layer.fan_in()).collect();
    let mut numerator = vec![vec![0.0; layer.fan_in()]; neurons.len()];
    let mut mass = vec![0.0; neurons.len()];
    for n in 0..layer.input[0] {
        let t = teacher(&rule.teacher, labels.map(|labels| labels[n].as_slice()), neurons.len());
        for at in layer.positions() {
            let patches: Vec<_> = (0..layer.groups).map(|group| layer.patch(x, n, group, at)).collect();

            for (group, patch) in patches.iter().enumerate() {
                let members = group * per_group..(group + 1) * per_group;

                let seen = see(rule, patch, &neurons[members.clone()], &t[members.clone()]);
                for (k, neuron) in members.enumerate() {
                    let weight = if rule.reduction == Reduction::Weighted { seen.g[k].abs() } else { 1.0 };
                    mass[neuron] += weight;
                    for (sum, change) in
                        numerator[neuron].iter_mut().zip(seen.contribution(&rule.recurrence, k))
                    {
                        *sum += weight * change;
                    }
                }
            }
        }
    }
    finish(rule, layer, numerator, &mass, &neurons)
}

/// What happens to the sums.
fn finish(rule: &Rule, layer: &Layer, sums: Vec<Vec<f64>>, mass: &[f64], w: &[&[f64]]) -> Vec<f64> {
    let scale =
        if rule.scale == Scale::InverseSqrtFanIn { 1.0 / (layer.fan_in() as f64).sqrt() } else { 1.0 };
    let divisor = |k: usize| match rule.reduction {
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
    if rule.normalization == Normalization::MaxPerGroup {
        for group in delta.chunks_mut(layer.neurons_per_group()) {
            let largest = group.iter().flatten().fold(1e-30_f64, |largest, value| largest.max(value.abs()));
            group.iter_mut().flatten().for_each(|value| *value /= largest);
        }
    }
    if let Rate::NormDeviation { power } = rule.rate {
        for (delta, w) in delta.iter_mut().zip(w) {
            let rate = ((norm(w) - 1.0).abs() + 1e-10).powf(power);
            delta.iter_mut().for_each(|value| *value *= rate);
        }
    }
    delta.concat()
}
