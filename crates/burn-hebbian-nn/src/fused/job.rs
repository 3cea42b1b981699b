//! One fused pass: its sizes, whether it pays, and how its threads share it.

use std::ops::Range;

use burn::tensor::Tensor;
use burn_hebbian_core::{RecurrenceMask, WeightLayout};
use pulp::{Arch, Simd, WithSimd};

use super::{
    Fused, extension,
    panels::{pack, unpack},
    pointwise::{Pointwise, inverse_norm},
    products::{STEP, width},
    tiles::Tiling,
    worker::{Partial, Worker},
};
use crate::{
    geometry::{Window, spatial},
    parallel,
};

/// The sizes of one fused pass.
#[derive(Debug, Clone)]
pub(super) struct Job {
    window: Window,
    images: usize,
    pub(super) groups: usize,
    /// In a group.
    channels: usize,
    /// In a group.
    pub(super) neurons: usize,
    input: [usize; 3],
    /// What is learned on the way, if anything.
    pub(super) rule: Option<Pointwise>,
}

/// Where the sums beside the correlation lie in their vector.
struct Sums {
    decay: Range<usize>,
    mass: Range<usize>,
    /// The last.
    gram: Range<usize>,
}

impl Sums {
    fn len(&self) -> usize {
        self.gram.end
    }
}

impl Job {
    pub(super) fn new<const X: usize>(
        window: Window,
        x: [usize; X],
        layout: &WeightLayout,
        rule: Option<Pointwise>,
    ) -> Self {
        let WeightLayout { groups, neurons, .. } = *layout;
        Self { window, images: x[0], groups, channels: x[1] / groups, neurons, input: spatial(x), rule }
    }

    fn fan_in(&self) -> usize {
        self.channels * self.window.kernel.iter().product::<usize>()
    }

    /// Positions of an image.
    fn positions(&self) -> usize {
        self.window.output(self.input).iter().product()
    }

    fn tiling(&self, threads: usize) -> Tiling {
        Tiling::new(&self.window, self.images, [self.channels, self.neurons], self.input, threads)
    }

    fn sums(&self) -> Sums {
        let neurons = self.groups * self.neurons;
        let has = |sum: fn(&Pointwise) -> bool| self.rule.as_ref().is_some_and(sum);
        let decay = 0..if has(Pointwise::has_decay) { neurons } else { 0 };
        let mass = decay.end..decay.end + if has(Pointwise::has_mass) { neurons } else { 0 };
        let gram = mass.end..mass.end + self.recurrence().map_or(0, |_| neurons * self.neurons);
        Sums { decay, mass, gram }
    }

    /// Which neurons of a group interact, if any do.
    pub(super) fn recurrence(&self) -> Option<RecurrenceMask> {
        self.rule.as_ref().and_then(Pointwise::recurrence)
    }

    /// Whether this is faster than one operation after the other, as far as it was measured: where vectors have several
    /// lanes, there are neurons to fill them and patches to outweigh the reordering of weights, and a tile is small.
    pub(super) fn pays(&self) -> bool {
        /// Numbers of a tile: 8 MB.
        const LARGEST: usize = 1 << 21;
        let patches = self.images * self.positions();
        let (neurons, fan_in) = (self.neurons, self.fan_in());
        // a fused pass has one form of a recurrence, by the Gram matrix of K² values
        let multiplications = neurons * (patches + fan_in);
        let recurs_well = match self.recurrence() {
            None => true,
            Some(RecurrenceMask::LowerTriangle) => multiplications <= 7 * patches * fan_in,
            Some(_) => 2 * multiplications <= 7 * patches * fan_in,
        };
        // a kernel of one tap is a product without unfolding, at which Burn is better
        let responds_well = patches >= 400 && fan_in > self.channels;
        Arch::new().dispatch(Width) >= 8
            && neurons >= 8
            && patches >= 64
            && recurs_well
            && (self.rule.is_some() || responds_well)
            && self.tiling(1).numbers() <= LARGEST
    }

    /// The responses alone.
    pub(super) fn respond<const X: usize, const W: usize>(self, x: Tensor<X>, w: Tensor<W>) -> Tensor<X> {
        let dims = self.output(x.dims());
        let [dot, ..] = extension::run(x, w, self);
        dot.reshape(dims)
    }

    /// Dimensions of the responses.
    fn output<const X: usize>(&self, mut dims: [usize; X]) -> [usize; X] {
        dims[1] = self.groups * self.neurons;
        dims[2..].copy_from_slice(&self.window.output(self.input)[5 - X..]);
        dims
    }

    pub(super) fn run<const X: usize, const W: usize>(self, x: Tensor<X>, w: Tensor<W>) -> Fused<X> {
        let dims = self.output(x.dims());
        let parts = self.sums();
        let [groups, neurons] = [self.groups, self.neurons];
        let mask = self.recurrence();
        let [dot, correlation, sums] = extension::run(x, w, self);
        let part = |range: Range<usize>| sums.clone().narrow(0, range.start, range.len());
        let vector =
            |range: Range<usize>| (!range.is_empty()).then(|| part(range).reshape([groups, neurons]));
        Fused {
            dot: dot.reshape(dims),
            correlation,
            decay: vector(parts.decay),
            gram: mask.map(|mask| (part(parts.gram).reshape([groups, neurons, neurons]), mask)),
            mass: vector(parts.mass),
        }
    }

    /// The responses, `[images, groups · neurons, positions]`, the correlation, and the other [sums](Self::sums): apart, so
    /// that these few do not keep its memory.
    pub(super) fn compute(&self, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        Arch::new().dispatch(Compute { job: self, x, w })
    }

    /// [`compute`](Self::compute) by certain instructions.
    fn compute_by<S: Simd>(&self, simd: S, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        let threads = parallel::threads();
        let tiling = self.tiling(threads);
        let shares = tiling.share(threads);
        let panel = [tiling.features(), width::<S>()];
        let packed = pack(w, [self.neurons, self.fan_in()], panel);
        let inverse_norms: Vec<f32> =
            w.chunks_exact(self.fan_in()).map(|w| inverse_norm(energy(w))).collect();
        let mut dot = vec![0.0; self.images * self.groups * self.neurons * self.positions()];
        let rows = self.rows(&mut dot, &tiling, &shares);
        let workers = shares.iter().zip(rows).map(|(slices, rows)| Worker {
            job: self,
            tiling: &tiling,
            x,
            w: &packed,
            inverse_norms: &inverse_norms,
            slices: slices.clone(),
            rows,
        });
        let partials = parallel::map(workers.collect(), |worker| simd.vectorize(worker));
        drop(packed);
        if self.rule.is_none() {
            return [dot, Vec::new(), Vec::new()];
        }
        let total = partials.into_iter().reduce(Partial::merge).expect("there is a thread");
        let (correlation, sums) = self.collect(total, panel);
        [dot, correlation, sums]
    }

    /// The correlation and the other sums, in the order of neurons.
    fn collect(&self, total: Partial, [features, width]: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
        let (parts, neurons) = (self.sums(), self.neurons);
        let mut correlation = vec![0.0; self.groups * neurons * self.fan_in()];
        unpack(&total.correlation, [features, width], &mut correlation, [neurons, self.fan_in()]);
        let mut sums = vec![0.0; parts.len()];
        for (part, total) in [(parts.decay, total.decay), (parts.mass, total.mass)] {
            for (sum, total) in sums[part].iter_mut().zip(total) {
                *sum = total as f32;
            }
        }
        let gram = &mut sums[parts.gram];
        unpack(&total.gram, [neurons.next_multiple_of(STEP), width], gram, [neurons, neurons]);
        if self.recurrence() == Some(RecurrenceMask::LowerTriangle) {
            for (neuron, row) in gram.chunks_exact_mut(neurons).enumerate() {
                row[neuron % neurons + 1..].fill(0.0);
            }
        }
        (correlation, sums)
    }

    /// For every share of slices the rows of the responses that it computes, image by image and neuron by neuron.
    fn rows<'a>(
        &self,
        dot: &'a mut [f32],
        tiling: &Tiling,
        shares: &[Range<usize>],
    ) -> Vec<Vec<&'a mut [f32]>> {
        let mut rows: Vec<_> = shares.iter().map(|_| Vec::new()).collect();
        let per_image = self.groups * self.neurons * self.positions();
        for (image, responses) in dot.chunks_exact_mut(per_image).enumerate() {
            let slices = image * tiling.slices_of_image()..(image + 1) * tiling.slices_of_image();
            let overlaps: Vec<(usize, usize)> = shares
                .iter()
                .map(|share| share.end.min(slices.end).saturating_sub(share.start.max(slices.start)))
                .enumerate()
                .filter(|(_, overlap)| *overlap > 0)
                .collect();
            for mut row in responses.chunks_exact_mut(self.positions()) {
                for (share, overlap) in &overlaps {
                    let (mine, others) = row.split_at_mut(overlap * tiling.slice());
                    rows[*share].push(mine);
                    row = others;
                }
            }
        }
        rows
    }
}

/// [`Job::compute`] by the best instructions that this machine has.
struct Compute<'a> {
    job: &'a Job,
    x: &'a [f32],
    w: &'a [f32],
}

impl WithSimd for Compute<'_> {
    type Output = [Vec<f32>; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [Vec<f32>; 3] {
        self.job.compute_by(simd, self.x, self.w)
    }
}

/// How many neurons are computed together on this machine.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        width::<S>()
    }
}

fn energy(values: &[f32]) -> f32 {
    values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use burn_hebbian_core::{Activation, LocalRule, Rule};
    use pulp::{Scalar, Scalar128b, Scalar256b};

    use super::*;

    /// Vectors of other lengths and fewer registers than this machine's, also those of AVX2 where it has them.
    #[test]
    fn all_instructions_compute_the_same() {
        let window = Window {
            groups: 1,
            kernel: [1, 3, 3],
            stride: [1; 3],
            padding: [(0, 0), (1, 1), (1, 1)],
            dilation: [1; 3],
        };
        let layout = WeightLayout { groups: 1, before: 1, neurons: 37, after: 45 };
        let numbers =
            |count: usize, step: f32| -> Vec<f32> { (0..count).map(|i| (i as f32 * step).sin()).collect() };
        let (x, w) = (numbers(4 * 5 * 9 * 11, 0.37), numbers(37 * 45, 0.71));
        for rule in [Rule::swta(), Rule::hpca(Activation::Relu), Rule::soft_hebb(0.5)] {
            let stages = Pointwise::of(rule.pointwise().expect("pointwise")).expect("can be fused");
            let job = Job::new(window, [4, 5, 9, 11], &layout, Some(stages));
            let expected = job.compute(&x, &w);
            let same = |name: &str, got: [Vec<f32>; 3]| {
                for (got, expected) in got.iter().zip(&expected) {
                    let largest = expected.iter().fold(1e-3, |largest: f32, value| largest.max(value.abs()));
                    assert_eq!(got.len(), expected.len());
                    for (got, expected) in got.iter().zip(expected) {
                        assert!((got - expected).abs() <= 1e-5 * largest, "{name}: {got} for {expected}");
                    }
                }
            };
            same("one lane", job.compute_by(Scalar, &x, &w));
            same("four lanes", job.compute_by(Scalar128b, &x, &w));
            same("eight lanes", job.compute_by(Scalar256b, &x, &w));
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                same("AVX2", job.compute_by(avx2, &x, &w));
            }
        }
    }
}
