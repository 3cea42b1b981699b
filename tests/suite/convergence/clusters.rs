//! Cluster centers, shares of wins, and maps.

use burn::tensor::{Device, Tensor, TensorData};
use burn_hebbian::{
    prelude::*,
    rules::{Lateral, Neighborhood, Similarity},
};
use burn_hebbian_tests::values::{numbers, tensor, vec};
use libtest_mimic::Trial;

use super::{distance, linear, train, train_layer, weights};
use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("convergence::wta_finds_cluster_centers", cluster_centers),
        on_flex("convergence::abstention_equalises_wins", abstention),
        on_flex("convergence::som_is_ordered", som_is_ordered),
    ]
}

const CENTERS: [[f64; 3]; 4] = [[2.0, 0.0, 1.0], [-1.0, 2.0, 0.0], [0.0, -2.0, 1.0], [1.0, 1.0, -2.0]];

/// 50 points around each of four centers.
fn clusters(device: &Device) -> Tensor<2> {
    let noise = numbers(61, 200 * 3);
    let value = |i: usize, f: usize| CENTERS[i % 4][f] as f32 + 0.2 * noise[i * 3 + f];
    let values: Vec<f32> = (0..200).flat_map(|i| (0..3).map(move |f| value(i, f))).collect();
    Tensor::from_data(TensorData::new(values, [200, 3]), device)
}

fn euclidean(rule: Rule) -> Rule {
    rule.with_similarity(Similarity::Gaussian { sigma: Some(1.0) })
}

/// Each neuron, started from another cluster's first point, ends at the mean of the cluster's points.
fn cluster_centers(device: &Device) {
    let x = clusters(device);
    let start = x.clone().narrow(0, 0, 4).transpose();
    let found = train(start, euclidean(Rule::hard_wta()), |_| 0.5, 40, |_| x.clone());
    let points = vec(x);
    for (k, w) in found.iter().enumerate() {
        let members = (0..200).filter(|i| i % 4 == k);
        let mean: Vec<f64> =
            (0..3).map(|f| members.clone().map(|i| points[i * 3 + f]).sum::<f64>() / 50.0).collect();
        assert!(distance(w, &mean) < 1e-4, "neuron {k} at {w:?}, the cluster at {mean:?}");
        assert!(distance(w, &CENTERS[k]) < 0.1, "neuron {k} at {w:?}, the center at {:?}", CENTERS[k]);
    }
}

/// The share of patches each neuron wins.
fn wins(layer: &HebbianLinear, x: &Tensor<2>) -> Vec<f64> {
    let (points, weights) = (vec(x.clone()), weights(layer));
    let [n, inputs] = x.dims();
    let mut wins = vec![0.0; weights.len()];
    for point in points.chunks(inputs) {
        let nearest = (0..weights.len())
            .min_by(|a, b| distance(point, &weights[*a]).total_cmp(&distance(point, &weights[*b])));
        wins[nearest.unwrap()] += 1.0 / n as f64;
    }
    wins
}

/// One neuron starts in the middle of the data, the others far away: alone it would win for ever.
fn abstention(device: &Device) {
    let x = tensor::<2>(62, [256, 4], device);
    let far = tensor::<2>(63, [7, 4], device).add_scalar(5.0);
    let start = Tensor::cat(vec![Tensor::full([1, 4], 0.1, device), far], 0).transpose();
    let similar = |rule: Rule| rule.with_similarity(Similarity::Gaussian { sigma: Some(3.0) });
    let train =
        |rule| wins(&train_layer(linear(start.clone(), similar(rule)), |_| 0.1, 400, |_| x.clone()), &x);
    let (alone, together) = (train(Rule::hard_wta()), train(Rule::abstaining_wta(5)));
    assert!(alone[0] > 0.99, "without abstention one neuron wins: {alone:?}");
    let least = together.iter().copied().fold(1.0, f64::min);
    assert!(least > 0.1, "with it all of 8 neurons win alike: {together:?}");
}

/// Of uniform points in a square, the two nearest neurons of a map are neighbors on it.
fn som_is_ordered(device: &Device) {
    let side = 5;
    let rule = euclidean(Rule::som([side, side])).with_lateral(Lateral::Map {
        size: vec![side, side],
        neighborhood: Neighborhood::Gaussian,
        sigma: Some(3.0),
        tau: 300.0,
    });
    let x = |step: usize| tensor::<2>(700 + (step % 40) as u64, [64, 2], device);
    let start = tensor::<2>(64, [2, side * side], device).mul_scalar(0.1);
    let layer = train_layer(linear(start, rule), |_| 0.2, 400, x);
    let weights = weights(&layer);
    let errors = vec(x(7)).chunks(2).filter(|point| !neighbors(point, &weights, side)).count();
    assert!(errors <= 6, "{errors} of 64 points between neurons that are no neighbors");
    let widest = weights.iter().flatten().fold(0.0_f64, |widest, value| widest.max(value.abs()));
    assert!(widest > 0.6, "the map covers the square, not its middle: {widest}");
}

/// Whether the two neurons nearest to a point touch on the map.
fn neighbors(point: &[f64], weights: &[Vec<f64>], side: usize) -> bool {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| distance(point, &weights[*a]).total_cmp(&distance(point, &weights[*b])));
    let place = |k: usize| (k / side, k % side);
    let (a, b) = (place(order[0]), place(order[1]));
    a.0.abs_diff(b.0) <= 1 && a.1.abs_diff(b.1) <= 1
}
