//! The sums of neurons that interact, over few patches: `Σ c_k (x − Σ_j y_j w_j)`.
//!
//! A neuron learns from what is left of a patch after those before it and itself have taken what they explain, `y_j w_j`; by
//! the subspace rule, after all have. That is `Σ c_k x − K W` without `K`. Threads share features, of which each keeps its part
//! of the patches and takes from it, panel after panel. Within a panel `K` of its few neurons is faster.

use std::{mem::take, ops::Range};

use burn_hebbian_core::RecurrenceMask;
use pulp::{Simd, bytemuck::cast_slice_mut};

use super::{
    job::Job,
    products::{BLOCK, Lane, Panel, STEP, correlate, width},
    worker::panels_mut,
};

/// What the rule made of some patches.
pub(super) struct Taught<'a, S: Simd> {
    /// The patches, in blocks of positions.
    pub(super) x: &'a [Lane],
    /// Coefficients, panel by panel.
    pub(super) c: &'a [Panel<S>],
    /// So many of every panel.
    pub(super) stride: usize,
    /// Of all neurons, in blocks of positions.
    pub(super) activities: &'a [Lane],
}

/// What one thread sums.
pub(super) struct Part<'a> {
    features: Range<usize>,
    /// Of every neuron, where the sums of these features go.
    rows: Vec<&'a mut [f32]>,
}

/// The features of a correlation for so many threads, in whole steps.
pub(super) fn parts_of<'a>(job: &Job, correlation: &'a mut [f32], threads: usize) -> Vec<Part<'a>> {
    let fan_in = job.fan_in();
    let share = fan_in.div_ceil(threads).next_multiple_of(STEP);
    let starts = (0..fan_in).step_by(share);
    let mut parts: Vec<_> =
        starts.map(|start| Part { features: start..(start + share).min(fan_in), rows: Vec::new() }).collect();
    for row in correlation.chunks_exact_mut(fan_in) {
        for (part, sums) in parts.iter_mut().zip(row.chunks_mut(share)) {
            part.rows.push(sums);
        }
    }
    parts
}

/// Some patches at the features of a part.
struct Left<'a> {
    /// What is left, in blocks of positions.
    x: Vec<Lane>,
    /// Of the neurons of a panel, in blocks of positions.
    activities: Vec<Lane>,
    /// Of all neurons.
    all: &'a [Lane],
}

impl Part<'_> {
    #[inline(always)]
    pub(super) fn sum<S: Simd>(&mut self, simd: S, job: &Job, taught: &[Taught<'_, S>], w: &[f32]) {
        let (width, fan_in) = (width::<S>(), job.fan_in());
        let features = fan_in.next_multiple_of(STEP);
        let count = self.features.len().next_multiple_of(STEP);
        let partners = job.neurons.next_multiple_of(STEP);
        let mut left: Vec<Left> = Vec::with_capacity(taught.len());
        for part in taught {
            let mut x = Vec::with_capacity(part.x.len() / features * count);
            for block in part.x.chunks_exact(features) {
                x.extend_from_slice(&block[self.features.start..][..count]);
            }
            let blocks = x.len() / count;
            left.push(Left { x, activities: vec![[0.0; BLOCK]; blocks * width], all: part.activities });
        }
        let w: Vec<&[f32]> = w.chunks_exact(fan_in).map(|row| &row[self.features.clone()]).collect();
        let is_triangle = job.recurrence() == Some(RecurrenceMask::LowerTriangle);
        if !is_triangle {
            for (panel, w) in w.chunks(width).enumerate() {
                for left in &mut left {
                    left.see(panel * width, width, partners);
                    left.take::<S>(w, count, width);
                }
            }
        }
        let mut sums = vec![0.0; count * width];
        let mut within = vec![0.0; width * width];
        for (panel, w) in w.chunks(width).enumerate() {
            sums.fill(0.0);
            within.fill(0.0);
            for (left, part) in left.iter_mut().zip(taught) {
                let c = &part.c[panel * part.stride..][..part.stride];
                correlate(simd, &left.x, count, c, panels_mut::<S>(&mut sums));
                if is_triangle {
                    left.see(panel * width, width, partners);
                    correlate(simd, &left.activities, width, c, panels_mut::<S>(&mut within));
                }
            }
            if is_triangle {
                subtract(simd, panels_mut::<S>(&mut sums), panels_mut::<S>(&mut within), w);
            }
            self.write(panel * width, &sums, width);
            if is_triangle {
                for left in &mut left {
                    left.take::<S>(w, count, width);
                }
            }
        }
    }

    /// Writes a panel's sums, the first of which is of a neuron with a number.
    #[inline(always)]
    fn write(&mut self, neuron: usize, sums: &[f32], width: usize) {
        /// Features whose sums stay in the cache nearest by.
        const NEAR: usize = 64;
        let count = self.features.len();
        let rows = self.rows.iter_mut().skip(neuron).take(width);
        let mut rows: Vec<&mut [f32]> = rows.map(take).collect();
        for first in (0..count).step_by(NEAR) {
            let features = first..count.min(first + NEAR);
            for (lane, row) in rows.iter_mut().enumerate() {
                let sums = sums[first * width + lane..].iter().step_by(width);
                for (to, sum) in row[features.clone()].iter_mut().zip(sums) {
                    *to = *sum;
                }
            }
        }
    }
}

impl Left<'_> {
    /// Brings the activities of a panel's neurons, from one on, together.
    #[inline(always)]
    fn see(&mut self, neuron: usize, width: usize, partners: usize) {
        let known = width.min(partners - neuron);
        let blocks = self.activities.chunks_exact_mut(width).zip(self.all.chunks_exact(partners));
        for (to, from) in blocks {
            to[..known].copy_from_slice(&from[neuron..][..known]);
            to[known..].fill([0.0; BLOCK]);
        }
    }

    /// Takes `Σ_j y_j w_j` of a panel's neurons.
    #[inline(always)]
    fn take<S: Simd>(&mut self, w: &[&[f32]], count: usize, width: usize) {
        for first in (0..count).step_by(STEP) {
            // beyond the last feature there is nothing to take
            let mut weights = [[0.0; STEP]; MOST];
            for (weights, w) in weights.iter_mut().zip(w) {
                let end = w.len().min(first + STEP);
                weights[..end - first].copy_from_slice(&w[first..end]);
            }
            let weights = &weights[..w.len()];
            for (x, y) in self.x.chunks_exact_mut(count).zip(self.activities.chunks_exact(width)) {
                let x: &mut [Lane; STEP] = x[first..].first_chunk_mut().expect("whole steps");
                let mut rest = *x;
                for (y, weights) in y.iter().zip(weights) {
                    for (rest, weight) in rest.iter_mut().zip(weights) {
                        for (rest, y) in rest.iter_mut().zip(y) {
                            *rest =
                                if S::IS_SCALAR { *rest - weight * y } else { (-weight).mul_add(*y, *rest) };
                        }
                    }
                }
                *x = rest;
            }
        }
    }
}

/// Neurons of the largest panel.
const MOST: usize = 64;

/// Takes from the sums of a panel what its neurons take from each other: those before a neuron, and itself.
///
/// `within` holds `Σ c_k y_j`, neurons `k` along the panel.
#[inline(always)]
fn subtract<S: Simd>(simd: S, sums: &mut [Panel<S>], within: &mut [Panel<S>], w: &[&[f32]]) {
    for (j, takes) in within.iter_mut().enumerate() {
        let lanes: &mut [f32] = cast_slice_mut(takes);
        lanes[..j].fill(0.0);
    }
    let count = w.first().map_or(0, |row| row.len());
    for first in (0..count).step_by(STEP) {
        let end = count.min(first + STEP);
        let mut totals: [Panel<S>; STEP] = *sums[first..].first_chunk().expect("whole steps");
        for (takes, w) in within.iter().zip(w) {
            for (total, weight) in totals.iter_mut().zip(&w[first..end]) {
                let weight = simd.splat_f32s(-weight);
                for (total, takes) in total.iter_mut().zip(takes) {
                    *total = simd.mul_add_f32s(weight, *takes, *total);
                }
            }
        }
        sums[first..first + STEP].copy_from_slice(&totals);
    }
}
