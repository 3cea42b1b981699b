//! The code of one image on plain numbers.

use pulp::Arch;

use super::select::{LANES, Lane, thresholds};

/// Windows that a code is averaged over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    pub(super) size: usize,
    pub(super) stride: usize,
    /// Rows and columns of positions.
    pub(super) sides: [usize; 2],
}

impl Windows {
    /// Rows and columns of windows.
    pub(super) fn counts(self) -> [usize; 2] {
        self.sides.map(|side| (side - self.size) / self.stride + 1)
    }
}

/// What is made of every image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded {
    pub(super) neurons: usize,
    /// How many of them are near.
    pub(super) near: usize,
    pub(super) windows: Option<Windows>,
}

/// What one position is near from: at least the one, at most the other.
struct Bounds {
    near: Vec<f32>,
    far: Vec<f32>,
}

impl Coded {
    /// Numbers of an image's code.
    pub(super) fn results(&self, positions: usize) -> usize {
        let places = self.windows.map_or(positions, |windows| windows.counts().iter().product());
        2 * self.neurons * places
    }

    /// From similarities `[neurons, positions]` to the code, `[2 · neurons, positions or windows]`.
    pub(super) fn image(&self, s: &[f32], positions: usize, code: &mut [f32]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let bounds = self.bounds(s, positions);
                let (near, far) = code.split_at_mut(code.len() / 2);
                self.write(s, positions, &bounds.near, |s, bound| s >= bound, near);
                self.write(s, positions, &bounds.far, |s, bound| s <= bound, far);
            },
        );
    }

    #[inline(always)]
    fn bounds(&self, s: &[f32], positions: usize) -> Bounds {
        let mut bounds = Bounds { near: vec![0.0; positions], far: vec![0.0; positions] };
        let mut values: Vec<Lane> = vec![[0.0; LANES]; self.neurons];
        for first in (0..positions).step_by(LANES) {
            let count = LANES.min(positions - first);
            for (value, row) in values.iter_mut().zip(s.chunks_exact(positions)) {
                value[..count].copy_from_slice(&row[first..first + count]);
            }
            let near = thresholds(&values, self.near);
            values.iter_mut().for_each(|value| *value = value.map(|s| -s));
            let far = thresholds(&values, self.near).map(|s| -s);
            bounds.near[first..first + count].copy_from_slice(&near[..count]);
            bounds.far[first..first + count].copy_from_slice(&far[..count]);
        }
        bounds
    }

    /// One sign of the code, as it is or averaged.
    #[inline(always)]
    fn write(
        &self,
        s: &[f32],
        positions: usize,
        bounds: &[f32],
        is_near: impl Fn(f32, f32) -> bool,
        code: &mut [f32],
    ) {
        // NaN where there is no bound
        let base: Vec<f32> = bounds.iter().map(|bound| if bound.is_nan() { f32::NAN } else { 0.0 }).collect();
        let mut bits = vec![0.0; positions];
        let width = code.len() / self.neurons;
        for (row, code) in s.chunks_exact(positions).zip(code.chunks_exact_mut(width)) {
            let target = if self.windows.is_some() { &mut bits[..] } else { &mut *code };
            for (((bit, s), bound), base) in target.iter_mut().zip(row).zip(bounds).zip(&base) {
                *bit = if is_near(*s, *bound) { 1.0 } else { *base };
            }
            if let Some(windows) = self.windows {
                average(&bits, windows, code);
            }
        }
    }
}

/// Means over windows: sums of rows first, then of columns.
#[inline(always)]
fn average(bits: &[f32], windows: Windows, means: &mut [f32]) {
    /// Columns that are summed at a time.
    const COLUMNS: usize = 64;
    let Windows { size, stride, sides: [_, width] } = windows;
    let [_, across] = windows.counts();
    let share = 1.0 / (size * size) as f32;
    let mut buffer = [0.0; COLUMNS];
    let mut long = vec![];
    let sums = if width <= COLUMNS {
        &mut buffer[..width]
    } else {
        long.resize(width, 0.0);
        &mut long[..]
    };
    for (row, means) in means.chunks_exact_mut(across).enumerate() {
        sums.fill(0.0);
        for line in bits[row * stride * width..].chunks_exact(width).take(size) {
            sums.iter_mut().zip(line).for_each(|(sum, bit)| *sum += bit);
        }
        for (column, mean) in means.iter_mut().enumerate() {
            *mean = sums[column * stride..][..size].iter().sum::<f32>() * share;
        }
    }
}
