//! One fused pass: its sizes, and whether it pays.

use std::ops::Range;

use burn_hebbian_core::{RecurrenceMask, WeightLayout};
use pulp::{Arch, Simd, WithSimd};

use super::{pointwise::Pointwise, products::width, tiles::Tiling};
use crate::window::{Window, spatial};

/// Patches that are few, if there are more weights a neuron.
const FEW: usize = 256;

/// The sizes of one fused pass.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) window: Window,
    pub(super) images: usize,
    pub(super) groups: usize,
    /// In a group.
    pub(super) channels: usize,
    /// In a group.
    pub(super) neurons: usize,
    pub(super) input: [usize; 3],
    /// What is learned on the way, if anything.
    pub(super) rule: Option<Pointwise>,
}

/// Where the sums beside the correlation lie in their vector.
pub(super) struct Sums {
    pub(super) mass: Range<usize>,
    /// The last.
    pub(super) gram: Range<usize>,
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

    pub(super) fn fan_in(&self) -> usize {
        self.channels * self.window.kernel.iter().product::<usize>()
    }

    /// Positions of an image.
    pub(super) fn positions(&self) -> usize {
        self.window.output(self.input).iter().product()
    }

    pub(super) fn tiling(&self, threads: usize) -> Tiling {
        Tiling::new(&self.window, self.images, [self.channels, self.neurons], self.input, threads)
    }

    pub(super) fn sums(&self) -> Sums {
        let neurons = self.groups * self.neurons;
        let mass = 0..if self.rule.as_ref().is_some_and(Pointwise::has_mass) { neurons } else { 0 };
        let gram = mass.end..mass.end + self.gram().map_or(0, |_| neurons * self.neurons);
        Sums { mass, gram }
    }

    /// Which neurons of a group interact, if any do.
    pub(super) fn recurrence(&self) -> Option<RecurrenceMask> {
        self.rule.as_ref().and_then(Pointwise::recurrence)
    }

    /// Which values of `K` the pass gives, if it does.
    pub(super) fn gram(&self) -> Option<RecurrenceMask> {
        self.recurrence().filter(|_| !self.takes())
    }

    /// Whether neurons take what they explain from the patches, so that `K` is not needed: with few patches that takes fewer
    /// multiplications than `K W`.
    pub(super) fn takes(&self) -> bool {
        // a neuron takes from its own panel by `K`; and not all lanes take
        let by_patch = self.images * self.positions() * 4 / 3 + 24;
        self.recurrence().is_some() && self.has_few_patches() && by_patch < self.neurons
    }

    /// Whether threads share its neurons, not its patches.
    pub(super) fn has_few_patches(&self) -> bool {
        let patches = self.images * self.positions();
        self.groups == 1 && patches <= FEW && self.fan_in() >= patches
    }

    /// Whether this is faster than one operation after the other, as far as it was measured: where vectors have several
    /// lanes, there are neurons to fill them and patches to outweigh the reordering of weights, and a tile is small.
    pub(super) fn pays(&self) -> bool {
        /// Numbers of a tile: 8 MB.
        const LARGEST: usize = 1 << 21;
        let patches = self.images * self.positions();
        let (neurons, fan_in) = (self.neurons, self.fan_in());
        // otherwise by the Gram matrix of K² values
        let multiplications = neurons * (patches + fan_in);
        let recurs_well = match self.gram() {
            None => true,
            Some(RecurrenceMask::LowerTriangle) => multiplications <= 7 * patches * fan_in,
            Some(_) => 2 * multiplications <= 7 * patches * fan_in,
        };
        // threads that share neurons need no sums of their own
        let fewest = if self.rule.is_some() && self.has_few_patches() { 8 } else { 64 };
        // a kernel of one tap is a product without unfolding, at which Burn is better
        let responds_well = patches >= 400 && fan_in > self.channels;
        Arch::new().dispatch(Width) >= 8
            && neurons >= 8
            && patches >= fewest
            && recurs_well
            && (self.rule.is_some() || responds_well)
            && self.tiling(1).numbers() <= LARGEST
    }

    /// Dimensions of the responses.
    pub(super) fn output<const X: usize>(&self, mut dims: [usize; X]) -> [usize; X] {
        dims[1] = self.groups * self.neurons;
        dims[2..].copy_from_slice(&self.window.output(self.input)[5 - X..]);
        dims
    }

    /// `− d_k w_k` for some neurons from one on, whose rows these are.
    #[inline(always)]
    pub(super) fn subtract_decay(&self, neuron: usize, rows: &mut [f32], w: &[f32], decay: &[f64]) {
        if !self.rule.as_ref().is_some_and(Pointwise::has_decay) {
            return;
        }
        let fan_in = self.fan_in();
        let w = &w[neuron * fan_in..][..rows.len()];
        for ((row, w), decay) in
            rows.chunks_exact_mut(fan_in).zip(w.chunks_exact(fan_in)).zip(&decay[neuron..])
        {
            let decay = *decay as f32;
            row.iter_mut().zip(w).for_each(|(sum, w)| *sum -= decay * w);
        }
    }

    /// Zeros where a neuron does not interact with others, for some neurons from one on, whose rows of `K` these are.
    pub(super) fn mask(&self, neuron: usize, rows: &mut [f32]) {
        if self.recurrence() != Some(RecurrenceMask::LowerTriangle) {
            return;
        }
        for (index, row) in rows.chunks_exact_mut(self.neurons).enumerate() {
            row[(neuron + index) % self.neurons + 1..].fill(0.0);
        }
    }

    /// The sums beside the correlation, in their order.
    pub(super) fn collect(&self, mass: &[f64], gram: &[f32]) -> Vec<f32> {
        let parts = self.sums();
        let mass = mass.iter().take(parts.mass.len()).map(|sum| *sum as f32);
        mass.chain(gram.iter().copied()).collect()
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
