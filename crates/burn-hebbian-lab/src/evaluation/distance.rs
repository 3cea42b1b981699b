//! How far queries are from the features of a database.

use burn::{
    config::Config,
    tensor::{Device, Tensor},
};

use super::features::{matrix, mean};
use crate::data::Labeled;

/// Queries that are compared at a time.
const QUERIES: usize = 512;
/// Features of the database that they are compared with at a time.
const ROWS: usize = 2048;

/// How features are compared.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `‖q − x‖`.
    Euclidean,
    /// `1 − q·x / (‖q‖ ‖x‖)`; 1 where one of them is zero.
    Cosine,
}

/// A database to compare queries with.
pub(super) struct Comparison<'a> {
    database: &'a Labeled,
    metric: Metric,
    /// What is taken from all features before they are multiplied.
    origin: Tensor<2>,
    device: Device,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(database: &'a Labeled, metric: Metric, device: &Device) -> Self {
        let device = device.clone().inner();
        let width = database.image_len();
        let origin = match metric {
            // Distances do not change, but squares are small: less is lost in their difference.
            Metric::Euclidean => matrix(mean(database), width, &device),
            Metric::Cosine => Tensor::zeros([1, width], &device),
        };
        Self { database, metric, origin, device }
    }

    /// Calls `visit` with the order keys of all features for each query, in order: smaller is nearer.
    pub(super) fn for_each(&self, queries: &Labeled, mut visit: impl FnMut(usize, &mut [u64])) {
        let (n, width) = (self.database.len(), queries.image_len());
        for (chunk, values) in queries.values.chunks(QUERIES * width).enumerate() {
            let mut keys = self.keys(self.prepare(values));
            for (query, keys) in keys.chunks_mut(n).enumerate() {
                visit(chunk * QUERIES + query, keys);
            }
        }
    }

    /// Of queries `[n, width]`, row by row.
    fn keys(&self, queries: Tensor<2>) -> Vec<u64> {
        let (n, width) = (self.database.len(), self.database.image_len());
        let mut keys = vec![0; queries.dims()[0] * n];
        for (chunk, values) in self.database.values.chunks(ROWS * width).enumerate() {
            let (first, count) = (chunk * ROWS, values.len() / width);
            let ranks: Vec<f32> = self.ranks(queries.clone(), values).into_data().iter::<f32>().collect();
            for (keys, ranks) in keys.chunks_mut(n).zip(ranks.chunks(count)) {
                let keyed = keys[first..first + count].iter_mut().zip(ranks).zip(first..);
                keyed.for_each(|((key, rank), place)| *key = order_key(*rank, place));
            }
        }
        keys
    }

    /// `[queries, rows]`, growing with the distance: its square less the query's, or the negative cosine times
    /// the query's norm.
    fn ranks(&self, queries: Tensor<2>, values: &[f32]) -> Tensor<2> {
        let rows = self.prepare(values);
        match self.metric {
            Metric::Euclidean => {
                let energies = rows.clone().square().sum_dim(1).transpose(); // [1, rows]
                energies - queries.matmul(rows.transpose()) * 2.0
            }
            Metric::Cosine => {
                // clamp: a zero feature has no direction, its product with a query is 0.
                let norms = rows.clone().square().sum_dim(1).sqrt().clamp_min(f32::MIN_POSITIVE);
                queries.matmul((rows / norms).transpose()).neg()
            }
        }
    }

    fn prepare(&self, values: &[f32]) -> Tensor<2> {
        matrix(values.to_vec(), self.database.image_len(), &self.device) - self.origin.clone()
    }
}

/// Orders by rank, then by place.
fn order_key(rank: f32, place: usize) -> u64 {
    // −0 is 0; the bits of negative numbers run backwards.
    let bits = (rank + 0.0).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | place as u64
}

/// The place that a key was made of.
pub(super) fn place(key: u64) -> usize {
    (key & u64::from(u32::MAX)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_numbers_then_places() {
        let ranks = [f32::NEG_INFINITY, -2.0, -1e-30, 0.0, 1e-30, 3.5, f32::INFINITY];
        let keys = ranks.map(|rank| order_key(rank, 7));
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert!(order_key(1.0, 7) < order_key(1.0, 8) && order_key(1.0, 9) < order_key(2.0, 1));
        assert_eq!(order_key(-0.0, 3), order_key(0.0, 3));
        assert_eq!(place(order_key(-4.5, 1234)), 1234);
    }

    /// More queries and features than are compared at a time, in 2 dimensions, against a loop over scalars.
    #[test]
    fn chunks_leave_no_seam() {
        let points = |n: usize, step: f32| {
            let mut points = Labeled::with_capacity([2, 1, 1], n);
            (0..n).for_each(|i| points.push([(i as f32 * step).sin(), i as f32 / n as f32 + 5.0], 0));
            points
        };
        let (database, queries) = (points(ROWS + 77, 0.7), points(QUERIES + 3, 0.3));
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let mut visited = 0;
            Comparison::new(&database, metric, &Device::flex()).for_each(&queries, |query, keys| {
                let near = place(*keys.iter().min().unwrap());
                let distance = |i| scalar(metric, queries.image(query), database.image(i));
                let nearest = (0..database.len()).map(distance).fold(f64::INFINITY, f64::min);
                assert!(distance(near) - nearest < 1e-5, "{metric:?} {query}: {near}");
                assert_eq!((query, keys.len()), (visited, database.len()));
                visited += 1;
            });
            assert_eq!(visited, queries.len());
        }
    }

    fn scalar(metric: Metric, q: &[f32], x: &[f32]) -> f64 {
        let product = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        match metric {
            Metric::Euclidean => (product(q, q) - 2.0 * product(q, x) + product(x, x)).max(0.0).sqrt(),
            Metric::Cosine => 1.0 - product(q, x) / (product(q, q) * product(x, x)).sqrt(),
        }
    }
}
