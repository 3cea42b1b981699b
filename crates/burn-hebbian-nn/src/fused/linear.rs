//! The fused pass of a linear layer on few images: two passes over its weights.
//!
//! Weights of `[fan-in, neurons]` are read once for responses and norms, row by row; the rule sees image by image; and the sums
//! of each row are made, less what decays, and written while its weights are at hand. Where neurons interact, each learns from
//! what those before it (or all) leave of the input, `Σ c_k (x − Σ_j y_j w_j)`: a row knows all it takes.

use burn_hebbian_core::RecurrenceMask;
use pulp::{Arch, Simd, WithSimd};

use super::pointwise::{Neurons, Patch, Pointwise, inverse_norm};
use crate::parallel;

/// Images up to which weights cost more than arithmetic.
const FEW: usize = 32;

/// Neurons that are computed side by side.
const LANES: usize = 16;

/// Inputs whose weights are worked on together.
const ROWS: usize = 4;

type Lanes = [f32; LANES];

/// The sizes of one fused pass, and what is learned in it.
#[derive(Debug, Clone)]
pub(super) struct LinearJob {
    images: usize,
    fan_in: usize,
    pub(super) neurons: usize,
    pub(super) rule: Pointwise,
}

impl LinearJob {
    /// If there are so few images that it pays.
    pub(super) fn new<const X: usize>(x: [usize; X], neurons: usize, rule: Pointwise) -> Option<Self> {
        let (images, fan_in) = (x[0], x[1]);
        let suits = X == 2 && images <= FEW;
        suits.then_some(Self { images, fan_in, neurons, rule })
    }

    /// The responses `[images, neurons]`; `Σ c_k x` less what decays and what other neurons take, `[fan-in, neurons]`; and
    /// the mass.
    pub(super) fn compute(&self, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        let (mut dot, energies) = self.respond(x, w);
        let responses = dot.clone();
        let inverse_norms: Vec<f32> = energies.into_iter().map(inverse_norm).collect();
        let [mut decay, mut mass] = [(); 2].map(|()| vec![0.0; self.neurons]);
        let mut activities = vec![0.0; dot.len()];
        let images = dot.chunks_exact_mut(self.neurons).zip(activities.chunks_exact_mut(self.neurons));
        for ((values, activity), x) in images.zip(x.chunks_exact(self.fan_in)) {
            let energy = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() as f32;
            let patch = Patch { energy, values, activity };
            let neurons = Neurons { inverse_norms: &inverse_norms, decay: &mut decay, mass: &mut mass };
            Arch::new().dispatch(Hold { rule: &self.rule, patch, neurons });
        }
        let taught = Taught {
            c: &dot,
            decay: &decay,
            activities: &activities,
            within: self.within(&dot, &activities),
        };
        let correlation = self.correlate(x, w, &taught);
        [responses, correlation, mass]
    }

    /// Responses and `‖w_k‖²`.
    fn respond(&self, x: &[f32], w: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let share = self.fan_in.div_ceil(parallel::threads()).next_multiple_of(ROWS);
        let shares = w.chunks(share * self.neurons).enumerate();
        let shares: Vec<_> = shares.map(|(share_of, w)| (share_of * share, w)).collect();
        let parts = parallel::map_many(w.len(), shares, |(first, w)| {
            let mut sums = vec![0.0; self.images * self.neurons];
            let mut energies = vec![0.0; self.neurons];
            Arch::new().dispatch(Respond {
                job: self,
                x,
                w,
                first,
                sums: &mut sums,
                energies: &mut energies,
            });
            (sums, energies)
        });
        let add = |(mut sums, mut energies): (Vec<f32>, Vec<f32>), (more, others): (Vec<f32>, Vec<f32>)| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            energies.iter_mut().zip(others).for_each(|(energy, other)| *energy += other);
            (sums, energies)
        };
        parts.into_iter().reduce(add).unwrap_or_default()
    }

    /// How the neurons of a block take from each other, if those before a neuron do: for each of them, as it was before, how
    /// much it takes from each of its block, itself included.
    fn within(&self, c: &[f32], activities: &[f32]) -> Vec<Lanes> {
        if self.rule.recurrence() != Some(RecurrenceMask::LowerTriangle) {
            return Vec::new();
        }
        let mut within = vec![[0.0; LANES]; self.neurons];
        for (j, takes) in within.iter_mut().enumerate() {
            let start = j / LANES * LANES;
            let lanes = start..self.neurons.min(start + LANES);
            for (c, y) in c.chunks_exact(self.neurons).zip(activities.chunks_exact(self.neurons)) {
                add_products(takes, &[-y[j]; LANES], &load(&c[lanes.clone()]));
            }
            takes[..j - start].fill(0.0);
        }
        within
    }

    fn correlate(&self, x: &[f32], w: &[f32], taught: &Taught) -> Vec<f32> {
        let mut sums = vec![0.0; w.len()];
        let share = self.fan_in.div_ceil(4 * parallel::threads()).next_multiple_of(ROWS) * self.neurons;
        let shares = sums.chunks_mut(share).zip(w.chunks(share)).enumerate();
        let shares: Vec<_> =
            shares.map(|(place, (sums, w))| (place * share / self.neurons, sums, w)).collect();
        parallel::map_many(w.len(), shares, |(first, sums, w)| {
            Arch::new().dispatch(Correlate { job: self, x, w, taught, first, sums });
        });
        sums
    }
}

/// The rule on one image.
struct Hold<'a> {
    rule: &'a Pointwise,
    patch: Patch<'a>,
    neurons: Neurons<'a>,
}

impl WithSimd for Hold<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        self.rule.hold(self.patch, &mut self.neurons);
    }
}

/// Responses to some inputs, the first of which has a number, and norms of their weights.
struct Respond<'a> {
    job: &'a LinearJob,
    x: &'a [f32],
    w: &'a [f32],
    first: usize,
    sums: &'a mut [f32],
    energies: &'a mut [f32],
}

impl WithSimd for Respond<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { job, x, w, first, sums, energies } = self;
        for (block, w) in w.chunks(ROWS * job.neurons).enumerate() {
            let (input, rows) = (first + block * ROWS, w.len() / job.neurons);
            for start in (0..job.neurons).step_by(LANES) {
                let lanes = start..job.neurons.min(start + LANES);
                let mut weights = [[0.0; LANES]; ROWS];
                let mut energy = load(&energies[lanes.clone()]);
                for (weights, w) in weights.iter_mut().zip(w.chunks_exact(job.neurons)) {
                    *weights = load(&w[lanes.clone()]);
                    add_products(&mut energy, weights, weights);
                }
                store(energy, &mut energies[lanes.clone()]);
                for image in 0..job.images {
                    let x = &x[image * job.fan_in + input..][..rows];
                    let place = &mut sums[image * job.neurons..][lanes.clone()];
                    let mut sum = load(place);
                    for (x, weights) in x.iter().zip(&weights) {
                        add_products(&mut sum, &[*x; LANES], weights);
                    }
                    store(sum, place);
                }
            }
        }
    }
}

/// What the rule made of all images.
struct Taught<'a> {
    /// Coefficients, `[images, neurons]`.
    c: &'a [f32],
    /// The diagonal of `K`.
    decay: &'a [f32],
    /// `[images, neurons]`.
    activities: &'a [f32],
    /// See [`LinearJob::within`].
    within: Vec<Lanes>,
}

/// The sums of some inputs, the first of which has a number.
struct Correlate<'a> {
    job: &'a LinearJob,
    x: &'a [f32],
    w: &'a [f32],
    taught: &'a Taught<'a>,
    first: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { job, x, w, taught, first, sums } = self;
        let neurons = job.neurons;
        let recurrence = job.rule.recurrence();
        let starts = || (0..neurons).step_by(LANES);
        // of every image, the inputs of a block of rows, less what neurons have taken
        let mut left = vec![[0.0; ROWS]; job.images];
        let blocks = w.chunks(ROWS * neurons).zip(sums.chunks_mut(ROWS * neurons));
        for (block, (w, sums)) in blocks.enumerate() {
            let (input, rows) = (first + block * ROWS, w.len() / neurons);
            for (image, left) in left.iter_mut().enumerate() {
                left[..rows].copy_from_slice(&x[image * job.fan_in + input..][..rows]);
            }
            if recurrence == Some(RecurrenceMask::Full) {
                for start in starts() {
                    take(&mut left, taught.activities, w, neurons, start);
                }
            }
            for start in starts() {
                let lanes = start..neurons.min(start + LANES);
                let mut totals = [[0.0; LANES]; ROWS];
                for (total, w) in totals.iter_mut().zip(w.chunks_exact(neurons)) {
                    if recurrence == Some(RecurrenceMask::LowerTriangle) {
                        for (takes, w) in taught.within[lanes.clone()].iter().zip(&w[lanes.clone()]) {
                            add_products(total, takes, &[*w; LANES]);
                        }
                    } else {
                        let decay = load(&taught.decay[lanes.clone()]).map(|decay| -decay);
                        add_products(total, &decay, &load(&w[lanes.clone()]));
                    }
                }
                for (left, c) in left.iter().zip(taught.c.chunks_exact(neurons)) {
                    let c = load(&c[lanes.clone()]);
                    for (total, x) in totals.iter_mut().zip(left) {
                        add_products(total, &[*x; LANES], &c);
                    }
                }
                for (total, sums) in totals.iter().zip(sums.chunks_exact_mut(neurons)) {
                    store(*total, &mut sums[lanes.clone()]);
                }
                if recurrence == Some(RecurrenceMask::LowerTriangle) {
                    take(&mut left, taught.activities, w, neurons, start);
                }
            }
        }
    }
}

/// Takes `Σ_j y_j w_j` of a block of neurons from what is left of every image at some inputs.
#[inline(always)]
fn take(left: &mut [[f32; ROWS]], activities: &[f32], w: &[f32], neurons: usize, start: usize) {
    let lanes = start..neurons.min(start + LANES);
    let mut weights = [[0.0; LANES]; ROWS];
    for (weights, w) in weights.iter_mut().zip(w.chunks_exact(neurons)) {
        *weights = load(&w[lanes.clone()]);
    }
    for (left, y) in left.iter_mut().zip(activities.chunks_exact(neurons)) {
        let y = load(&y[lanes.clone()]);
        for (left, weights) in left.iter_mut().zip(&weights) {
            *left -= product(&y, weights);
        }
    }
}

/// `Σ_i a_i b_i`.
#[inline(always)]
fn product(a: &Lanes, b: &Lanes) -> f32 {
    let mut sums = [0.0; LANES];
    add_products(&mut sums, a, b);
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    sums[0]
}

#[inline(always)]
fn add_products(sums: &mut Lanes, a: &Lanes, b: &Lanes) {
    for i in 0..LANES {
        sums[i] += a[i] * b[i];
    }
}

/// Some numbers, and zeros.
#[inline(always)]
fn load(numbers: &[f32]) -> Lanes {
    match numbers.first_chunk() {
        Some(lanes) => *lanes,
        None => {
            let mut lanes = [0.0; LANES];
            lanes[..numbers.len()].copy_from_slice(numbers);
            lanes
        }
    }
}

#[inline(always)]
fn store(lanes: Lanes, to: &mut [f32]) {
    match to.first_chunk_mut() {
        Some(to) => *to = lanes,
        None => to.copy_from_slice(&lanes[..to.len()]),
    }
}

#[cfg(test)]
mod tests {
    use burn_hebbian_core::{Activation, LocalRule, Rule};

    use super::*;

    /// Sizes that fill no block, against loops in twice the precision.
    #[test]
    fn sums_are_those_of_loops() {
        let numbers =
            |count: usize, step: f32| -> Vec<f32> { (0..count).map(|i| (i as f32 * step).sin()).collect() };
        for (images, fan_in, neurons) in [(1, 1, 2), (3, 5, 17), (2, 70, 130), (32, 9, 33)] {
            let (x, w) = (numbers(images * fan_in, 0.37), numbers(fan_in * neurons, 0.71));
            let rules = [Rule::swta(), Rule::hebb(), Rule::oja(), Rule::soft_hebb(0.5)];
            let recurrent = [Rule::hpca(Activation::Relu), Rule::sanger(), Rule::subspace()];
            for rule in rules.into_iter().chain(recurrent) {
                let stages = Pointwise::of(rule.pointwise().expect("pointwise")).expect("can be fused");
                let job = LinearJob::new([images, fan_in], neurons, stages.clone()).expect("few images");
                let [dot, correlation, mass] = job.compute(&x, &w);
                let at = |i: usize, k: usize| -> f64 {
                    let products = |f: usize| f64::from(x[i * fan_in + f]) * f64::from(w[f * neurons + k]);
                    (0..fan_in).map(products).sum()
                };
                for (place, dot) in dot.iter().enumerate() {
                    assert!((f64::from(*dot) - at(place / neurons, place % neurons)).abs() < 1e-5);
                }
                // the same rule on the responses, neuron by neuron
                let norm = |k: usize| (0..fan_in).map(|f| w[f * neurons + k].powi(2)).sum::<f32>();
                let inverse_norms: Vec<f32> = (0..neurons).map(|k| inverse_norm(norm(k))).collect();
                let [mut decay, mut total] = [(); 2].map(|()| vec![0.0; neurons]);
                let (mut c, mut y) = (dot.clone(), vec![0.0; dot.len()]);
                let rows = c.chunks_exact_mut(neurons).zip(y.chunks_exact_mut(neurons));
                for ((values, activity), x) in rows.zip(x.chunks_exact(fan_in)) {
                    let energy = x.iter().map(|x| x * x).sum();
                    let mut sums =
                        Neurons { inverse_norms: &inverse_norms, decay: &mut decay, mass: &mut total };
                    stages.hold(Patch { energy, values, activity }, &mut sums);
                }
                for (place, got) in correlation.iter().enumerate() {
                    let (f, k) = (place / neurons, place % neurons);
                    let products = |i: usize| f64::from(x[i * fan_in + f]) * f64::from(c[i * neurons + k]);
                    let taken = |j: usize| -> f64 {
                        let k_j = |i: usize| f64::from(c[i * neurons + k]) * f64::from(y[i * neurons + j]);
                        (0..images).map(k_j).sum::<f64>() * f64::from(w[f * neurons + j])
                    };
                    let others = match stages.recurrence() {
                        None => 0..0,
                        Some(RecurrenceMask::LowerTriangle) => 0..k + 1,
                        Some(_) => 0..neurons,
                    };
                    let exact = (0..images).map(products).sum::<f64>()
                        - f64::from(decay[k]) * f64::from(w[place])
                        - others.map(taken).sum::<f64>();
                    assert!(
                        (f64::from(*got) - exact).abs() < 1e-4 * exact.abs().max(1.0),
                        "{got} for {exact}"
                    );
                }
                assert!(mass.iter().zip(&total).all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0)));
            }
        }
    }
}
