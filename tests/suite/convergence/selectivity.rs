//! Activity that rules regulate: selective, sparse, at a target.

use burn::{
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    prelude::*,
    rules::{Activation, Homeostasis},
};
use burn_hebbian_tests::values::{tensor, vec};
use libtest_mimic::Trial;

use super::{linear, train_layer};
use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("convergence::bcm_becomes_selective", bcm),
        on_flex("convergence::foldiak_reaches_its_target_activity_and_decorrelates", foldiak),
        on_flex("convergence::homeostasis_reaches_its_target_activity", homeostasis),
    ]
}

/// Each neuron answers to one of 16 orthogonal patterns: `1 − mean y / max y > 0.9`.
fn bcm(device: &Device) {
    let patterns = Tensor::<2>::eye(16, device);
    let start = tensor::<2>(51, [16, 5], device).abs();
    let layer = train_layer(linear(start, Rule::bcm()), |_| 0.1, 4000, |_| patterns.clone());
    let y = vec(layer.forward(patterns).clamp_min(0.0).transpose());
    for y in y.chunks(16) {
        let most = y.iter().copied().fold(0.0, f64::max);
        let selectivity = 1.0 - y.iter().sum::<f64>() / 16.0 / most;
        assert!(selectivity > 0.9, "selectivity {selectivity}: {y:?}");
    }
}

/// The sums that Földiák's outputs are made of, from the layer's state: mean activity and correlations.
fn foldiak(device: &Device) {
    let target = 0.2;
    let x = |step: usize| tensor::<2>(600 + (step % 50) as u64, [64, 10], device).abs();
    let start = tensor::<2>(52, [10, 6], device).abs().mul_scalar(0.3);
    let layer = train_layer(linear(start, Rule::foldiak(target)), |_| 0.02, 1500, x);
    let settled = settled_outputs(&layer, x(7));
    let n = settled[0].len() as f64;
    for z in &settled {
        let activity = z.iter().sum::<f64>() / n;
        assert!((activity - target).abs() < 0.06, "activity {activity}");
    }
    let pairs = (0..6).flat_map(|k| (0..k).map(move |j| (k, j)));
    let together: Vec<f64> =
        pairs.map(|(k, j)| settled[k].iter().zip(&settled[j]).map(|(a, b)| a * b).sum::<f64>() / n).collect();
    let mean = together.iter().sum::<f64>() / together.len() as f64;
    assert!((mean - target * target).abs() < 0.02, "mean ⟨z_k z_j⟩ is {mean}");
}

/// Földiák's outputs by hand, from the weights and the rule's state.
fn settled_outputs(layer: &HebbianLinear, x: Tensor<2>) -> Vec<Vec<f64>> {
    let (gain, steps, neurons) = (10.0, 20, 6);
    let state = vec(layer.rule_state().unwrap());
    let (inhibition, thresholds) = state.split_at(neurons * neurons);
    let s = vec(layer.forward(x));
    let mut all = vec![Vec::new(); neurons];
    for s in s.chunks(neurons) {
        let answer = |k: usize, from: &[f64]| {
            let inhibited: f64 = (0..neurons).map(|j| inhibition[k * neurons + j] * from[j]).sum();
            1.0 / (1.0 + (-gain * (s[k] + inhibited - thresholds[k])).exp())
        };
        let mut z: Vec<f64> = (0..neurons).map(|k| answer(k, &[0.0; 6])).collect();
        for _ in 0..steps {
            z = (0..neurons).map(|k| (z[k] + answer(k, &z)) / 2.0).collect();
        }
        all.iter_mut().zip(z).for_each(|(all, z)| all.push(z));
    }
    all
}

/// With coefficients of 0 scaling alone is left: every neuron's mean activity reaches the target.
fn homeostasis(device: &Device) {
    let scaling = Homeostasis::Scaling { target: 0.6, rate: 1.0 };
    let rule = Rule::hebb().with_activation(Activation::Relu).with_homeostasis(scaling);
    let x = tensor::<2>(53, [40, 8], device).abs();
    let layer = linear(tensor::<2>(54, [8, 5], device).abs(), rule);
    let (mut layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
    for _ in 0..300 {
        let signals = Signals::none().with_third_factor(Tensor::zeros([1, 1], device));
        let (_, seen) = optim.observe(&layer, signals, |layer| layer.forward(x.clone())).unwrap();
        layer = optim.step(0.1, layer, seen.local_only()).unwrap();
    }
    for activity in vec(layer.forward(x).clamp_min(0.0).mean_dim(0)) {
        assert!((activity - 0.6).abs() < 1e-3, "activity {activity}");
    }
}
