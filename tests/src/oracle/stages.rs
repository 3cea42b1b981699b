//! The stages of a rule, for one patch and the neurons of one group.

use burn_hebbian::prelude::*;

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn similarity(kind: &Similarity, x: &[f64], w: &[f64]) -> f64 {
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

/// `f(s_k)` and `f′(s_k)` of neuron `k` of a group.
fn activation(kind: &Activation, s: &[f64], k: usize) -> [f64; 2] {
    let power = |s: f64, p: f64| if s > 0.0 { [s.powf(p), p * s.powf(p - 1.0)] } else { [0.0, 0.0] };
    let tanh = s[k].tanh();
    match *kind {
        Activation::Linear => [s[k], 1.0],
        Activation::Relu => power(s[k], 1.0),
        Activation::Tanh => [tanh, 1.0 - tanh * tanh],
        Activation::Repu { power: p } => power(s[k], p),
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
    order.sort_by(|&a, &b| s[b].total_cmp(&s[a]));
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
    y: Vec<f64>,
    z: Vec<f64>,
    pub(super) g: Vec<f64>,
}

impl Seen<'_> {
    /// What neuron `k` learns from the patch, before weights and sums.
    pub(super) fn contribution(&self, kind: &Recurrence, k: usize) -> Vec<f64> {
        (0..self.x.len()).map(|f| self.change(kind, k, f)).collect()
    }

    fn change(&self, kind: &Recurrence, k: usize, f: usize) -> f64 {
        let Self { x, w, s, y, z, g } = self;
        let (x, own) = (x[f], w[k][f]);
        let sum = |count: usize, r: &dyn Fn(usize) -> f64| (0..count).map(|j| r(j) * w[j][f]).sum::<f64>();
        match *kind {
            Recurrence::None => g[k] * x,
            Recurrence::Instar => g[k] * (x - own),
            Recurrence::SignedInstar => g[k] * x - g[k].abs() * own,
            Recurrence::Outstar => x * (g[k] - own),
            Recurrence::Oja => g[k] * (x - y[k] * own),
            Recurrence::Subspace => g[k] * (x - sum(w.len(), &|j| y[j])),
            Recurrence::Sanger => g[k] * (x - sum(k + 1, &|j| y[j])),
            Recurrence::Ica { hierarchical, normalized, recombination } => {
                let r = |j: usize| if recombination == Recombination::Activity { y[j] * s[j] } else { s[j] };
                let u = z[k] * sum(if hierarchical { k + 1 } else { w.len() }, &r);
                g[k] * (if normalized { 0.0 } else { own } - u)
            }
            _ => panic!("oracle: {kind:?}"),
        }
    }
}

/// The winners' coefficients spread over the map, with the kernels of the first step.
fn lateral(kind: &Lateral, z: Vec<f64>) -> Vec<f64> {
    let Lateral::Map { size, neighbourhood, sigma, .. } = kind else { return z };
    let radius = |axis: usize| (size[axis] as isize - 1) / 2;
    let sigma = sigma.unwrap_or((0..size.len()).map(radius).max().unwrap_or(0).max(1) as f64);
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
        match neighbourhood {
            Neighbourhood::Gaussian => gauss,
            Neighbourhood::Exponential => exponential,
            Neighbourhood::DifferenceOfGaussians => 2.0 * gauss - gauss.sqrt(),
            Neighbourhood::DifferenceOfExponentials => 2.0 * exponential - exponential.sqrt(),
            _ => panic!("oracle: {neighbourhood:?}"),
        }
    };
    let gathered = |p: usize| (0..z.len()).map(|q| kernel(p, q) * z[q]).sum::<f64>().clamp(-1.0, 1.0);
    (0..z.len()).map(gathered).collect()
}

fn gate(kind: Gate, z: f64, y: f64, slope: f64, soft: f64) -> f64 {
    match kind {
        Gate::One => 1.0,
        Gate::Competition => z,
        Gate::Hebb => z * y,
        Gate::Derivative => z * y * slope,
        Gate::Difference => z - y,
        Gate::SoftmaxDifference => z - soft,
        _ => panic!("oracle: {kind:?}"),
    }
}

/// What group `group` makes of a patch.
pub(super) fn see<'a>(rule: &Rule, x: &'a [f64], w: &'a [&'a [f64]], t: &[f64]) -> Seen<'a> {
    let s: Vec<f64> = w.iter().map(|w| similarity(&rule.similarity, x, w)).collect();
    let active: Vec<[f64; 2]> = (0..s.len()).map(|k| activation(&rule.activation, &s, k)).collect();
    let y: Vec<f64> = active.iter().zip(t).map(|([y, _], t)| y * t).collect();
    let z = lateral(&rule.lateral, competition(&rule.competition, &s, &y, t));
    let soft = competition(&Competition::Softmax { temperature: 1.0 }, &s, &y, &vec![1.0; s.len()]);
    let g = (0..s.len()).map(|k| gate(rule.gate, z[k], y[k], active[k][1], soft[k]) * t[k]).collect();
    Seen { x, w, s, y, z, g }
}
