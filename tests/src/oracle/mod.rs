//! Every rule as loops over scalars in f64, straight from the formulas: no tensors, no broadcasting.

mod finish;
mod layer;
mod memory;
pub mod spikes;
mod stages;

use burn_hebbian::{
    prelude::*,
    rules::{Homeostasis, Reduction},
};

pub use layer::Layer;
pub use memory::Memory;
use memory::Shown;
use stages::{Scene, see, similarity, surround, teacher};

/// What a layer is shown in one step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Step<'a> {
    /// The input.
    pub x: &'a [f64],
    /// The weight, in the layout of the layer.
    pub w: &'a [f64],
    /// The bias, if the rule learns it.
    pub bias: Option<&'a [f64]>,
    /// One teacher row an image.
    pub labels: Option<&'a [Vec<f64>]>,
    /// The third factor of every image and neuron.
    pub third_factor: Option<&'a [Vec<f64>]>,
}

/// One patch of one image, as one group of neurons sees it.
struct Patch<At> {
    image: usize,
    at: At,
    group: usize,
    x: Vec<f64>,
    /// The similarities to the neurons of the group.
    s: Vec<f64>,
}

/// `ΔW` (ascent) of a rule without state, in the layout of the layer's weight.
pub fn delta(rule: &Rule, layer: &Layer, x: &[f64], w: &[f64], labels: Option<&[Vec<f64>]>) -> Vec<f64> {
    step(rule, layer, &Step { x, w, labels, ..Step::default() }, &mut Memory::new(rule, layer))
}

/// `ΔW` (ascent) of a rule, in the layout of the layer's weight; `memory` moves one step on.
pub fn step(rule: &Rule, layer: &Layer, step: &Step, memory: &mut Memory) -> Vec<f64> {
    let per_group = layer.neurons_per_group();
    let w = layer.by_neuron(step.w);
    let neurons: Vec<&[f64]> = w.chunks(layer.fan_in()).collect();
    let members = |group: usize| group * per_group..(group + 1) * per_group;
    let mut patches = Vec::new();
    for image in 0..layer.input[0] {
        for at in layer.positions() {
            for group in 0..layer.groups {
                let x = layer.patch(step.x, image, group, at);
                let s = members(group).map(|k| similarity(&rule.similarity, &x, neurons[k])).collect();
                patches.push(Patch { image, at, group, x, s });
            }
        }
    }
    surround(&rule.surround, &mut patches);
    if let Some(bias) = step.bias {
        for Patch { group, s, .. } in &mut patches {
            s.iter_mut().zip(&bias[members(*group)]).for_each(|(s, bias)| *s += bias);
        }
    }
    let mut shown = Shown::of(&patches, layer);
    let scene = Scene::new(rule, layer, memory, &shown);
    let mut numerator = vec![vec![0.0; layer.fan_in()]; neurons.len()];
    let mut mass = vec![0.0; neurons.len()];
    for Patch { image, group, x, s, .. } in &patches {
        let members = members(*group);
        let t = teacher(&rule.teacher, step.labels.map(|labels| labels[*image].as_slice()), neurons.len());
        let seen = see(&scene, x, s, &neurons[members.clone()], &t[members.clone()], *group);
        for (k, neuron) in members.enumerate() {
            shown.y[neuron].push(seen.y[k]);
            shown.z[neuron].push(seen.outcome[k]);
            let third = step.third_factor.map_or(1.0, |factor| factor[*image][neuron]);
            let weight = if rule.finish.reduction == Reduction::Weighted { seen.g[k].abs() } else { 1.0 };
            mass[neuron] += weight;
            let growth = match rule.homeostasis {
                _ if is_blank(x) => 0.0,
                Homeostasis::Scaling { target, rate } => rate * (target - seen.y[k]),
                _ => 0.0,
            };
            let changes = seen.contribution(&rule.recurrence, k, third);
            for (f, change) in changes.into_iter().enumerate() {
                numerator[neuron][f] += weight * (change + growth * neurons[neuron][f]);
            }
        }
    }
    memory.step(rule, layer, &shown, patches.iter().all(|patch| is_blank(&patch.x)));
    layer.as_weight(&finish::finish(rule, layer, numerator, &mass, &neurons))
}

fn is_blank(x: &[f64]) -> bool {
    x.iter().all(|x| *x == 0.0)
}

impl Shown {
    /// The similarities; the rest is filled in later.
    fn of<At>(patches: &[Patch<At>], layer: &Layer) -> Self {
        let per_group = layer.neurons_per_group();
        let of_neuron = |neuron: usize| {
            let sees = move |patch: &&Patch<At>| patch.group == neuron / per_group;
            patches.iter().filter(sees).map(|patch| patch.s[neuron % per_group]).collect()
        };
        let empty = vec![Vec::new(); layer.neurons()];
        Self { s: (0..layer.neurons()).map(of_neuron).collect(), y: empty.clone(), z: empty }
    }
}
