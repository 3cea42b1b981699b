//! Forward pass and update in one pass over the input, tile by tile, on the CPU.
//!
//! A tile of positions is unfolded into the cache once. While it is there its responses `S = W X` are computed, what the
//! rule makes of each patch, and the sums `Σ C Xᵀ`: the floor of two matrix products, with nothing of the size of the
//! responses between them. Every thread has tiles and sums of its own; sums are added in a fixed order, so that the same
//! number of threads gives the same numbers.
//!
//! Convolutions of any rank can be fused, with rules that are compositions of the [stages](contest) known here.

mod contest;
mod extension;
mod panels;
mod products;
mod tiles;
mod worker;

use std::ops::Range;

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{LocalRule, RecurrenceMask, Signals, WeightLayout};
use pulp::{Arch, Simd, WithSimd};

use self::{
    contest::{Contest, Mixing, inverse_norm},
    panels::{pack, unpack},
    products::{STEP, width},
    tiles::Tiling,
    worker::{Partial, Worker},
};
use crate::{
    backend::Backend,
    forms::CorrelationForm,
    geometry::{Geometry, Pass, Window, spatial},
    parallel,
};

/// What a fused pass gives.
pub(crate) struct Fused<const X: usize> {
    /// The responses.
    pub(crate) dot: Tensor<X>,
    /// `Σ c_k x`, the weight's elements row by row.
    pub(crate) correlation: Tensor<1>,
    /// The diagonal of `K`, `[groups, neurons]`.
    pub(crate) decay: Option<Tensor<2>>,
    /// The rest of `K`, masked, `[groups, neurons, neurons]`.
    pub(crate) gram: Option<(Tensor<3>, RecurrenceMask)>,
    /// What a weighted reduction divides by, `[groups, neurons]`.
    pub(crate) mass: Option<Tensor<2>>,
}

/// Responses and sums of a pass, if it can be fused, and if that pays or is forced.
pub(crate) fn fused<G: Geometry<X, W>, const X: usize, const W: usize>(
    pass: &Pass<G, X, W>,
    rule: &dyn LocalRule,
    signals: &Signals,
) -> Option<Fused<X>> {
    let forced = match pass.forms.correlation {
        Some(CorrelationForm::Fused) => true,
        Some(_) => return None,
        None => false,
    };
    let (x, w) = (&pass.x, &pass.w);
    let device = x.device();
    let plain = !w.is_autodiff() && x.dtype() == DType::F32 && w.dtype() == DType::F32;
    if !plain || !Backend::of(&device).is_host() || signals.third_factor.is_some() {
        return None;
    }
    let contest = rule.composition().and_then(Contest::of)?;
    let window = pass.geometry.window()?;
    let job = Job::new(window, x.dims(), &pass.geometry.layout(), contest);
    let wanted = forced || Backend::of(&device).is_flex() && job.pays();
    wanted.then(|| job.run(x.clone().inner(), w.clone()))
}

/// The sizes of one fused pass.
#[derive(Debug, Clone)]
struct Job {
    window: Window,
    images: usize,
    groups: usize,
    /// In a group.
    channels: usize,
    /// In a group.
    neurons: usize,
    input: [usize; 3],
    contest: Contest,
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
    fn new<const X: usize>(window: Window, x: [usize; X], layout: &WeightLayout, contest: Contest) -> Self {
        let WeightLayout { groups, neurons, .. } = *layout;
        Self { window, images: x[0], groups, channels: x[1] / groups, neurons, input: spatial(x), contest }
    }

    fn fan_in(&self) -> usize {
        self.channels * self.window.kernel.iter().product::<usize>()
    }

    /// Positions of an image.
    fn positions(&self) -> usize {
        self.window.output(self.input).iter().product()
    }

    fn sums(&self) -> Sums {
        let neurons = self.groups * self.neurons;
        let decay = 0..if self.contest.has_decay() { neurons } else { 0 };
        let mass = decay.end..decay.end + if self.contest.has_mass() { neurons } else { 0 };
        let mixes = self.contest.mixing() != Mixing::None;
        let gram = mass.end..mass.end + if mixes { neurons * self.neurons } else { 0 };
        Sums { decay, mass, gram }
    }

    /// Whether this is faster than one operation after the other, as far as it was measured: where vectors have several
    /// lanes, and there are neurons to fill them and patches to outweigh the reordering of weights.
    fn pays(&self) -> bool {
        let patches = self.images * self.positions();
        let (neurons, fan_in) = (self.neurons, self.fan_in());
        // the Gram matrix is all that a fused pass can mix by
        let mixes_well = match self.contest.mixing() {
            Mixing::None => true,
            Mixing::Triangle => neurons * (patches + fan_in) <= 4 * patches * fan_in,
            Mixing::Full => neurons * (patches + fan_in) <= 2 * patches * fan_in,
        };
        Arch::new().dispatch(Width) >= 8 && neurons >= 8 && patches >= 64 && mixes_well
    }

    fn run<const X: usize, const W: usize>(self, x: Tensor<X>, w: Tensor<W>) -> Fused<X> {
        let mut dims = x.dims();
        dims[1] = self.groups * self.neurons;
        dims[2..].copy_from_slice(&self.window.output(self.input)[5 - X..]);
        let parts = self.sums();
        let [groups, neurons] = [self.groups, self.neurons];
        let mask = match self.contest.mixing() {
            Mixing::None => None,
            Mixing::Full => Some(RecurrenceMask::Full),
            Mixing::Triangle => Some(RecurrenceMask::LowerTriangle),
        };
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
    fn compute(&self, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
        let threads = parallel::threads();
        let sizes = [self.channels, self.neurons];
        let tiling = Tiling::new(&self.window, self.images, sizes, self.input, threads);
        let shares = tiling.share(threads);
        let arch = Arch::new();
        let panel = [tiling.features(), arch.dispatch(Width)];
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
        let partials = parallel::map(workers.collect(), |worker| arch.dispatch(worker));
        drop(packed);
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
        if self.contest.mixing() == Mixing::Triangle {
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
