//! What stateful stages keep between steps, one number after the other.

use burn_hebbian::{
    prelude::*,
    rules::{Abstention, Activation, AntiHebbian, Competition, Criterion, Gate, Variance},
};

use super::{layer::Layer, stages::mean};

/// The state of every stage; a stage that keeps none ignores its part.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Running mean and variance of each neuron's similarity.
    pub(super) variance: Vec<[f64; 2]>,
    /// Running means of each unit's criterion.
    pub(super) moments: Vec<[f64; 3]>,
    /// Wins of each neuron.
    victories: Vec<f64>,
    /// The three parts of each neuron's random stream.
    streams: Vec<[u64; 3]>,
    /// Patches of the last step.
    patches: f64,
    /// Running mean and variance of each group's similarities.
    pub(super) spread: Vec<[f64; 2]>,
    /// Inhibition of each neuron by the others of its group.
    pub(super) inhibition: Vec<Vec<f64>>,
    /// Threshold of each neuron's learned inhibition.
    pub(super) thresholds: Vec<f64>,
    /// Steps that the neighborhood has shrunk for.
    pub(super) steps: f64,
    /// Running mean of each neuron's squared activity.
    pub(super) theta: Vec<f64>,
}

/// What one step showed, per neuron and patch.
pub(super) struct Shown {
    pub(super) s: Vec<Vec<f64>>,
    pub(super) y: Vec<Vec<f64>>,
    pub(super) z: Vec<Vec<f64>>,
}

impl Memory {
    /// At the start of training.
    pub fn new(rule: &Rule, layer: &Layer) -> Self {
        let neurons = layer.neurons();
        let seed = match rule.abstention {
            Abstention::Random { seed } => seed,
            _ => 0,
        };
        let stream = |k: usize| [0, 1, 2].map(|part| hash(seed, 3 * k + part) % (MODULI[part] - 1) + 1);
        Self {
            variance: vec![[0.0, 1.0]; neurons],
            moments: vec![[0.0; 3]; neurons],
            victories: vec![0.0; neurons],
            streams: (0..neurons).map(stream).collect(),
            patches: 0.0,
            spread: vec![[0.0, 1.0]; layer.groups],
            inhibition: vec![vec![0.0; layer.neurons_per_group()]; neurons],
            thresholds: vec![0.0; neurons],
            steps: 0.0,
            theta: vec![0.0; neurons],
        }
    }

    /// Running mean and variance moved towards those of `values`; one value alone is squared against the old mean.
    pub(super) fn moved([old_mean, old_variance]: [f64; 2], values: &[f64], momentum: f64) -> [f64; 2] {
        let batch_mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - batch_mean).powi(2)).sum();
        let unbiased = match values {
            [value] => (value - old_mean).powi(2) * (1.0 - momentum / 2.0),
            _ => squares / (values.len() as f64 - 1.0),
        };
        let blend = |old: f64, new: f64| (1.0 - momentum) * old + momentum * new;
        [blend(old_mean, batch_mean), blend(old_variance, unbiased)]
    }

    /// Whether each neuron of a group takes part.
    pub(super) fn present(&self, rule: &Rule, members: std::ops::Range<usize>) -> Vec<f64> {
        if rule.abstention == Abstention::None {
            return vec![1.0; members.len()];
        }
        let most = members.clone().map(|k| self.victories[k]).fold(0.0, f64::max);
        let share = self.patches / members.len() as f64;
        let takes_part = |k: usize| {
            let parts = self.streams[k].iter().zip(MODULI).map(|(at, modulus)| *at as f64 / modulus as f64);
            let draw = parts.sum::<f64>().fract();
            if draw >= self.victories[k] / (most + share).max(1.0) { 1.0 } else { 0.0 }
        };
        members.map(takes_part).collect()
    }

    /// The state after a step: of a blank one, what averages over patches stays.
    pub(super) fn step(&mut self, rule: &Rule, layer: &Layer, shown: &Shown, blank: bool) {
        if !blank {
            self.average(rule, layer, shown);
        }
        let (per_group, patches) = (layer.neurons_per_group(), shown.s[0].len() as f64);
        for k in 0..layer.neurons() {
            self.victories[k] += shown.z[k].iter().map(|z| z.max(0.0)).sum::<f64>();
            let stream = &mut self.streams[k];
            *stream = [0, 1, 2].map(|part| stream[part] * MULTIPLIERS[part] % MODULI[part]);
        }
        for group in 0..layer.groups {
            let members = group * per_group..(group + 1) * per_group;
            let least = members.clone().map(|k| self.victories[k]).fold(f64::INFINITY, f64::min);
            members.clone().for_each(|k| self.victories[k] -= least);
        }
        self.patches = patches;
        self.steps += 1.0;
    }

    fn average(&mut self, rule: &Rule, layer: &Layer, shown: &Shown) {
        let (per_group, patches) = (layer.neurons_per_group(), shown.s[0].len() as f64);
        for k in 0..layer.neurons() {
            let (s, y) = (&shown.s[k], &shown.y[k]);
            if let Variance::Running { momentum, .. } = rule.variance {
                self.variance[k] = Self::moved(self.variance[k], s, momentum);
            }
            if let Activation::AdaptiveScore { criterion, momentum } = rule.activation {
                let of = |f: &dyn Fn(f64) -> f64| s.iter().map(|s| f(*s)).sum::<f64>() / patches;
                let new = match criterion {
                    Criterion::Kurtosis => [of(&|s| s * s), of(&|s| s.powi(4)), 0.0],
                    _ => [of(&|s| s * s), of(&|s| s * s.tanh()), of(&|s| 1.0 - s.tanh().powi(2))],
                };
                for (old, new) in self.moments[k].iter_mut().zip(new) {
                    *old += momentum * (new - *old);
                }
            }
            if let Gate::Bcm { momentum } = rule.gate {
                let squares = y.iter().map(|y| y * y).sum::<f64>() / patches;
                self.theta[k] += momentum * (squares - self.theta[k]);
            }
        }
        for group in 0..layer.groups {
            let members = group * per_group..(group + 1) * per_group;
            if let Competition::AdaptiveSoftmax { momentum, .. } = rule.competition {
                let all: Vec<f64> = members.clone().flat_map(|k| shown.s[k].clone()).collect();
                self.spread[group] = Self::moved(self.spread[group], &all, momentum);
            }
            if let Competition::AntiHebbian(AntiHebbian { target, rate, threshold_rate, .. }) =
                rule.competition
            {
                for (i, k) in members.clone().enumerate() {
                    for (j, other) in members.clone().enumerate().filter(|(j, _)| *j != i) {
                        let pairs: f64 = shown.z[k].iter().zip(&shown.z[other]).map(|(a, b)| a * b).sum();
                        let inhibition = &mut self.inhibition[k][j];
                        *inhibition = (*inhibition - rate * (pairs / patches - target * target)).min(0.0);
                    }
                    self.thresholds[k] += threshold_rate * (mean(&shown.z[k]) - target);
                }
            }
        }
    }
}

/// Wichmann and Hill's generator.
const MODULI: [u64; 3] = [30269, 30307, 30323];
const MULTIPLIERS: [u64; 3] = [171, 172, 170];

/// SplitMix64.
fn hash(seed: u64, index: usize) -> u64 {
    let mut z = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
