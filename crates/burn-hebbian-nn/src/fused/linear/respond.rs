//! The first pass over the weights: responses and norms, and what the rule makes of them.

use pulp::{Arch, Simd, WithSimd};

use super::{
    LinearJob, ROWS,
    lanes::{LANES, add_products, load, store},
};
use crate::{
    fused::pointwise::{Neurons, Patch, Pointwise, inverse_norm},
    parallel,
};

impl LinearJob {
    /// The responses `[images, neurons]`; what the [products](super::Products) need of the rule, coefficients, activities if
    /// neurons interact, the diagonal of `K` and `‖w_k‖`; and the mass.
    pub(in crate::fused) fn compute(&self, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        let (mut dot, energies) = self.respond(x, w);
        let responses = dot.clone();
        let norms = energies.iter().map(|energy| energy.sqrt());
        let inverse_norms: Vec<f32> = energies.iter().map(|energy| inverse_norm(*energy)).collect();
        let [mut decay, mut mass] = [(); 2].map(|()| vec![0.0; self.neurons]);
        let mut activities = vec![0.0; dot.len()];
        let images = dot.chunks_exact_mut(self.neurons).zip(activities.chunks_exact_mut(self.neurons));
        for ((values, activity), x) in images.zip(x.chunks_exact(self.fan_in)) {
            let energy = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() as f32;
            let patch = Patch { energy, values, activity };
            let neurons = Neurons { inverse_norms: &inverse_norms, decay: &mut decay, mass: &mut mass };
            Arch::new().dispatch(Hold { rule: &self.rule, patch, neurons });
        }
        let mut taught = dot;
        if self.rule.recurrence().is_some() {
            taught.extend(activities);
        }
        taught.extend(decay);
        taught.extend(norms);
        [responses, taught, mass]
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
