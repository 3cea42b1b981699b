//! Pooling between a layer's drive and the state above it, and its transpose.

use burn::tensor::{Int, Tensor, ops::PadMode};
use serde::{Deserialize, Serialize};

/// Pooling on the edge between two states, in windows side by side. Rows and columns that fill no window are dropped.
///
/// The transpose of the average gives every cell of a window its share; that of the maximum gives all to the cell of the
/// largest drive (of equal ones to the first), which moves while states settle.
///
/// ```
/// use burn_hebbian_feedback::Pool;
///
/// assert_eq!(Pool::max(2).output_shape(&[3, 7, 6]).unwrap(), [3, 3, 3]);
/// assert!(Pool::average(4).output_shape(&[3, 2]).is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pool {
    /// None.
    #[default]
    None,
    /// The largest of each window.
    Max {
        /// Cells along every axis of positions.
        size: usize,
    },
    /// The mean of each window.
    Average {
        /// Cells along every axis of positions.
        size: usize,
    },
}

/// Where the values of a state came from.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// From where they are.
    Same,
    /// From all cells of their windows alike.
    All,
    /// From one cell of each window, `[n · channels, windows, 1]`.
    One(Box<Tensor<3, Int>>),
}

impl Pool {
    /// The maximum of windows of so many cells along every axis.
    pub fn max(size: usize) -> Self {
        Self::Max { size }
    }

    /// The mean of windows of so many cells along every axis.
    pub fn average(size: usize) -> Self {
        Self::Average { size }
    }

    fn size(&self) -> usize {
        match *self {
            Self::None => 1,
            Self::Max { size } | Self::Average { size } => size,
        }
    }

    /// The shape of a state above drives of this shape, `[channels, positions…]`.
    ///
    /// # Errors
    ///
    /// If windows are empty, or none of them is filled.
    pub fn output_shape(&self, drive: &[usize]) -> Result<Vec<usize>, String> {
        let size = self.size();
        if *self == Self::None {
            return Ok(drive.to_vec());
        }
        if size == 0 || drive.len() < 2 || drive.len() > 4 || drive[1..].iter().any(|length| *length < size) {
            return Err(format!("{self:?} pools positions, and finds no window in {drive:?}"));
        }
        Ok(std::iter::once(drive[0]).chain(drive[1..].iter().map(|length| length / size)).collect())
    }

    /// The cells of the transpose, unless they follow the drive.
    pub(crate) fn fixed_cells(&self) -> Option<Cells> {
        match self {
            Self::None => Some(Cells::Same),
            Self::Average { .. } => Some(Cells::All),
            Self::Max { .. } => None,
        }
    }

    /// Flat drives of this shape, pooled; and from where the values came.
    pub(crate) fn apply(&self, drive: Tensor<2>, shape: &[usize]) -> (Tensor<2>, Cells) {
        let n = drive.dims()[0];
        let flat = |pooled: Tensor<3>| {
            let values = pooled.dims().iter().product::<usize>() / n;
            pooled.reshape([n, values])
        };
        match self {
            Self::None => (drive, Cells::Same),
            Self::Average { .. } => (flat(self.windows(drive, shape).mean_dim(2)), Cells::All),
            Self::Max { .. } => {
                let (largest, cells) = self.windows(drive, shape).max_dim_with_indices(2);
                (flat(largest), Cells::One(Box::new(cells)))
            }
        }
    }

    /// The transpose: flat values of a state laid where they came from, in drives of this shape.
    pub(crate) fn spread(&self, values: Tensor<2>, cells: &Cells, shape: &[usize]) -> Tensor<2> {
        let n = values.dims()[0];
        let Windows { axes, counts, sizes } = Windows::of(shape, self.size());
        let (windows, taps) = (counts.iter().product(), sizes.iter().product::<usize>());
        let dims = [n * shape[0], windows, taps];
        let spread = match cells {
            Cells::Same => return values,
            Cells::All => {
                let values: Tensor<3> = values.reshape([dims[0], windows, 1]).div_scalar(taps as f64);
                values.expand(dims)
            }
            Cells::One(cells) => {
                let zeros = Tensor::<3>::zeros(dims, (&values.device(), values.dtype()));
                let values = values.reshape([dims[0], windows, 1]);
                zeros.scatter(2, (**cells).clone(), values, burn::tensor::IndexingUpdateOp::Add)
            }
        };
        let [d, h, w] = counts;
        let [a, b, c] = sizes;
        // depth apart from the other axes, and then these: not every backend has seven of them
        let areas = spread.reshape([dims[0], d, h * w, a, b * c]).swap_dims(2, 3);
        let laid = areas.reshape([dims[0] * d * a, h, w, b, c]).swap_dims(2, 3);
        let laid: Tensor<4> = laid.reshape([dims[0], d * a, h * b, w * c]);
        let dropped = [0, 1, 2].map(|axis| (0, axes[axis] - counts[axis] * sizes[axis]));
        let laid = if dropped == [(0, 0); 3] { laid } else { laid.pad(dropped, PadMode::Constant(0.0)) };
        laid.reshape([n, shape.iter().product()])
    }

    /// Flat drives of this shape by window, `[n · channels, windows, cells]`.
    fn windows(&self, drive: Tensor<2>, shape: &[usize]) -> Tensor<3> {
        let n = drive.dims()[0];
        let Windows { axes: [depth, height, width], counts: [d, h, w], sizes: [a, b, c] } =
            Windows::of(shape, self.size());
        let images = n * shape[0];
        let filled: Tensor<4> = drive.reshape([images, depth, height, width]);
        let filled = filled.slice([0..images, 0..d * a, 0..h * b, 0..w * c]);
        let areas = filled.reshape([images * d * a, h, b, w, c]).swap_dims(2, 3);
        let apart = areas.reshape([images, d, a, h * w, b * c]).swap_dims(2, 3);
        apart.reshape([images, d * h * w, a * b * c])
    }
}

/// Positions on three axes, of which those that are missing lead with one element.
struct Windows {
    axes: [usize; 3],
    counts: [usize; 3],
    sizes: [usize; 3],
}

impl Windows {
    fn of(shape: &[usize], size: usize) -> Self {
        let (mut axes, mut sizes) = ([1; 3], [1; 3]);
        for (axis, length) in (4 - shape.len()..3).zip(&shape[1..]) {
            (axes[axis], sizes[axis]) = (*length, size);
        }
        Self { axes, sizes, counts: [0, 1, 2].map(|axis| axes[axis] / sizes[axis]) }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;

    /// 2 images of 3 channels and 5 × 4 positions: the last row is dropped.
    fn drive() -> Tensor<2> {
        let values: Vec<f32> = (0..120).map(|i| ((i * 37) % 101) as f32).collect();
        Tensor::from_data(TensorData::new(values, [2, 60]), &Device::flex())
    }

    fn vec(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn windows_are_pooled_where_they_lie() {
        let x = vec(drive());
        for (pool, largest) in [(Pool::max(2), true), (Pool::average(2), false)] {
            let pooled = vec(pool.apply(drive(), &[3, 5, 4]).0);
            for image in 0..6 {
                for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let cell = |y: usize, z: usize| x[image * 20 + (2 * row + y) * 4 + 2 * column + z];
                    let cells = [cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1)];
                    let expected = match largest {
                        true => cells.into_iter().fold(f32::MIN, f32::max),
                        false => cells.iter().sum::<f32>() / 4.0,
                    };
                    assert_eq!(pooled[image * 4 + row * 2 + column], expected, "{pool:?}");
                }
            }
        }
    }

    /// `⟨P x, y⟩ = ⟨x, U y⟩` where the cells are those of `x`.
    #[test]
    fn the_transpose_is_one() {
        for pool in [Pool::max(2), Pool::average(2), Pool::max(3), Pool::None] {
            let shape = [3, 5, 4];
            let (pooled, cells) = pool.apply(drive(), &shape);
            let y = pooled.clone().cos();
            let left = vec((pooled * y.clone()).sum_dim(1));
            let right = vec((drive() * pool.spread(y, &cells, &shape)).sum_dim(1));
            for (left, right) in left.iter().zip(&right) {
                assert!((left - right).abs() < 1e-3 * left.abs(), "{pool:?}: {left} and {right}");
            }
        }
    }

    /// Volumes, whose cells lie on three axes.
    #[test]
    fn volumes_are_pooled_too() {
        let shape = [2, 3, 5, 4];
        let x: Tensor<2> = drive().reshape([1, 120]);
        let values = vec(x.clone());
        let (pooled, cells) = Pool::max(2).apply(x.clone(), &shape);
        for (k, largest) in vec(pooled.clone()).into_iter().enumerate() {
            let (channel, row, column) = (k / 4, k / 2 % 2, k % 2);
            let at = |z: usize, y: usize, c: usize| {
                values[channel * 60 + z * 20 + (2 * row + y) * 4 + 2 * column + c]
            };
            let cells = (0..8).map(|cell| at(cell / 4, cell / 2 % 2, cell % 2));
            assert_eq!(largest, cells.fold(f32::MIN, f32::max));
        }
        let spread = Pool::max(2).spread(pooled.clone(), &cells, &shape);
        assert_eq!(
            vec((spread.clone() - x).mul(spread.clone()).abs().sum_dim(1)),
            [0.0],
            "where they came from"
        );
        assert_eq!(vec(spread.sum_dim(1)), vec(pooled.sum_dim(1)));
    }

    #[test]
    fn of_equal_drives_the_first_is_chosen() {
        let zeros = Tensor::<2>::zeros([1, 4], &Device::flex());
        let pool = Pool::max(2);
        let (pooled, cells) = pool.apply(zeros, &[1, 2, 2]);
        assert_eq!(vec(pool.spread(pooled.ones_like(), &cells, &[1, 2, 2])), [1.0, 0.0, 0.0, 0.0]);
    }
}
