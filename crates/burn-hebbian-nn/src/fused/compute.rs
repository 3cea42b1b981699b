//! The arithmetic of one fused pass, and how its threads share it.

use std::{mem::take, ops::Range};

use pulp::{Arch, Simd, WithSimd};

use super::{
    few,
    job::Job,
    panels::{pack, unpack},
    pointwise::inverse_norm,
    products::{STEP, width},
    tiles::Tiling,
    worker::{Worker, total},
};
use crate::parallel;

impl Job {
    /// The responses, `[images, groups · neurons, positions]`; the correlation, less what decays; and the other
    /// [sums](Self::sums): apart, so that these few do not keep its memory.
    pub(super) fn compute(&self, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        Arch::new().dispatch(Compute { job: self, x, w })
    }

    /// [`compute`](Self::compute) by certain instructions.
    fn compute_by<S: Simd>(&self, simd: S, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        match self.rule.as_ref().filter(|_| self.has_few_patches()) {
            Some(rule) => few::compute(simd, self, rule, x, w),
            None => self.compute_by_tiles(simd, x, w),
        }
    }

    fn compute_by_tiles<S: Simd>(&self, simd: S, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        let threads = parallel::threads();
        let tiling = self.tiling(threads);
        let shares = tiling.share(threads);
        let panel = [tiling.features(), width::<S>()];
        let (packed, energies) = pack(simd, w, [self.neurons, self.fan_in()], panel);
        let inverse_norms: Vec<f32> = energies.into_iter().map(inverse_norm).collect();
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
        let mut partials = parallel::map(workers.collect(), |worker| simd.vectorize(worker));
        drop(packed);
        if self.rule.is_none() {
            return [dot, Vec::new(), Vec::new()];
        }
        let decay = total(partials.iter_mut().map(|partial| take(&mut partial.decay)));
        let mass = total(partials.iter_mut().map(|partial| take(&mut partial.mass)));
        let mut correlation = vec![0.0; self.groups * self.neurons * self.fan_in()];
        let parts: Vec<&[f32]> = partials.iter().map(|partial| &partial.correlation[..]).collect();
        unpack(simd, &parts, panel, &mut correlation, [self.neurons, self.fan_in()], |neuron, rows| {
            self.subtract_decay(neuron, rows, w, &decay);
        });
        let mut gram = vec![0.0; self.sums().gram.len()];
        let parts: Vec<&[f32]> = partials.iter().map(|partial| &partial.gram[..]).collect();
        let partners = self.neurons.next_multiple_of(STEP);
        unpack(simd, &parts, [partners, panel[1]], &mut gram, [self.neurons; 2], |neuron, rows| {
            self.mask(neuron, rows);
        });
        [dot, correlation, self.collect(&mass, &gram)]
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

#[cfg(test)]
mod tests {
    use burn_hebbian_core::{Activation, LocalRule, RecurrenceMask, Rule, WeightLayout};
    use pulp::{Scalar, Scalar128b, Scalar256b};

    use super::{
        super::pointwise::{Neurons, Patch, Pointwise},
        *,
    };
    use crate::window::Window;

    const WINDOW: Window = Window {
        groups: 1,
        kernel: [1, 3, 3],
        stride: [1; 3],
        padding: [(0, 0), (1, 1), (1, 1)],
        dilation: [1; 3],
    };

    fn numbers(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    fn assert_same(name: &str, got: &[Vec<f32>; 3], expected: &[Vec<f32>; 3]) {
        for (got, expected) in got.iter().zip(expected) {
            let largest = expected.iter().fold(1e-3, |largest: f32, value| largest.max(value.abs()));
            assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() <= 1e-5 * largest, "{name}: {got} for {expected}");
            }
        }
    }

    /// Vectors of other lengths and fewer registers than this machine's, also those of AVX2 where it has them.
    #[test]
    fn all_instructions_compute_the_same() {
        let layout = WeightLayout { groups: 1, before: 1, neurons: 37, after: 45 };
        let (x, w) = (numbers(4 * 5 * 9 * 11, 0.37), numbers(37 * 45, 0.71));
        for rule in [Rule::swta(), Rule::hpca(Activation::Relu), Rule::soft_hebb(0.5)] {
            let stages = Pointwise::of(rule.pointwise().expect("pointwise")).expect("can be fused");
            let job = Job::new(WINDOW, [4, 5, 9, 11], &layout, Some(stages));
            let expected = job.compute(&x, &w);
            let same = |name: &str, got: [Vec<f32>; 3]| assert_same(name, &got, &expected);
            same("one lane", job.compute_by(Scalar, &x, &w));
            same("four lanes", job.compute_by(Scalar128b, &x, &w));
            same("eight lanes", job.compute_by(Scalar256b, &x, &w));
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                same("AVX2", job.compute_by(avx2, &x, &w));
            }
        }
    }

    /// Neurons shared by threads and patches shared by them give the same, by all instructions.
    #[test]
    fn few_patches_teach_what_many_do() {
        let layout = WeightLayout { groups: 1, before: 1, neurons: 37, after: 30 * 9 };
        let (x, w) = (numbers(2 * 30 * 9 * 11, 0.37), numbers(37 * 270, 0.71));
        for rule in [Rule::swta(), Rule::hpca(Activation::Relu), Rule::subspace(), Rule::soft_hebb(0.5)] {
            let stages = Pointwise::of(rule.pointwise().expect("pointwise")).expect("can be fused");
            let job = Job::new(WINDOW, [2, 30, 9, 11], &layout, Some(stages.clone()));
            assert!(job.has_few_patches());
            let expected = job.compute_by_tiles(Scalar, &x, &w);
            let same = |name: &str, got: [Vec<f32>; 3]| assert_same(name, &got, &expected);
            same("one lane", few::compute(Scalar, &job, &stages, &x, &w));
            same("four lanes", few::compute(Scalar128b, &job, &stages, &x, &w));
            same("eight lanes", few::compute(Scalar256b, &job, &stages, &x, &w));
            same("this machine", job.compute(&x, &w));
        }
    }

    /// What neurons take from few patches comes to the same as `K W` with the `K` of the same coefficients and activities.
    #[test]
    fn neurons_take_what_k_says() {
        let neurons = 61;
        let layout = WeightLayout { groups: 1, before: 1, neurons, after: 30 * 9 };
        let (x, w) = (numbers(30 * 3 * 4, 0.37), numbers(neurons * 270, 0.71));
        for rule in [Rule::sanger(), Rule::hpca(Activation::Relu), Rule::subspace()] {
            let stages = Pointwise::of(rule.pointwise().expect("pointwise")).expect("can be fused");
            let job = Job::new(WINDOW, [1, 30, 3, 4], &layout, Some(stages.clone()));
            assert!(job.takes());
            let [dot, mut correlation, _] = job.compute_by_tiles(Scalar, &x, &w);
            let mut k = vec![0.0; neurons * neurons];
            let [mut decay, mut mass] = [(); 2].map(|()| vec![0.0; neurons]);
            for p in 0..12 {
                let mut c: Vec<f32> = dot.iter().skip(p).step_by(12).copied().collect();
                let mut y = vec![0.0; neurons];
                let mut sums = Neurons { inverse_norms: &[], decay: &mut decay, mass: &mut mass };
                stages.hold(Patch { energy: 0.0, values: &mut c, activity: &mut y }, &mut sums);
                for (place, k) in k.iter_mut().enumerate() {
                    *k += f64::from(c[place / neurons]) * f64::from(y[place % neurons]);
                }
            }
            let interacts = |neuron: usize, other: usize| {
                job.recurrence() == Some(RecurrenceMask::Full) || other <= neuron
            };
            for (place, sum) in correlation.iter_mut().enumerate() {
                let (neuron, feature) = (place / 270, place % 270);
                let others = (0..neurons).filter(|other| interacts(neuron, *other));
                let taken = others.map(|j| k[neuron * neurons + j] * f64::from(w[j * 270 + feature]));
                *sum = (f64::from(*sum) - taken.sum::<f64>()) as f32;
            }
            let expected = [dot, correlation, Vec::new()];
            let same = |name: &str, got: [Vec<f32>; 3]| assert_same(name, &got, &expected);
            same("one lane", few::compute(Scalar, &job, &stages, &x, &w));
            same("four lanes", few::compute(Scalar128b, &job, &stages, &x, &w));
            same("eight lanes", few::compute(Scalar256b, &job, &stages, &x, &w));
            same("this machine", job.compute(&x, &w));
        }
    }
}
