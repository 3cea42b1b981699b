//! Weights in the order of the products, and back.

use pulp::Simd;

use super::products::by;
use crate::parallel;

/// Rows and columns that are transposed at a time.
const SQUARE: usize = 16;

/// `[groups, neurons, fan-in]` → `[groups, panels, features, width]`; what is beyond the last neuron or feature is 0. And
/// `‖w_k‖²` of every neuron.
pub(super) fn pack<S: Simd>(
    simd: S,
    w: &[f32],
    [neurons, fan_in]: [usize; 2],
    [features, width]: [usize; 2],
) -> (Vec<f32>, Vec<f32>) {
    let groups = w.len() / (neurons * fan_in);
    let mut packed = vec![0.0; groups * neurons.div_ceil(width) * features * width];
    let panels = w.chunks_exact(neurons * fan_in).flat_map(|group| group.chunks(width * fan_in));
    let parts = panels.zip(packed.chunks_exact_mut(features * width)).collect();
    let energies = parallel::map_many(w.len(), parts, |(rows, panel): (&[f32], &mut [f32])| {
        by(
            simd,
            #[inline(always)]
            || pack_panel(rows, fan_in, panel, width),
        )
    });
    (packed, energies.concat())
}

/// The rows of at most `width` neurons as the columns of a panel; and `‖w_k‖²` of these.
#[inline(always)]
pub(super) fn pack_panel(rows: &[f32], fan_in: usize, panel: &mut [f32], width: usize) -> Vec<f32> {
    transpose(rows, fan_in, panel, width, [rows.len() / fan_in, fan_in]);
    rows.chunks_exact(fan_in).map(energy).collect()
}

/// `Σ v²`, the sums of short runs in `f32`.
#[inline(always)]
fn energy(values: &[f32]) -> f32 {
    const LANES: usize = 16;
    let of_run = |run: &[f32]| {
        let mut lanes = [0.0; LANES];
        let (chunks, rest) = run.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane += value * value;
            }
        }
        for (lane, value) in lanes.iter_mut().zip(rest) {
            *lane += value * value;
        }
        f64::from(lanes.iter().sum::<f32>())
    };
    values.chunks(16 * LANES).map(of_run).sum::<f64>() as f32
}

/// The sum of `[groups, panels, features, width]` → `[groups, neurons, count]`, the first `count` features; and then what
/// `after` makes of the rows of a panel, the first of which has a number.
pub(super) fn unpack<S: Simd>(
    simd: S,
    parts: &[&[f32]],
    [features, width]: [usize; 2],
    to: &mut [f32],
    [neurons, count]: [usize; 2],
    after: impl Fn(usize, &mut [f32]) + Sync,
) {
    let Some((first, others)) = parts.split_first().filter(|_| !to.is_empty()) else { return };
    let size = to.len();
    let mut neuron = 0;
    let rows = to.chunks_exact_mut(neurons * count).flat_map(|group| group.chunks_mut(width * count));
    let panels = rows.enumerate().map(|(panel, rows)| {
        let start = neuron;
        neuron += rows.len() / count;
        (panel * features * width, start, rows)
    });
    parallel::map_many(size, panels.collect(), |(at, neuron, rows): (usize, usize, &mut [f32])| {
        by(
            simd,
            #[inline(always)]
            || {
                let of_panel = at..at + features * width;
                let mut total = first[of_panel.clone()].to_vec();
                for other in others {
                    for (sum, other) in total.iter_mut().zip(&other[of_panel.clone()]) {
                        *sum += other;
                    }
                }
                unpack_panel(&total, width, rows, count);
                after(neuron, rows);
            },
        );
    });
}

/// The columns of a panel as the rows of its neurons.
#[inline(always)]
pub(super) fn unpack_panel(panel: &[f32], width: usize, rows: &mut [f32], count: usize) {
    transpose(panel, width, rows, count, [count, rows.len() / count]);
}

/// `to_cr = from_rc`, of matrices whose rows are so far apart.
#[inline(always)]
fn transpose(from: &[f32], from_step: usize, to: &mut [f32], to_step: usize, [rows, columns]: [usize; 2]) {
    for row in (0..rows).step_by(SQUARE) {
        let count = SQUARE.min(rows - row);
        for first in (0..columns).step_by(SQUARE) {
            for column in first..columns.min(first + SQUARE) {
                let to = &mut to[column * to_step + row..][..count];
                let from = from[row * from_step + column..].iter().step_by(from_step);
                for (to, from) in to.iter_mut().zip(from) {
                    *to = *from;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    #[test]
    fn what_was_packed_is_unpacked() {
        let (groups, sizes) = (3, [21, 37]);
        let w: Vec<f32> = (0..groups * 21 * 37).map(|i| i as f32).collect();
        let (packed, energies) = pack(Scalar, &w, sizes, [40, 8]);
        assert_eq!(packed.len(), groups * 3 * 40 * 8);
        // neuron 9 of group 1 is lane 1 of its second panel
        assert_eq!(packed[(3 + 1) * 320 + 5 * 8 + 1], w[(21 + 9) * 37 + 5]);
        let exact = |row: &[f32]| row.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() as f32;
        let expected: Vec<f32> = w.chunks_exact(37).map(exact).collect();
        assert!(energies.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-6 * b));
        let mut back = vec![0.0; w.len()];
        unpack(Scalar, &[&packed], [40, 8], &mut back, sizes, |_, _| ());
        assert_eq!(back, w);
        unpack(Scalar, &[&packed, &packed], [40, 8], &mut back, sizes, |neuron, rows| {
            assert_eq!(rows[0], 2.0 * w[neuron * 37]);
            rows.fill(neuron as f32);
        });
        assert_eq!([back[0], back[37 * 16], back[37 * 21]], [0.0, 16.0, 21.0]);
        assert_eq!(packed.iter().sum::<f32>(), w.iter().sum::<f32>());
    }
}
