//! The second pass over the weights: the sums of each row are made, less what decays, while its weights are at hand.
//!
//! Where neurons interact, each learns from what those before it (or all) leave of the input, `Σ c_k (x − Σ_j y_j w_j)`: a row
//! knows all it takes.

use burn_hebbian_core::RecurrenceMask;
use pulp::{Arch, Simd, WithSimd};

use super::{
    ROWS,
    lanes::{LANES, Lanes, add_products, load, product, store},
};
use crate::parallel;

/// The products of a linear layer: their sizes, and how its neurons interact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Products {
    pub(in crate::fused) fan_in: usize,
    pub(in crate::fused) neurons: usize,
    pub(in crate::fused) recurrence: Option<RecurrenceMask>,
}

/// What the rule made of all images.
struct Taught<'a> {
    /// Coefficients, `[images, neurons]`.
    c: &'a [f32],
    /// `[images, neurons]` if neurons interact, else empty.
    activities: &'a [f32],
    /// The diagonal of `K`.
    decay: &'a [f32],
    /// `‖w_k‖`.
    norms: &'a [f32],
}

impl Products {
    /// How long coefficients, activities, and what there is of each neuron lie in what a rule made of so many images.
    pub(in crate::fused) fn lengths(&self, images: usize) -> [usize; 3] {
        let responses = images * self.neurons;
        [responses, if self.recurrence.is_some() { responses } else { 0 }, self.neurons]
    }

    fn taught<'a>(&self, x: &[f32], taught: &'a [f32]) -> Taught<'a> {
        let [coefficients, activities, neurons] = self.lengths(x.len() / self.fan_in);
        let (c, rest) = taught.split_at(coefficients);
        let (activities, rest) = rest.split_at(activities);
        let (decay, norms) = rest.split_at(neurons);
        Taught { c, activities, decay, norms }
    }

    /// `Σ c_k x` less what decays and what other neurons take, `[fan-in, neurons]`.
    pub(crate) fn values(&self, x: &[f32], w: &[f32], taught: &[f32]) -> Vec<f32> {
        let rows = Rows::new(self, x, self.taught(x, taught));
        let mut sums = vec![0.0; w.len()];
        let share = self.share();
        let shares = sums.chunks_mut(share).zip(w.chunks(share)).enumerate();
        let shares: Vec<_> =
            shares.map(|(place, (sums, w))| (place * share / self.neurons, sums, w)).collect();
        parallel::map_many(w.len(), shares, |(first, sums, w)| {
            Arch::new().dispatch(Make { rows: &rows, w, first, sums });
        });
        sums
    }

    /// Gives `lower` every row of the weights with its number and its sums, as [`values`](Self::values) makes them.
    pub(crate) fn descend(
        &self,
        w: &mut [f32],
        x: &[f32],
        taught: &[f32],
        lower: impl Fn(usize, &mut [f32], &[f32]) + Sync,
    ) {
        let rows = Rows::new(self, x, self.taught(x, taught));
        let (count, share) = (w.len(), self.share());
        let shares = w.chunks_mut(share).enumerate();
        let shares: Vec<_> = shares.map(|(place, w)| (place * share / self.neurons, w)).collect();
        parallel::map_many(count, shares, |(first, w)| {
            Arch::new().dispatch(Descend { rows: &rows, w, first, lower: &lower });
        });
    }

    /// Values that a thread takes at a time: whole rows.
    fn share(&self) -> usize {
        self.fan_in.div_ceil(4 * parallel::threads()).next_multiple_of(ROWS) * self.neurons
    }

    /// What no sum of each neuron can exceed in magnitude, whatever is rounded; not finite if that is not known.
    pub(crate) fn bounds(&self, x: &[f32], taught: &[f32]) -> Vec<f32> {
        let Taught { c, activities, decay, norms } = self.taught(x, taught);
        // a NaN is passed on
        let largest = |x: &[f32]| {
            x.iter().fold(
                0.0,
                |largest: f64, x| if f64::from(x.abs()) <= largest { largest } else { f64::from(x.abs()) },
            )
        };
        let mut bounds: Vec<f64> =
            decay.iter().zip(norms).map(|(decay, norm)| f64::from(decay.abs()) * f64::from(*norm)).collect();
        let mut of_neurons = activities.chunks_exact(self.neurons);
        for (x, c) in x.chunks_exact(self.fan_in).zip(c.chunks_exact(self.neurons)) {
            let taken = of_neurons.next().unwrap_or_default().iter().zip(norms);
            let taken: f64 = taken.map(|(y, norm)| f64::from(y.abs()) * f64::from(*norm)).sum();
            let left = largest(x) + taken;
            bounds.iter_mut().zip(c).for_each(|(bound, c)| *bound += f64::from(c.abs()) * left);
        }
        bounds.into_iter().map(|bound| (2.0 * bound) as f32).collect()
    }
}

/// What the sums of a block of rows are made from.
struct Rows<'a> {
    products: &'a Products,
    x: &'a [f32],
    taught: Taught<'a>,
    /// How the neurons of a block take from each other, if those before a neuron do: for each of them, as it was before, how
    /// much it takes from each of its block, itself included.
    within: Vec<Lanes>,
}

impl<'a> Rows<'a> {
    fn new(products: &'a Products, x: &'a [f32], taught: Taught<'a>) -> Self {
        let takes = products.recurrence == Some(RecurrenceMask::LowerTriangle);
        let within = if takes { within(&taught, products.neurons) } else { Vec::new() };
        Self { products, x, taught, within }
    }

    fn images(&self) -> usize {
        self.x.len() / self.products.fan_in
    }

    /// The sums of a block of rows, the first of which has a number; `left` has room for a block of every image.
    #[inline(always)]
    fn make(&self, first: usize, w: &[f32], left: &mut [[f32; ROWS]], sums: &mut [f32]) {
        let Self { products: Products { fan_in, neurons, recurrence }, x, taught, within } = self;
        let (fan_in, neurons, rows) = (*fan_in, *neurons, w.len() / neurons);
        let starts = || (0..neurons).step_by(LANES);
        // the inputs of every image, less what neurons have taken
        for (left, x) in left.iter_mut().zip(x.chunks_exact(fan_in)) {
            left[..rows].copy_from_slice(&x[first..][..rows]);
        }
        if *recurrence == Some(RecurrenceMask::Full) {
            for start in starts() {
                take(left, taught.activities, w, neurons, start);
            }
        }
        for start in starts() {
            let lanes = start..neurons.min(start + LANES);
            let mut totals = [[0.0; LANES]; ROWS];
            for (total, w) in totals.iter_mut().zip(w.chunks_exact(neurons)) {
                if *recurrence == Some(RecurrenceMask::LowerTriangle) {
                    for (takes, w) in within[lanes.clone()].iter().zip(&w[lanes.clone()]) {
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
            if *recurrence == Some(RecurrenceMask::LowerTriangle) {
                take(left, taught.activities, w, neurons, start);
            }
        }
    }
}

/// See [`Rows::within`].
fn within(Taught { c, activities, .. }: &Taught, neurons: usize) -> Vec<Lanes> {
    let mut within = vec![[0.0; LANES]; neurons];
    for (j, takes) in within.iter_mut().enumerate() {
        let start = j / LANES * LANES;
        let lanes = start..neurons.min(start + LANES);
        for (c, y) in c.chunks_exact(neurons).zip(activities.chunks_exact(neurons)) {
            add_products(takes, &[-y[j]; LANES], &load(&c[lanes.clone()]));
        }
        takes[..j - start].fill(0.0);
    }
    within
}

/// The sums of some rows, the first of which has a number.
struct Make<'a> {
    rows: &'a Rows<'a>,
    w: &'a [f32],
    first: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Make<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, w, first, sums } = self;
        let block = ROWS * rows.products.neurons;
        let mut left = vec![[0.0; ROWS]; rows.images()];
        for (place, (w, sums)) in w.chunks(block).zip(sums.chunks_mut(block)).enumerate() {
            rows.make(first + place * ROWS, w, &mut left, sums);
        }
    }
}

/// What becomes of some rows of the weights, the first of which has a number.
struct Descend<'a, L> {
    rows: &'a Rows<'a>,
    w: &'a mut [f32],
    first: usize,
    lower: &'a L,
}

impl<L: Fn(usize, &mut [f32], &[f32])> WithSimd for Descend<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, w, first, lower } = self;
        let neurons = rows.products.neurons;
        let mut left = vec![[0.0; ROWS]; rows.images()];
        let mut sums = vec![0.0; ROWS * neurons];
        for (place, w) in w.chunks_mut(ROWS * neurons).enumerate() {
            let row = first + place * ROWS;
            rows.make(row, w, &mut left, &mut sums);
            for (place, (w, sums)) in w.chunks_exact_mut(neurons).zip(sums.chunks_exact(neurons)).enumerate()
            {
                lower(row + place, w, sums);
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
