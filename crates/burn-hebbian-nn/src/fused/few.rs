//! The fused pass over few patches: neurons are shared by the threads, not patches.
//!
//! Where there are more weights than patches, sums of the weights' size for every thread, zeroed, added up and put in order,
//! cost more than the products. Here every weight is read twice and every sum written once: each thread packs the weights of
//! some neurons, panel by panel, for their responses to all patches; the rule then sees patch by patch, as ever; and each
//! thread makes the sums of its neurons, panel by panel.

use std::{mem::take, ops::Range};

use pulp::{Simd, bytemuck::cast_slice};

use super::{
    job::Job,
    panels::{pack_panel, unpack_panel},
    pointwise::{Pointwise, inverse_norm},
    products::{BLOCK, Panel, STEP, VECTORS, by, correlate, respond, width},
    takes::{Part, Taught, parts_of},
    tiles::{Tiling, Unfolded},
    worker::{Learning, panels_mut, total},
};
use crate::parallel;

/// Multiplications below which one thread is faster than several that are woken several times.
const WAKES: usize = 1 << 23;

/// Some patches, and what they read.
struct Share {
    slices: Range<usize>,
    unfolded: Unfolded,
    positions: usize,
    /// Positions in whole blocks: so many values every panel has of the share.
    stride: usize,
}

/// What one panel's responses are made of, and where they go.
struct Responding<'a, S: Simd> {
    /// The weights of its neurons.
    rows: &'a [f32],
    /// For every share the panel's responses.
    values: Vec<&'a mut [Panel<S>]>,
    /// For every image the rows of its neurons.
    dot: Vec<&'a mut [f32]>,
}

/// [`Job::compute`] for few patches.
pub(super) fn compute<S: Simd>(simd: S, job: &Job, rule: &Pointwise, x: &[f32], w: &[f32]) -> [Vec<f32>; 3] {
    let (neurons, fan_in, positions) = (job.neurons, job.fan_in(), job.positions());
    let multiplications = job.images * positions * neurons * fan_in;
    let threads = if multiplications < WAKES { 1 } else { parallel::threads() };
    let tiling = Tiling::all(&job.window, job.images, [job.channels, neurons], job.input, threads);
    let (features, width) = (tiling.features(), width::<S>());
    let panels = neurons.div_ceil(width);
    let map = Threads(threads);

    let shares = tiling.share(threads).into_iter().filter(|slices| !slices.is_empty());
    let shares = map.map(shares.collect(), |slices: Range<usize>| {
        by(
            simd,
            #[inline(always)]
            || {
                let mut unfolded = Unfolded::new();
                unfolded.fill(&tiling, x, 1, 0, slices.clone());
                let positions = slices.len() * tiling.slice();
                let stride = positions.next_multiple_of(BLOCK);
                Share { slices: slices.clone(), unfolded, positions, stride }
            },
        )
    });
    // of all panels; after the rule has seen them, its coefficients
    let zeros = |share: &Share| vec![[simd.splat_f32s(0.0); VECTORS]; panels * share.stride];
    let mut values: Vec<Vec<Panel<S>>> = shares.iter().map(zeros).collect();

    let mut dot = vec![0.0; job.images * neurons * positions];
    let responding = |rows| Responding::<S> { rows, values: Vec::new(), dot: Vec::new() };
    let mut parts: Vec<_> = w.chunks(width * fan_in).map(responding).collect();
    for (share, values) in shares.iter().zip(&mut values) {
        for (part, values) in parts.iter_mut().zip(values.chunks_exact_mut(share.stride)) {
            part.values.push(values);
        }
    }
    for rows in dot.chunks_exact_mut(neurons * positions) {
        for (part, rows) in parts.iter_mut().zip(rows.chunks_mut(width * positions)) {
            part.dot.push(rows);
        }
    }
    let energies = map.map(parts, |Responding { rows, mut values, mut dot }| {
        by(
            simd,
            #[inline(always)]
            || {
                let mut panel = vec![0.0; features * width];
                let energies = pack_panel(rows, fan_in, &mut panel, width);
                let w: &[Panel<S>] = S::as_simd_f32s(&panel).0.as_chunks().0;
                for (share, values) in shares.iter().zip(&mut values) {
                    let blocks = share.unfolded.blocks.chunks_exact(features);
                    for (x, s) in blocks.zip(values.as_chunks_mut::<BLOCK>().0) {
                        respond(simd, x, w, s);
                    }
                    write::<S>(&tiling, share.slices.clone(), values, &mut dot);
                }
                energies
            },
        )
    });
    let inverse_norms: Vec<f32> = energies.into_iter().flatten().map(inverse_norm).collect();

    let parts = shares.iter().zip(&mut values).collect();
    let mut learnings = map.map(parts, |(share, values): (&Share, &mut Vec<Panel<S>>)| {
        by(
            simd,
            #[inline(always)]
            || {
                let mut learning = Learning::new(job, rule, &inverse_norms);
                let Share { unfolded, stride, positions, .. } = share;
                learning.hold::<S>(0, &unfolded.blocks, features, values, *stride, *positions);
                learning
            },
        )
    });
    let decay = total(learnings.iter_mut().map(|learning| take(&mut learning.decay)));
    let mass = total(learnings.iter_mut().map(|learning| take(&mut learning.mass)));

    let mut correlation = vec![0.0; neurons * fan_in];
    if job.takes() {
        let taught = shares.iter().zip(&values).zip(&learnings).map(|((share, values), learning)| Taught {
            x: &share.unfolded.blocks,
            c: values,
            stride: share.stride,
            activities: &learning.activities,
        });
        let taught: Vec<_> = taught.collect();
        let parts = parts_of(job, &mut correlation, threads);
        map.map(parts, |mut part: Part| {
            by(
                simd,
                #[inline(always)]
                || part.sum(simd, job, &taught, w),
            );
        });
        return [dot, correlation, job.collect(&mass, &[])];
    }
    let mut gram = vec![0.0; job.sums().gram.len()];
    let mut grams = gram.chunks_mut(width * neurons);
    let rows = correlation.chunks_mut(width * fan_in).enumerate();
    let parts: Vec<_> = rows.map(|(panel, rows)| (panel, rows, grams.next())).collect();
    map.map(parts, |(panel, rows, mut gram): (usize, &mut [f32], Option<&mut [f32]>)| {
        by(
            simd,
            #[inline(always)]
            || {
                let coefficients = || {
                    let places = shares
                        .iter()
                        .map(|share| panel * share.stride..panel * share.stride + share.positions);
                    values.iter().zip(places).map(|(values, place)| &values[place])
                };
                let mut sums = vec![0.0; features * width];
                for (share, c) in shares.iter().zip(coefficients()) {
                    correlate(simd, &share.unfolded.blocks, features, c, panels_mut::<S>(&mut sums));
                }
                unpack_panel(&sums, width, rows, fan_in);
                job.subtract_decay(panel * width, rows, w, &decay);
                let Some(gram) = &mut gram else { return };
                let partners = neurons.next_multiple_of(STEP);
                let mut sums = vec![0.0; partners * width];
                for (learning, c) in learnings.iter().zip(coefficients()) {
                    let known = learning.partners_before((panel + 1) * width);
                    let d = &mut panels_mut::<S>(&mut sums)[..known];
                    correlate(simd, &learning.activities, partners, c, d);
                }
                unpack_panel(&sums, width, gram, neurons);
                job.mask(panel * width, gram);
            },
        );
    });
    [dot, correlation, job.collect(&mass, &gram)]
}

/// Writes a panel's responses to some slices where they go: `dot` holds the rows of its neurons for every image.
#[inline(always)]
fn write<S: Simd>(tiling: &Tiling, slices: Range<usize>, values: &[Panel<S>], dot: &mut [&mut [f32]]) {
    let (slice, positions) = (tiling.slice(), tiling.slices_of_image() * tiling.slice());
    let mut from = 0;
    for (image, slices) in tiling.by_image(slices) {
        let count = slices.len() * slice;
        let values: &[f32] = cast_slice(&values[from..from + count]);
        for (lane, row) in dot[image].chunks_exact_mut(positions).enumerate() {
            let row = &mut row[slices.start * slice..][..count];
            for (y, values) in row.iter_mut().zip(values.chunks_exact(width::<S>())) {
                *y = values[lane];
            }
        }
        from += count;
    }
}

/// So many threads.
struct Threads(usize);

impl Threads {
    fn map<T: Send, R: Send>(&self, parts: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        match self.0 {
            1 => parts.into_iter().map(work).collect(),
            _ => parallel::map(parts, work),
        }
    }
}
