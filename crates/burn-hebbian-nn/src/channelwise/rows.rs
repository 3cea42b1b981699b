//! The passes on plain numbers: a row holds the positions of one channel of one image.

use std::ops::Range;

use pulp::Arch;

use crate::parallel;

/// Values from which on it pays to wake other threads.
const MANY: usize = 1 << 16;

/// Numbers that are summed side by side.
const LANES: usize = 16;

/// What is done to each value by the numbers of its channel: `clamp((x − mean) · scale + shift)`.
#[derive(Debug, Clone)]
pub(crate) struct Affine {
    pub(crate) mean: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    /// What results are clamped to; NaN stays NaN.
    pub(crate) bounds: [f32; 2],
}

/// Values whose rows lie in succession within an image.
#[derive(Clone, Copy)]
pub(super) struct Images<'a> {
    pub(super) values: &'a [f32],
    /// How far images are apart.
    pub(super) step: usize,
}

/// The means of all channels, then their biased variances.
pub(super) fn statistics(x: Images, sizes: [usize; 3]) -> Vec<f32> {
    let [_, channels, _] = sizes;
    let parts = shares(channels, sizes.iter().product());
    let found = parallel::map(parts, |channels| {
        let mut found = vec![(0.0, 0.0); channels.len()];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                // a loop: the adapters of iterators are not compiled for the instructions at hand
                for (channel, found) in channels.zip(&mut found) {
                    *found = moments(x, sizes, channel);
                }
            },
        );
        found
    });
    let (means, variances): (Vec<f32>, Vec<f32>) = found.into_iter().flatten().unzip();
    [means, variances].concat()
}

/// `0..count` in parts for all threads, or in one if there are few values.
pub(super) fn shares(count: usize, values: usize) -> Vec<Range<usize>> {
    let threads = if values < MANY { 1 } else { parallel::threads().min(count) };
    (0..threads).map(|thread| thread * count / threads..(thread + 1) * count / threads).collect()
}

/// Values that are so many rows in parts for all threads, each with its rows.
pub(super) fn parts_of(values: &mut [f32], rows: usize) -> Vec<(Range<usize>, &mut [f32])> {
    let row = values.len() / rows.max(1);
    let mut rest = values;
    let part = |rows: Range<usize>| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(rows.len() * row);
        rest = after;
        (rows, part)
    };
    shares(rows, row * rows).into_iter().map(part).collect()
}

/// Mean and biased variance of a channel: those of its rows, put together so that nothing cancels.
///
/// Source: T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
/// variances" (1982).
#[inline(always)]
fn moments(x: Images, [images, _, positions]: [usize; 3], channel: usize) -> (f32, f32) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let of_row = positions as f64;
    for image in 0..images {
        let row = &x.values[image * x.step + channel * positions..][..positions];
        let of_row_mean = sum(row, |x| x) / of_row;
        let center = of_row_mean as f32;
        let of_row_squares = sum(row, |x| (x - center) * (x - center));
        let apart = of_row_mean - mean;
        let total = count + of_row;
        mean += apart * of_row / total;
        squares += of_row_squares + apart * apart * count * of_row / total;
        count = total;
    }
    (mean as f32, (squares / count) as f32)
}

#[inline(always)]
fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    /// Values that are summed in `f32`.
    const RUN: usize = 64 * LANES;
    let mut total = 0.0;
    for run in row.chunks(RUN) {
        let mut lanes = [0.0; LANES];
        let (chunks, rest) = run.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane += f(*x);
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += f(*x);
        }
        total += f64::from(lanes.iter().sum::<f32>());
    }
    total
}

/// [`Affine`] and an addition, of the values that `from` has, or of those that lie in `results` already.
pub(super) fn apply(
    results: &mut [f32],
    from: Option<Images>,
    added: Option<&[f32]>,
    [images, channels, positions]: [usize; 3],
    affine: &Affine,
) {
    parallel::map(parts_of(results, images * channels), |(rows, part)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (row, values) in rows.zip(part.chunks_exact_mut(positions)) {
                    let of_row = row * positions..(row + 1) * positions;
                    let one = affine.of(row % channels);
                    if let Some(from) = from {
                        let at = row / channels * from.step + row % channels * positions;
                        values.copy_from_slice(&from.values[at..at + positions]);
                    }
                    match added {
                        None => values.iter_mut().for_each(|x| *x = one(*x, 0.0)),
                        Some(added) => {
                            values.iter_mut().zip(&added[of_row]).for_each(|(x, added)| *x = one(*x, *added));
                        }
                    }
                }
            },
        );
    });
}

impl Affine {
    /// What is done to a value of a channel, and one that is added to it.
    #[inline(always)]
    fn of(&self, channel: usize) -> impl Fn(f32, f32) -> f32 + use<> {
        let (mean, scale, shift) = (self.mean[channel], self.scale[channel], self.shift[channel]);
        let [low, high] = self.bounds;
        move |x, added| {
            let y = (x - mean) * scale + shift + added;
            // comparisons, not `clamp`: that would lose NaN
            let y = if y < low { low } else { y };
            if y > high { high } else { y }
        }
    }
}
