//! Products of centered features, a chunk of rows at a time.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use faer::Mat;

use crate::{
    data::Labeled,
    evaluation::features::{matrix, mean},
};

/// Features that are multiplied at a time: so many products are summed in `f32`, the rest in `f64`.
const CHUNK: usize = 4096;

/// Features less their mean.
pub(super) struct Centered<'a> {
    features: &'a Labeled,
    mean: Tensor<2>,
    device: Device,
}

impl<'a> Centered<'a> {
    pub(super) fn new(features: &'a Labeled, device: &Device) -> Self {
        let mean = matrix(mean(features), features.image_len(), device);
        Self { features, mean, device: device.clone() }
    }

    /// `[1, values]`.
    pub(super) fn mean(&self) -> Tensor<2> {
        self.mean.clone()
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Number of features and of the values of one.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.features.len(), self.features.image_len()]
    }

    /// `XᵀX`, `[values, values]`.
    pub(super) fn gram(&self) -> Mat<f64> {
        let [_, width] = self.size();
        let mut gram = Mat::zeros(width, width);
        for rows in self.chunks() {
            let chunk = self.rows(rows);
            add(&mut gram, [0, 0], chunk.clone().transpose().matmul(chunk));
        }
        gram
    }

    /// The lower triangle of `XXᵀ`, `[n, n]`, and some of what lies above.
    pub(super) fn kernel(&self) -> Mat<f64> {
        let [n, _] = self.size();
        let mut kernel = Mat::zeros(n, n);
        for right in self.chunks() {
            let chunk = self.rows(right.clone());
            for below in self.chunks().filter(|below| below.start >= right.start) {
                let product = chunk.clone().matmul(self.rows(below.clone()).transpose());
                add(&mut kernel, [below.start, right.start], product);
            }
        }
        kernel
    }

    /// `XᵀA`, `[values, columns]`, of `A` `[n, columns]`.
    pub(super) fn transposed_times(&self, a: &Mat<f64>) -> Mat<f64> {
        let [_, width] = self.size();
        let mut product = Mat::zeros(width, a.ncols());
        for rows in self.chunks() {
            let columns = (0..a.ncols()).flat_map(|column| rows.clone().map(move |row| (row, column)));
            let transposed = columns.map(|(row, column)| a[(row, column)] as f32).collect();
            let transposed = matrix(transposed, rows.len(), &self.device); // [columns, rows]
            add(&mut product, [0, 0], transposed.matmul(self.rows(rows)));
        }
        product
    }

    fn chunks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let n = self.features.len();
        (0..n).step_by(CHUNK).map(move |begin| begin..(begin + CHUNK).min(n))
    }

    /// `[rows, values]`.
    fn rows(&self, rows: Range<usize>) -> Tensor<2> {
        let width = self.features.image_len();
        let values = self.features.values[rows.start * width..rows.end * width].to_vec();
        matrix(values, width, &self.device) - self.mean.clone()
    }
}

/// Adds row `i` of `product` to column `column + i` of `sums`, from row `row` on.
fn add(sums: &mut Mat<f64>, [row, column]: [usize; 2], product: Tensor<2>) {
    let [columns, rows] = product.dims();
    let product: Vec<f32> = product.into_data().iter::<f32>().collect();
    for (i, values) in product.chunks(rows).enumerate().take(columns) {
        let sums = sums.as_mut().subrows_mut(row, rows).col_mut(column + i);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(*value));
    }
}
