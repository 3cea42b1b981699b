//! The stages of a rule, for one patch and the neurons of one group.

use burn_hebbian::{
    prelude::*,
    rules::{
        Activation, AntiHebbian, Competition, Criterion, Gate, GroupOrder, Lateral, Neighborhood,
        Recombination, Recurrence, Similarity, Surround, Teacher, Variance,
    },
};

use super::{Layer, Memory, Patch, memory::Shown};

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn similarity(kind: &Similarity, x: &[f64], w: &[f64]) -> f64 {
    let cosine = || if norm(x) * norm(w) == 0.0 { 0.0 } else { dot(x, w) / norm(x) / norm(w) };
    match *kind {
        Similarity::Dot => dot(x, w),
        Similarity::Projection => dot(x, w) / norm(w),
        Similarity::Cosine => cosine(),
        Similarity::RaisedCosine { power } => ((cosine() + 1.0) / 2.0).powf(power),
        Similarity::Gaussian { sigma } => {
            let variance = sigma.map_or(x.len() as f64, |sigma| sigma * sigma);
            let distance: f64 = x.iter().zip(w).map(|(x, w)| (x - w).powi(2)).sum();
            (-distance / (2.0 * variance)).exp()
        }
        Similarity::Lebesgue { p } => {
            x.iter().zip(w).map(|(x, w)| w.signum() * w.abs().powf(p - 1.0) * x).sum()
        }
        _ => panic!("oracle: {kind:?}"),
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Similarities convolved over positions.
pub(super) fn surround<At: AsRef<[usize]>>(kind: &Surround, patches: &mut [Patch<At>]) {
    let Surround::DifferenceOfGaussians { size, center_sigma, surround_sigma } = *kind else { return };
    let axes = patches[0].at.as_ref().len();
    let extends = |axis: usize| patches.iter().any(|patch| patch.at.as_ref()[axis] > 0);
    let extended = (0..axes).filter(|axis| extends(*axis)).count() as i32;
    let gaussian = |squared: f64, sigma: f64| {
        (-squared / (2.0 * sigma * sigma)).exp()
            / ((2.0 * std::f64::consts::PI).sqrt() * sigma).powi(extended)
    };
    let difference = |squared: f64| gaussian(squared, center_sigma) - gaussian(squared, surround_sigma);
    let modulated = |patch: &Patch<At>, k: usize| {
        let neighbors =
            patches.iter().filter(|other| other.image == patch.image && other.group == patch.group);
        let pull = |other: &Patch<At>| {
            let offsets = patch.at.as_ref().iter().zip(other.at.as_ref()).map(|(a, b)| a.abs_diff(*b));
            if offsets.clone().any(|offset| offset > size / 2) {
                return 0.0;
            }
            let squared = offsets.map(|offset| (offset * offset) as f64).sum();
            let h = if extended == 0 { 1.0 } else { difference(squared) / difference(0.0) };
            h * other.s[k]
        };
        neighbors.map(pull).sum()
    };
    let all: Vec<Vec<f64>> =
        patches.iter().map(|patch| (0..patch.s.len()).map(|k| modulated(patch, k)).collect()).collect();
    patches.iter_mut().zip(all).for_each(|(patch, s)| patch.s = s);
}

/// What holds for all patches of a step.
pub(super) struct Scene<'a> {
    rule: &'a Rule,
    memory: Memory,
    per_group: usize,
}

impl<'a> Scene<'a> {
    /// Running moments are updated by the step before they are used.
    pub(super) fn new(rule: &'a Rule, layer: &Layer, memory: &Memory, shown: &Shown) -> Self {
        let (mut memory, per_group) = (memory.clone(), layer.neurons_per_group());
        if let Variance::Running { momentum, .. } = rule.variance {
            for (moments, s) in memory.variance.iter_mut().zip(&shown.s) {
                *moments = Memory::moved(*moments, s, momentum);
            }
        }
        if let Competition::AdaptiveSoftmax { momentum, .. } = rule.competition {
            for (group, moments) in memory.spread.iter_mut().enumerate() {
                let all: Vec<f64> = shown.s[group * per_group..(group + 1) * per_group].concat();
                *moments = Memory::moved(*moments, &all, momentum);
            }
        }
        Self { rule, memory, per_group }
    }

    /// `σ f((s − μ) / σ + μ)`, and `f′`.
    fn activate(&self, s: &[f64], group: usize) -> Vec<[f64; 2]> {
        let neuron = |k: usize| group * self.per_group + k;
        let scale = |k: usize| match self.rule.variance {
            Variance::Running { epsilon, .. } => {
                let [mean, variance] = self.memory.variance[neuron(k)];
                (mean, (variance + epsilon).sqrt())
            }
            _ => (0.0, 1.0),
        };
        let u: Vec<f64> = (0..s.len())
            .map(|k| {
                let (mean, sigma) = scale(k);
                (s[k] - mean) / sigma + mean
            })
            .collect();
        let active = |k: usize| match self.rule.activation {
            Activation::AdaptiveScore { criterion, .. } => {
                let tanh = u[k].tanh();
                let sub = sub_gaussian(criterion, self.memory.moments[neuron(k)]);
                if sub { [u[k] - tanh, tanh * tanh] } else { [tanh, 1.0 - tanh * tanh] }
            }
            _ => activation(&self.rule.activation, &u, k),
        };
        (0..s.len())
            .map(|k| {
                let [y, slope] = active(k);
                [y * scale(k).1, slope]
            })
            .collect()
    }

    /// The outcome of the competition.
    fn compete(&self, s: &[f64], y: &[f64], t: &[f64], group: usize) -> Vec<f64> {
        let neurons = group * self.per_group..(group + 1) * self.per_group;
        match self.rule.competition {
            Competition::AdaptiveSoftmax { temperature, .. } => {
                let deviation = self.memory.spread[group][1].sqrt();
                let kind = Competition::Softmax { temperature: temperature * deviation };
                competition(&kind, s, y, t)
            }
            Competition::AntiHebbian(AntiHebbian { gain, steps, .. }) => {
                let (inhibition, thresholds) =
                    (&self.memory.inhibition[neurons.clone()], &self.memory.thresholds[neurons]);
                let respond = |k: usize, inhibited: f64| {
                    1.0 / (1.0 + (-gain * (s[k] + inhibited - thresholds[k])).exp())
                };
                let mut z: Vec<f64> = (0..s.len()).map(|k| respond(k, 0.0)).collect();
                for _ in 0..steps {
                    let next = |k: usize| (z[k] + respond(k, dot(&inhibition[k], &z))) / 2.0;
                    z = (0..s.len()).map(next).collect();
                }
                z.iter().zip(t).map(|(z, t)| if *t == 0.0 { 0.0 } else { *z }).collect()
            }
            _ => competition(&self.rule.competition, s, y, t),
        }
    }
}

fn sub_gaussian(criterion: Criterion, [squares, second, third]: [f64; 3]) -> bool {
    match criterion {
        Criterion::Kurtosis => second - 3.0 * squares * squares < 0.0,
        _ => third * squares - second < 0.0,
    }
}

/// `f(s_k)` and `f′(s_k)` of neuron `k` of a group.
fn activation(kind: &Activation, s: &[f64], k: usize) -> [f64; 2] {
    let power = |s: f64, p: f64| if s > 0.0 { [s.powf(p), p * s.powf(p - 1.0)] } else { [0.0, 0.0] };
    let tanh = s[k].tanh();
    match *kind {
        Activation::Linear => [s[k], 1.0],
        Activation::Relu => power(s[k], 1.0),
        Activation::Tanh => [tanh, 1.0 - tanh * tanh],
        Activation::Repu { power: p } => power(s[k], p),
        Activation::HardSigmoid { slope } => {
            let y = slope * s[k];
            [y.clamp(0.0, 1.0), if y > 0.0 && y < 1.0 { slope } else { 0.0 }]
        }
        Activation::Sigmoid { slope, threshold } => {
            let y = 1.0 / (1.0 + (-slope * (s[k] - threshold)).exp());
            [y, slope * y * (1.0 - y)]
        }
        Activation::Triangle { power: p } => power(s[k] - s.iter().sum::<f64>() / s.len() as f64, p),
        Activation::Score { sub_gaussian } => {
            let lasts = (sub_gaussian * s.len() as f64).round() as usize;
            if k + lasts >= s.len() { [s[k] - tanh, tanh * tanh] } else { [tanh, 1.0 - tanh * tanh] }
        }
        _ => panic!("oracle: {kind:?}"),
    }
}

fn winners(s: &[f64], allowed: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..s.len()).filter(|&i| allowed[i] != 0.0).collect();
    // 0 and −0 tie
    order.sort_by(|&a, &b| s[b].partial_cmp(&s[a]).expect("scores are finite"));
    order.truncate(k);
    order
}

fn shares(weights: Vec<f64>) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| if sum == 0.0 { 0.0 } else { weight / sum }).collect()
}

fn competition(kind: &Competition, s: &[f64], y: &[f64], t: &[f64]) -> Vec<f64> {
    match *kind {
        Competition::None => vec![1.0; s.len()],
        Competition::Activity => y.to_vec(),
        Competition::KWinners { k, losers } => {
            let winners = winners(s, t, k);
            (0..s.len()).map(|i| if winners.contains(&i) { 1.0 } else { losers }).collect()
        }
        Competition::Softmax { temperature } => {
            let top = s.iter().copied().fold(f64::MIN, f64::max);
            shares(s.iter().zip(t).map(|(s, t)| ((s - top) / temperature).exp() * t).collect())
        }
        Competition::SignedSoftmax { temperature } => {
            let winner = winners(s, t, 1);
            let sign = |k: usize| if winner.contains(&k) { 1.0 } else { -1.0 };
            let soft = competition(&Competition::Softmax { temperature }, s, y, t);
            soft.into_iter().enumerate().map(|(k, share)| sign(k) * share).collect()
        }
        Competition::Ranked { k, delta } => {
            let order = winners(s, t, k);
            let value = |neuron: usize| match order.iter().position(|winner| *winner == neuron) {
                Some(0) => 1.0,
                Some(rank) if rank + 1 == k => -delta,
                _ => 0.0,
            };
            (0..s.len()).map(value).collect()
        }
        Competition::PowerSoftmax { power } => {
            shares(s.iter().zip(t).map(|(s, t)| s.max(0.0).powf(1.0 / power) * t).collect())
        }
        _ => panic!("oracle: {kind:?}"),
    }
}

/// The teacher of every neuron of the layer.
pub(super) fn teacher(kind: &Teacher, row: Option<&[f64]>, neurons: usize) -> Vec<f64> {
    let row = || row.expect("oracle: teacher");
    match *kind {
        Teacher::Ignored => vec![1.0; neurons],
        Teacher::PerNeuron => row().to_vec(),
        Teacher::ClassGroups { classes, per_class, order } => {
            let free = neurons - classes * per_class;
            let of_class = |i: usize| {
                if i < classes * per_class { row()[i / per_class] } else { 1.0 }
            };
            match order {
                GroupOrder::ClassesFirst => (0..neurons).map(of_class).collect(),
                GroupOrder::FreeFirst => {
                    (0..neurons).map(|i| if i < free { 1.0 } else { row()[(i - free) / per_class] }).collect()
                }
            }
        }
        _ => panic!("oracle: {kind:?}"),
    }
}

/// What one patch shows one group.
pub(super) struct Seen<'a> {
    x: &'a [f64],
    w: &'a [&'a [f64]],
    s: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// After lateral feedback.
    z: Vec<f64>,
    /// Before lateral feedback.
    pub(super) outcome: Vec<f64>,
    pub(super) g: Vec<f64>,
}

impl Seen<'_> {
    /// What neuron `k` learns from the patch, before weights and sums.
    pub(super) fn contribution(&self, kind: &Recurrence, k: usize, third: f64) -> Vec<f64> {
        (0..self.x.len()).map(|f| self.change(kind, k, f, self.g[k] * third)).collect()
    }

    /// From the coefficient `c` of neuron `k` to its weight of input `f`.
    fn change(&self, kind: &Recurrence, k: usize, f: usize, c: f64) -> f64 {
        let Self { x, w, s, y, z, .. } = self;
        let (x, own) = (x[f], w[k][f]);
        let sum = |count: usize, r: &dyn Fn(usize) -> f64| (0..count).map(|j| r(j) * w[j][f]).sum::<f64>();
        match *kind {
            Recurrence::None => c * x,
            Recurrence::Instar => c * (x - own),
            Recurrence::SignedInstar => c * x - c.abs() * own,
            Recurrence::Outstar => x * (c - own),
            Recurrence::Oja => c * (x - y[k] * own),
            Recurrence::Subspace => c * (x - sum(w.len(), &|j| y[j])),
            Recurrence::Sanger => c * (x - sum(k + 1, &|j| y[j])),
            Recurrence::Ica { hierarchical, normalized, recombination } => {
                let r = |j: usize| if recombination == Recombination::Activity { y[j] * s[j] } else { s[j] };
                let u = z[k] * sum(if hierarchical { k + 1 } else { w.len() }, &r);
                c * (if normalized { 0.0 } else { own } - u)
            }
            _ => panic!("oracle: {kind:?}"),
        }
    }
}

/// The initial radius of a neighborhood.
fn radius(kind: &Lateral) -> f64 {
    let Lateral::Map { size, sigma, .. } = kind else { return 1.0 };
    sigma.unwrap_or(size.iter().map(|size| (size - 1) / 2).max().unwrap_or(0).max(1) as f64)
}

/// The winners' coefficients spread over the map, by the radius after so many steps.
fn lateral(kind: &Lateral, z: Vec<f64>, steps: f64) -> Vec<f64> {
    let Lateral::Map { size, neighborhood, tau, .. } = kind else { return z };
    let start = self::radius(kind);
    let sigma = start * start.max(1.0).powf(-steps / tau);
    let radius = |axis: usize| (size[axis] as isize - 1) / 2;
    let place = |mut neuron: usize| {
        let mut place = vec![0; size.len()];
        for axis in (0..size.len()).rev() {
            (place[axis], neuron) = ((neuron % size[axis]) as isize, neuron / size[axis]);
        }
        place
    };
    let kernel = |p: usize, q: usize| {
        let offsets: Vec<isize> = place(q).iter().zip(place(p)).map(|(q, p)| q - p).collect();
        let reached =
            |axis: usize| (-radius(axis)..size[axis] as isize - radius(axis)).contains(&offsets[axis]);
        if !(0..size.len()).all(reached) {
            return 0.0;
        }
        let d = offsets.iter().map(|offset| offset.abs()).max().unwrap_or(0) as f64;
        let gauss = (-d * d / (2.0 * sigma * sigma)).exp();
        let exponential = (-d / sigma).exp();
        match neighborhood {
            Neighborhood::Gaussian => gauss,
            Neighborhood::Exponential => exponential,
            Neighborhood::DifferenceOfGaussians => 2.0 * gauss - gauss.sqrt(),
            Neighborhood::DifferenceOfExponentials => 2.0 * exponential - exponential.sqrt(),
            _ => panic!("oracle: {neighborhood:?}"),
        }
    };
    let gathered = |p: usize| (0..z.len()).map(|q| kernel(p, q) * z[q]).sum::<f64>().clamp(-1.0, 1.0);
    (0..z.len()).map(gathered).collect()
}

fn gate(kind: Gate, z: f64, y: f64, slope: f64, soft: f64, theta: f64) -> f64 {
    match kind {
        Gate::One => 1.0,
        Gate::Competition => z,
        Gate::Hebb => z * y,
        Gate::Derivative => z * y * slope,
        Gate::Difference => z - y,
        Gate::SoftmaxDifference => z - soft,
        Gate::Bcm { .. } => z * y * (y - theta),
        _ => panic!("oracle: {kind:?}"),
    }
}

/// What a group makes of a patch.
pub(super) fn see<'a>(
    scene: &Scene,
    x: &'a [f64],
    s: &[f64],
    w: &'a [&'a [f64]],
    t: &[f64],
    group: usize,
) -> Seen<'a> {
    let Scene { rule, memory, per_group } = scene;
    let neurons = group * per_group..(group + 1) * per_group;
    let active = scene.activate(s, group);
    let y: Vec<f64> = active.iter().zip(t).map(|([y, _], t)| y * t).collect();
    let present = memory.present(rule, neurons.clone());
    let allowed: Vec<f64> = t.iter().zip(&present).map(|(t, present)| t * present).collect();
    let outcome = scene.compete(s, &y, &allowed, group);
    let outcome: Vec<f64> = outcome.iter().zip(&present).map(|(z, present)| z * present).collect();
    let z = lateral(&rule.lateral, outcome.clone(), memory.steps);
    let soft = competition(&Competition::Softmax { temperature: 1.0 }, s, &y, &vec![1.0; s.len()]);
    let theta = &memory.theta[neurons];
    let coefficient = |k: usize| gate(rule.gate, z[k], y[k], active[k][1], soft[k], theta[k]) * t[k];
    let g = (0..s.len()).map(coefficient).collect();
    Seen { x, w, s: s.to_vec(), y, z, outcome, g }
}
