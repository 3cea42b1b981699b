//! The arithmetic of a step, in one pass over sums and weights.

use burn_hebbian_core::WeightLayout;
use pulp::Arch;

use super::rows::{parts_of, shares};
use crate::parallel;

/// What is done to sums before they are subtracted.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    pub(super) layout: WeightLayout,
    /// Of every neuron, or one for all; none divides by nothing.
    pub(super) mass: Vec<f32>,
    pub(super) factors: [f32; 2],
}

impl Steps {
    /// Values of one neuron that lie in succession, or one value of every neuron.
    fn run(&self) -> usize {
        if self.layout.after > 1 { self.layout.after } else { self.layout.neurons }
    }

    /// What the values of a run are divided by: each by its own, all by one, or by nothing.
    fn divisors(&self, run: usize) -> &[f32] {
        let WeightLayout { before, neurons, after, .. } = self.layout;
        if self.mass.len() < 2 {
            return &self.mass;
        }
        if after > 1 {
            let neuron = run / (before * neurons) * neurons + run % neurons;
            return &self.mass[neuron..=neuron];
        }
        &self.mass[run / before * neurons..][..neurons]
    }

    /// Gives `f` what turns the `i`-th value of a run into what is subtracted.
    #[inline(always)]
    fn of_run(&self, run: usize, f: &mut impl Run) {
        let [first, second] = self.factors;
        match self.divisors(run) {
            [] => f.run(|_, sum| sum * first * second),
            [mass] => f.run(|_, sum| sum / mass * first * second),
            masses => f.run(|i, sum| sum / masses[i] * first * second),
        }
    }
}

/// What is done to a run.
trait Run {
    fn run(&mut self, one: impl Fn(usize, f32) -> f32);
}

/// `weights − (sums as they are subtracted) · rate`, in place.
pub(super) fn descend(weights: &mut [f32], sums: &[f32], steps: &Steps, rate: f32) {
    let run = steps.run();
    let runs = weights.len() / run;
    parallel::map(parts_of(weights, runs), |(runs, part)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (at, weights) in runs.zip(part.chunks_exact_mut(run)) {
                    steps.lower(at, weights, &sums[at * run..][..run], rate);
                }
            },
        );
    });
}

impl Steps {
    /// One run of the weights after the step, in place.
    #[inline(always)]
    pub(super) fn lower(&self, run: usize, weights: &mut [f32], sums: &[f32], rate: f32) {
        self.of_run(run, &mut Lower { weights, sums, rate });
    }
}

struct Lower<'a> {
    weights: &'a mut [f32],
    sums: &'a [f32],
    rate: f32,
}

impl Run for Lower<'_> {
    #[inline(always)]
    fn run(&mut self, one: impl Fn(usize, f32) -> f32) {
        for (i, (weight, sum)) in self.weights.iter_mut().zip(self.sums).enumerate() {
            *weight -= one(i, *sum) * self.rate;
        }
    }
}

/// 0 if every value is finite as it is subtracted, NaN otherwise.
pub(super) fn flag(sums: &[f32], steps: &Steps) -> f32 {
    let run = steps.run();
    let parts = shares(sums.len() / run, sums.len());
    let flags = parallel::map(parts, |runs| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let mut zeros = Zeros { sums, lanes: [0.0; LANES] };
                for at in runs {
                    zeros.sums = &sums[at * run..][..run];
                    steps.of_run(at, &mut zeros);
                }
                zeros.lanes.iter().sum::<f32>()
            },
        )
    });
    flags.into_iter().sum()
}

/// Values that are looked at side by side.
const LANES: usize = 16;

/// Sums of zeros, unless a value is not finite.
struct Zeros<'a> {
    sums: &'a [f32],
    lanes: [f32; LANES],
}

impl Run for Zeros<'_> {
    #[inline(always)]
    fn run(&mut self, one: impl Fn(usize, f32) -> f32) {
        let mut lanes = self.lanes;
        let (chunks, rest) = self.sums.as_chunks::<LANES>();
        for (place, chunk) in chunks.iter().enumerate() {
            for i in 0..LANES {
                lanes[i] += one(place * LANES + i, chunk[i]) * 0.0;
            }
        }
        for (i, (lane, sum)) in lanes.iter_mut().zip(rest).enumerate() {
            *lane += one(chunks.len() * LANES + i, *sum) * 0.0;
        }
        self.lanes = lanes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one operation after the other, for every layout: to the bit.
    #[test]
    fn every_layout_descends_as_by_loops() {
        for [groups, before, neurons, after] in [[2, 1, 3, 5], [1, 7, 4, 1], [2, 3, 2, 4], [2, 3, 5, 1]] {
            let layout = WeightLayout { groups, before, neurons, after };
            let count = layout.num_elements();
            let numbers = |step: f32| (0..count).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
            let (weights, sums) = (numbers(0.3), numbers(0.7));
            let all: Vec<f32> = (0..groups * neurons).map(|k| 1.5 + k as f32).collect();
            for mass in [vec![], vec![3.0], all] {
                let steps = Steps { layout, mass: mass.clone(), factors: [0.3, -0.9] };
                let mut stepped = weights.clone();
                descend(&mut stepped, &sums, &steps, 0.1);
                for i in 0..count {
                    let neuron = i / (before * neurons * after) * neurons + i / after % neurons;
                    let divided = match mass.len() {
                        0 => sums[i],
                        1 => sums[i] / mass[0],
                        _ => sums[i] / mass[neuron],
                    };
                    assert_eq!(stepped[i], weights[i] - divided * 0.3 * -0.9 * 0.1, "{layout:?}, {i}");
                }
                assert_eq!(flag(&sums, &steps), 0.0);
                let mut broken = sums.clone();
                broken[count - 1] = f32::INFINITY;
                assert!(flag(&broken, &steps).is_nan());
            }
        }
    }
}
