//! Weights in the order of the products, and back.

use crate::parallel;

/// Rows and columns that are transposed at a time.
const SQUARE: usize = 16;

/// `[groups, neurons, fan-in]` → `[groups, panels, features, width]`; what is beyond the last neuron or feature is 0.
pub(super) fn pack(w: &[f32], [neurons, fan_in]: [usize; 2], [features, width]: [usize; 2]) -> Vec<f32> {
    let groups = w.len() / (neurons * fan_in);
    let mut packed = vec![0.0; groups * neurons.div_ceil(width) * features * width];
    let panels = w.chunks_exact(neurons * fan_in).flat_map(|group| group.chunks(width * fan_in));
    let parts = panels.zip(packed.chunks_exact_mut(features * width)).collect();
    parallel::map(parts, |(rows, panel)| {
        transpose(rows, fan_in, panel, width, [rows.len() / fan_in, fan_in])
    });
    packed
}

/// `[groups, panels, features, width]` → `[groups, neurons, count]`, the first `count` features.
pub(super) fn unpack(
    packed: &[f32],
    [features, width]: [usize; 2],
    to: &mut [f32],
    [neurons, count]: [usize; 2],
) {
    if to.is_empty() {
        return;
    }
    let rows = to.chunks_exact_mut(neurons * count).flat_map(|group| group.chunks_mut(width * count));
    let parts = packed.chunks_exact(features * width).zip(rows).collect();
    parallel::map(parts, |(panel, rows): (&[f32], &mut [f32])| {
        let lanes = rows.len() / count;
        transpose(panel, width, rows, count, [count, lanes]);
    });
}

/// `to_cr = from_rc`, of matrices whose rows are so far apart.
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
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked() {
        let (groups, sizes) = (3, [21, 37]);
        let w: Vec<f32> = (0..groups * 21 * 37).map(|i| i as f32).collect();
        let packed = pack(&w, sizes, [40, 8]);
        assert_eq!(packed.len(), groups * 3 * 40 * 8);
        // neuron 9 of group 1 is lane 1 of its second panel
        assert_eq!(packed[(3 + 1) * 320 + 5 * 8 + 1], w[(21 + 9) * 37 + 5]);
        let mut back = vec![0.0; w.len()];
        unpack(&packed, [40, 8], &mut back, sizes);
        assert_eq!(back, w);
        assert_eq!(packed.iter().sum::<f32>(), w.iter().sum::<f32>());
    }
}
