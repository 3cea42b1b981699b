//! Rules of spikes as loops over scalars in f64: no folding, no filters, step after step.

use burn_hebbian::rules::{Decay, Dependence, Jump, Pairs, Trace};

use super::Layer;

/// Trains of both sides, `[steps · presentations, ..]` row by row, time outermost.
#[derive(Debug, Clone, Copy)]
pub struct Trains<'a> {
    /// Steps of each presentation.
    pub steps: usize,
    /// What the layer sees.
    pub pre: &'a [f64],
    /// What its neurons do: images, neurons, positions.
    pub post: &'a [f64],
    /// The third factor of each image.
    pub reward: &'a [f64],
}

/// Traces after every step.
pub fn traces(trace: &Trace, spikes: &[f64], steps: usize) -> Vec<f64> {
    let factor = match trace.decay {
        Decay::Linear => 1.0 - 1.0 / trace.tau,
        Decay::Exponential => (-1.0 / trace.tau).exp(),
    };
    let width = spikes.len() / steps;
    let mut now = vec![0.0; width];
    let mut all = Vec::new();
    for step in spikes.chunks(width) {
        for (trace_now, spike) in now.iter_mut().zip(step) {
            *trace_now = match trace.jump {
                Jump::Set if *spike == 1.0 => 1.0,
                Jump::Set => factor * *trace_now,
                Jump::Add(amount) => factor * *trace_now + amount * spike,
            };
        }
        all.extend(&now);
    }
    all
}

/// `ΔW` (ascent) of STDP by pairs with fixed weights, in the layout of the layer's weight.
pub fn pairs(rule: &Pairs, layer: &Layer, trains: Trains, w: &[f64]) -> Vec<f64> {
    let before = traces(&rule.pre, trains.pre, trains.steps);
    let after = traces(&rule.post, trains.post, trains.steps);
    let w = layer.by_neuron(w);
    let mut delta = vec![0.0; w.len()];
    let (fan_in, per_group) = (layer.fan_in(), layer.neurons_per_group());
    let positions: Vec<_> = layer.positions().collect();
    for image in 0..layer.input[0] {
        for neuron in 0..layer.neurons() {
            for (p, at) in positions.iter().enumerate() {
                let cell = (image * layer.neurons() + neuron) * positions.len() + p;
                let spikes = layer.patch(trains.pre, image, neuron / per_group, *at);
                let traced = layer.patch(&before, image, neuron / per_group, *at);
                for tap in 0..fan_in {
                    let [up, down] = rates(rule, w[neuron * fan_in + tap]);
                    let change = up * traced[tap] * trains.post[cell] - down * spikes[tap] * after[cell];
                    delta[neuron * fan_in + tap] += trains.reward[image] * change;
                }
            }
        }
    }
    layer.as_weight(&delta)
}

/// `f₊` and `f₋` of a weight.
fn rates(rule: &Pairs, w: f64) -> [f64; 2] {
    match rule.dependence {
        Dependence::None => [rule.plus, rule.minus],
        Dependence::Weight => [rule.plus * w, rule.minus * w],
        Dependence::Soft { min, max, exponent } => {
            [rule.plus * (max - w).max(0.0).powf(exponent), rule.minus * (w - min).max(0.0).powf(exponent)]
        }
        _ => panic!("no oracle for this dependence"),
    }
}

/// Who of a first-spike layer learns.
#[derive(Debug, Clone, Copy)]
pub struct Contest {
    /// Neurons spike above it.
    pub threshold: f64,
    /// The most winners of an image.
    pub k: usize,
    /// What a winner takes out of the running.
    pub radius: usize,
    /// Whether one neuron a position is left before.
    pub inhibition: bool,
}

/// A winner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Winner {
    /// The presentation.
    pub presentation: usize,
    /// The step of its spike.
    pub step: usize,
    /// The neuron, all groups together.
    pub neuron: usize,
    /// The output position, row by row.
    pub position: usize,
}

/// Potentials of a first-spike layer: images, neurons, positions.
pub fn potentials(layer: &Layer, wave: &[f64], w: &[f64]) -> Vec<f64> {
    let w = layer.by_neuron(w);
    let fan_in = layer.fan_in();
    let mut potentials = Vec::new();
    for image in 0..layer.input[0] {
        for neuron in 0..layer.neurons() {
            for at in layer.positions() {
                let patch = layer.patch(wave, image, neuron / layer.neurons_per_group(), at);
                let weights = &w[neuron * fan_in..(neuron + 1) * fan_in];
                potentials.push(patch.iter().zip(weights).map(|(x, w)| x * w).sum());
            }
        }
    }
    potentials
}

/// The winners of each presentation, in the order in which they win.
pub fn winners(contest: &Contest, layer: &Layer, steps: usize, potentials: &[f64]) -> Vec<Winner> {
    let positions: Vec<_> = layer.positions().collect();
    let presentations = layer.input[0] / steps;
    let cells = layer.neurons() * positions.len();
    let mut all = Vec::new();
    for presentation in 0..presentations {
        let at = |step: usize, cell: usize| potentials[(step * presentations + presentation) * cells + cell];
        // the step of the first spike and the potential then
        let first = |cell: usize| {
            let step = (0..steps).find(|step| at(*step, cell) > contest.threshold)?;
            Some((step, at(step, cell), cell))
        };
        let better = |a: &(usize, f64, usize), b: &(usize, f64, usize)| {
            a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2))
        };
        let mut alive: Vec<_> = (0..cells).filter_map(first).collect();
        if contest.inhibition {
            let count = positions.len();
            let best = |p: usize| alive.iter().filter(|spike| spike.2 % count == p).copied().min_by(better);
            let kept = (0..count).filter_map(best);
            alive = kept.collect();
        }
        for _ in 0..contest.k {
            let Some((step, _, cell)) = alive.iter().copied().min_by(better) else { break };
            let (neuron, position) = (cell / positions.len(), cell % positions.len());
            all.push(Winner { presentation, step, neuron, position });
            let near =
                |a: [usize; 3], b: [usize; 3]| (0..3).all(|axis| a[axis].abs_diff(b[axis]) <= contest.radius);
            alive.retain(|(_, _, other)| {
                let blanked =
                    contest.radius > 0 && near(positions[other % positions.len()], positions[position]);
                other / positions.len() != neuron && !blanked
            });
        }
    }
    all
}

/// `ΔW` (ascent) of rank-order STDP before its bounds, in the layout of the layer's weight; `rates` are those of each presentation.
pub fn rank_order(
    layer: &Layer,
    steps: usize,
    wave: &[f64],
    winners: &[Winner],
    rates: &[[f64; 2]],
) -> Vec<f64> {
    let positions: Vec<_> = layer.positions().collect();
    let (fan_in, presentations) = (layer.fan_in(), layer.input[0] / steps);
    let mut delta = vec![0.0; layer.neurons() * fan_in];
    for winner in winners {
        let image = winner.step * presentations + winner.presentation;
        let group = winner.neuron / layer.neurons_per_group();
        let patch = layer.patch(wave, image, group, positions[winner.position]);
        let [plus, minus] = rates[winner.presentation];
        for (tap, spiked) in patch.into_iter().enumerate() {
            delta[winner.neuron * fan_in + tap] += if spiked == 1.0 { plus } else { minus };
        }
    }
    layer.as_weight(&delta)
}
