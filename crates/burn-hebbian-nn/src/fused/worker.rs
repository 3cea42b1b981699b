//! What one thread does: its tiles, one after the other.

use std::ops::Range;

use burn_hebbian_core::RecurrenceMask;
use pulp::{Simd, WithSimd, bytemuck::cast_slice};

use super::{
    job::Job,
    pointwise::{Neurons, Patch, Pointwise},
    products::{BLOCK, Lane, Panel, STEP, VECTORS, correlate, respond, width},
    tiles::{Tiling, Unfolded},
};

/// Some slices of the batch.
pub(super) struct Worker<'a> {
    pub(super) job: &'a Job,
    pub(super) tiling: &'a Tiling,
    pub(super) x: &'a [f32],
    /// As [`pack`](super::panels::pack) leaves them.
    pub(super) w: &'a [f32],
    /// `1 / ‖w_k‖` of all neurons.
    pub(super) inverse_norms: &'a [f32],
    pub(super) slices: Range<usize>,
    /// Where the responses go: for every image that the slices touch, and every neuron of it, those of the slices.
    pub(super) rows: Vec<&'a mut [f32]>,
}

/// The sums of one worker.
pub(super) struct Partial {
    /// `[groups, panels, features, width]`.
    pub(super) correlation: Vec<f32>,
    /// As the correlation, with partners in the place of features.
    pub(super) gram: Vec<f32>,
    pub(super) decay: Vec<f64>,
    pub(super) mass: Vec<f64>,
}

/// The sum of what several workers have, in their order.
pub(super) fn total(parts: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let add = |mut sums: Vec<f64>, others: Vec<f64>| {
        sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        sums
    };
    parts.reduce(add).unwrap_or_default()
}

impl WithSimd for Worker<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Partial {
        let (groups, features) = (self.job.groups, self.tiling.features());
        let panels = self.job.neurons.div_ceil(width::<S>());
        let zero = [simd.splat_f32s(0.0); VECTORS];
        let w: &[Panel<S>] = S::as_simd_f32s(self.w).0.as_chunks().0;
        let mut unfolded = Unfolded::new();
        let mut values: Vec<Panel<S>> = Vec::new();
        let rule = self.job.rule.as_ref();
        let mut learning = rule.map(|rule| Learning::new(self.job, rule, self.inverse_norms));
        let zeros = |features: usize| vec![0.0; groups * panels * features * width::<S>()];
        let mut correlation = zeros(if rule.is_some() { features } else { 0 });
        let mut gram = zeros(learning.as_ref().map_or(0, |learning| learning.partners));

        for tile in self.tiling.tiles(self.slices.clone()) {
            let positions = tile.len() * self.tiling.slice();
            let stride = positions.next_multiple_of(BLOCK);
            values.resize(panels * stride, zero);
            for group in 0..groups {
                unfolded.fill(self.tiling, self.x, groups, group, tile.clone());
                let x = &unfolded.blocks[..];
                for panel in 0..panels {
                    let w = &w[(group * panels + panel) * features..][..features];
                    let (s, _) = values[panel * stride..][..stride].as_chunks_mut::<BLOCK>();
                    for (x, s) in x.chunks_exact(features).zip(s) {
                        respond(simd, x, w, s);
                    }
                }
                self.write::<S>(group, tile.clone(), &values, stride);
                let Some(learning) = &mut learning else { continue };
                learning.hold::<S>(group, x, features, &mut values, stride, positions);
                for panel in 0..panels {
                    let c = &values[panel * stride..][..positions];
                    let of_panel = group * panels + panel;
                    let d = &mut panels_mut::<S>(&mut correlation)[of_panel * features..][..features];
                    correlate(simd, x, features, c, d);
                    let partners = learning.partners_before((panel + 1) * width::<S>());
                    let d = &mut panels_mut::<S>(&mut gram)[of_panel * learning.partners..][..partners];
                    correlate(simd, &learning.activities, learning.partners, c, d);
                }
            }
        }
        let (decay, mass) = learning.map(|learning| (learning.decay, learning.mass)).unwrap_or_default();
        Partial { correlation, gram, decay, mass }
    }
}

/// Numbers of whole panels.
#[inline(always)]
pub(super) fn panels_mut<S: Simd>(values: &mut [f32]) -> &mut [Panel<S>] {
    S::as_mut_simd_f32s(values).0.as_chunks_mut().0
}

impl Worker<'_> {
    /// Writes the responses of a tile where they go.
    #[inline(always)]
    fn write<S: Simd>(&mut self, group: usize, tile: Range<usize>, values: &[Panel<S>], stride: usize) {
        let (neurons, groups, slice) = (self.job.neurons, self.job.groups, self.tiling.slice());
        let first = self.slices.start / self.tiling.slices_of_image();
        let skipped = self.slices.start % self.tiling.slices_of_image();
        let mut from = 0;
        for (image, slices) in self.tiling.by_image(tile) {
            let to = (slices.start - if image == first { skipped } else { 0 }) * slice;
            let count = slices.len() * slice;
            let rows = &mut self.rows[((image - first) * groups + group) * neurons..][..neurons];
            for (rows, values) in rows.chunks_mut(width::<S>()).zip(values.chunks_exact(stride)) {
                let values: &[f32] = cast_slice(&values[from..from + count]);
                for (lane, row) in rows.iter_mut().enumerate() {
                    let row = &mut row[to..to + count];
                    for (y, values) in row.iter_mut().zip(values.chunks_exact(width::<S>())) {
                        *y = values[lane];
                    }
                }
            }
            from += count;
        }
    }
}

/// Patches whose sums are made in `f32`: equal summands, the losers' for one, would all be rounded the same way.
const RUN: usize = 4 * BLOCK;

/// What the patches of one thread teach, and what they add up to.
pub(super) struct Learning<'a> {
    job: &'a Job,
    rule: &'a Pointwise,
    inverse_norms: &'a [f32],
    /// Neurons that each neuron interacts with, a multiple of [`STEP`]; 0 if none.
    pub(super) partners: usize,
    /// Their activities, in blocks of positions.
    pub(super) activities: Vec<Lane>,
    energies: Vec<Lane>,
    row: Vec<f32>,
    activity: Vec<f32>,
    recent_decay: Vec<f32>,
    recent_mass: Vec<f32>,
    pub(super) decay: Vec<f64>,
    pub(super) mass: Vec<f64>,
}

impl<'a> Learning<'a> {
    pub(super) fn new(job: &'a Job, rule: &'a Pointwise, inverse_norms: &'a [f32]) -> Self {
        let (neurons, all) = (job.neurons, job.groups * job.neurons);
        Self {
            job,
            rule,
            inverse_norms,
            partners: rule.recurrence().map_or(0, |_| neurons.next_multiple_of(STEP)),
            activities: Vec::new(),
            energies: Vec::new(),
            row: Vec::new(),
            activity: vec![0.0; neurons],
            recent_decay: vec![0.0; neurons],
            recent_mass: vec![0.0; neurons],
            decay: vec![0.0; all],
            mass: vec![0.0; all],
        }
    }

    /// How many partners, from the first on, the neurons before one have, in whole steps.
    pub(super) fn partners_before(&self, neuron: usize) -> usize {
        match self.rule.recurrence() {
            None => 0,
            Some(RecurrenceMask::LowerTriangle) => neuron.next_multiple_of(STEP).min(self.partners),
            Some(_) => self.partners,
        }
    }

    /// From the responses of a tile's positions to their coefficients, in the same place.
    #[inline(always)]
    pub(super) fn hold<S: Simd>(
        &mut self,
        group: usize,
        x: &[Lane],
        features: usize,
        values: &mut [Panel<S>],
        stride: usize,
        positions: usize,
    ) {
        let neurons = self.job.neurons;
        let of_group = group * neurons..(group + 1) * neurons;
        if self.rule.reads_energy() {
            self.measure(x, features);
        }
        self.activities.resize(stride / BLOCK * self.partners, [0.0; BLOCK]);
        self.row.resize(neurons.next_multiple_of(width::<S>()), 0.0);
        for p in 0..positions {
            if p.is_multiple_of(RUN) {
                self.settle(of_group.clone());
            }
            for (row, panel) in self.row.chunks_exact_mut(width::<S>()).zip(values.chunks_exact(stride)) {
                row.copy_from_slice(cast_slice(&panel[p]));
            }
            let energy = self.energies.get(p / BLOCK).map_or(0.0, |energies| energies[p % BLOCK]);
            let patch =
                Patch { energy, values: &mut self.row[..neurons], activity: &mut self.activity[..neurons] };
            let mut sums = Neurons {
                inverse_norms: &self.inverse_norms[of_group.clone()],
                decay: &mut self.recent_decay,
                mass: &mut self.recent_mass,
            };
            self.rule.hold(patch, &mut sums);
            self.row[neurons..].fill(0.0);
            for (row, panel) in self.row.chunks_exact(width::<S>()).zip(values.chunks_exact_mut(stride)) {
                pulp::bytemuck::cast_slice_mut(&mut panel[p]).copy_from_slice(row);
            }
            if self.partners > 0 {
                let block = &mut self.activities[p / BLOCK * self.partners..][..neurons];
                for (lane, y) in block.iter_mut().zip(&self.activity) {
                    lane[p % BLOCK] = *y;
                }
            }
        }
        self.settle(of_group);
    }

    /// Adds what some neurons have of the last patches to their totals.
    #[inline(always)]
    fn settle(&mut self, neurons: Range<usize>) {
        for (total, recent) in
            [(&mut self.decay, &mut self.recent_decay), (&mut self.mass, &mut self.recent_mass)]
        {
            for (total, recent) in total[neurons.clone()].iter_mut().zip(recent) {
                *total += f64::from(*recent);
                *recent = 0.0;
            }
        }
    }

    /// The energies of a tile's patches.
    #[inline(always)]
    fn measure(&mut self, x: &[Lane], features: usize) {
        self.energies.clear();
        self.energies.resize(x.len() / features, [0.0; BLOCK]);
        for (energies, block) in self.energies.iter_mut().zip(x.chunks_exact(features)) {
            // a local copy stays in registers
            let mut sums = [0.0; BLOCK];
            for lane in block {
                for (sum, x) in sums.iter_mut().zip(lane) {
                    *sum += x * x;
                }
            }
            *energies = sums;
        }
    }
}
