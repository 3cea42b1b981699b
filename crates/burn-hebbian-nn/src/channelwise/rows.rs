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

#[cfg(test)]
mod tests {
    use super::*;

    /// Five of seven channels of three images, and a mean far from zero.
    #[test]
    fn rows_are_summed_and_changed_as_by_loops() {
        for positions in [1, 3, 37, 2500] {
            let sizes = [3, 5, positions];
            let step = 7 * positions;
            let values: Vec<f32> = (0..3 * step).map(|i| 1e4 + (i as f32 * 0.7).sin()).collect();
            let at = |image: usize, channel: usize, position: usize| {
                values[image * step + channel * positions + position]
            };
            let found = statistics(Images { values: &values, step }, sizes);
            let of_channel = |channel: usize| {
                let all = (0..3).flat_map(|image| (0..positions).map(move |position| (image, position)));
                let all: Vec<f64> = all.map(|(i, p)| f64::from(at(i, channel, p))).collect();
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                (mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64)
            };
            for channel in 0..5 {
                let (mean, variance) = of_channel(channel);
                assert!((f64::from(found[channel]) - mean).abs() < 1e-3, "{positions}: mean");
                assert!((f64::from(found[5 + channel]) - variance).abs() < 1e-3 * variance.max(1e-3));
            }
            let numbers = |start: f32| (0..5).map(|i| start + i as f32).collect::<Vec<_>>();
            let affine =
                Affine { mean: numbers(1e4), scale: numbers(0.5), shift: numbers(-1.0), bounds: [0.0, 2.5] };
            let added: Vec<f32> = (0..15 * positions).map(|i| (i as f32 * 0.3).cos()).collect();
            let mut results = vec![f32::NAN; added.len()];
            apply(&mut results, Some(Images { values: &values, step }), Some(&added), sizes, &affine);
            for (i, result) in results.iter().enumerate() {
                let (image, channel, position) = (i / positions / 5, i / positions % 5, i % positions);
                let (mean, scale, shift) =
                    (affine.mean[channel], affine.scale[channel], affine.shift[channel]);
                let exact = (at(image, channel, position) - mean) * scale + shift + added[i];
                assert_eq!(*result, exact.clamp(0.0, 2.5));
            }
            let mut in_place = vec![f32::NAN; 5 * positions];
            apply(&mut in_place, None, None, [1, 5, positions], &affine);
            assert!(in_place.iter().all(|value| value.is_nan()));
        }
    }
}
