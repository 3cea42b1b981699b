//! Order on a map of neurons.

use burn::tensor::Tensor;

use super::vectors::scalar;

/// The mean distance of neighbors on a map over the mean distance of all pairs; 1 if there is no order.
pub(crate) fn neighbor_distance(vectors: Tensor<2>, size: [usize; 2]) -> f64 {
    let [rows, columns] = size;
    let neighbors = |i: usize| {
        let right = (i % columns + 1 < columns).then_some(i + 1);
        let below = (i / columns + 1 < rows).then_some(i + columns);
        right.into_iter().chain(below)
    };
    let pairs = (0..rows * columns).flat_map(|i| neighbors(i).map(move |j| (i, j)));
    let all = (0..rows * columns).flat_map(|i| (0..i).map(move |j| (i, j)));
    mean_distance(&vectors, pairs) / mean_distance(&vectors, all)
}

/// The share of patches whose best and second-best neuron are no neighbors, diagonals included.
pub(crate) fn topographic_error(scores: Tensor<2>, columns: usize) -> f64 {
    let best: Vec<i64> = scores.topk_with_indices(2, 1).1.into_data().iter().collect();
    let place = |neuron: i64| (neuron as usize / columns, neuron as usize % columns);
    let apart = |pair: &&[i64]| {
        let ((a, b), (c, d)) = (place(pair[0]), place(pair[1]));
        a.abs_diff(c).max(b.abs_diff(d)) > 1
    };
    let pairs = best.chunks_exact(2);
    pairs.clone().filter(apart).count() as f64 / pairs.len() as f64
}

fn mean_distance(vectors: &Tensor<2>, pairs: impl Iterator<Item = (usize, usize)>) -> f64 {
    let row = |i: usize| vectors.clone().narrow(0, i, 1);
    let distances: Vec<f64> = pairs
        .map(|(i, j)| row(i) - row(j))
        .map(|difference| scalar((difference.clone() * difference).sum()).sqrt())
        .collect();
    distances.iter().sum::<f64>() / distances.len() as f64
}
