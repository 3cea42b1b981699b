//! The convolutions of four networks, in the sizes in which [`networks`](crate::networks) trains them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use burn::tensor::Device;
use burn_hebbian::{
    lab::strategies::case,
    optim::Rest,
    prelude::*,
    rules::{Activity, Factors},
};

use crate::{grid::Case, networks::Network};

/// Convolutions that occur so many times.
pub type Layers = Vec<(Case, usize)>;

/// The six-layer net on 32 × 32 pixels.
pub fn six_layer() -> Layers {
    let layer = |channels, kernel, size| (case("six-layer", 64, channels, [kernel, 1, 0], 1, size), 1);
    vec![layer([3, 96], 5, 32), layer([96, 128], 3, 14), layer([128, 192], 3, 12), layer([192, 256], 3, 5)]
}

/// VGG-11 on 224 × 224 pixels.
pub fn vgg11() -> Layers {
    let layer = |channels, size, count| (case("VGG-11", 2, channels, [3, 1, 1], 1, size), count);
    vec![
        layer([3, 64], 224, 1),
        layer([64, 128], 112, 1),
        layer([128, 256], 56, 1),
        layer([256, 256], 56, 1),
        layer([256, 512], 28, 1),
        layer([512, 512], 28, 1),
        layer([512, 512], 14, 2),
    ]
}

/// ResNet-18 on 64 × 64 pixels.
pub fn resnet18() -> Layers {
    let layer = |channels, window, size, count| (case("ResNet-18", 16, channels, window, 1, size), count);
    let mut layers = vec![layer([3, 64], [7, 2, 3], 64, 1), layer([64, 64], [3, 1, 1], 16, 4)];
    for (neurons, size) in [(128, 16), (256, 8), (512, 4)] {
        layers.push(layer([neurons / 2, neurons], [3, 2, 1], size, 1));
        layers.push(layer([neurons / 2, neurons], [1, 2, 0], size, 1));
        layers.push(layer([neurons, neurons], [3, 1, 1], size / 2, 3));
    }
    layers
}

/// DenseNet-121 on 64 × 64 pixels.
pub fn densenet121() -> Layers {
    let layer = |channels, window, size, count| (case("DenseNet-121", 16, channels, window, 1, size), count);
    let mut layers = vec![layer([3, 64], [7, 2, 3], 64, 1)];
    let mut channels = 64;
    for (depth, size) in [(6, 16), (12, 8), (24, 4), (16, 2)] {
        if size < 16 {
            layers.push(layer([channels, channels / 2], [1, 1, 0], 2 * size, 1));
            channels /= 2;
        }
        layers.push(layer([128, 32], [3, 1, 1], size, depth));
        for _ in 0..depth {
            layers.push(layer([channels, 128], [1, 1, 0], size, 1));
            channels += 32;
        }
    }
    layers
}

/// Neurons, fan-in and patches of a layer.
type Sizes = [usize; 3];

/// Checks that a network has these convolutions and no others.
///
/// # Panics
///
/// If it has others.
pub fn check<N: Network>(layers: &Layers) {
    let mut known = BTreeMap::new();
    for (case, count) in layers {
        *known.entry(case.sizes()).or_insert(0) += count;
    }
    assert_eq!(observed::<N>(), known, "{}: left the model's convolutions, right the bench's", N::NAME);
}

/// What a model's convolutions see in one pass: how many there are of each size.
fn observed<N: Network>() -> BTreeMap<Sizes, usize> {
    let device = Device::flex();
    let net = N::new(true, &device);
    let census = Census::default();
    let plan =
        Plan::new().local(".*conv[0-9]?", LocalTraining::custom(census.clone())).with_rest(Rest::Frozen);
    let (net, plan) = plan.bind(net).expect("the plan fits");
    let pass = plan.observe(&net, Signals::none(), |net| net.scores(N::images(&device)));
    drop(pass.expect("the net is bound"));
    let sizes = census.0.lock().expect("no layer panicked");
    sizes.clone()
}

/// A rule that counts the layers that ask it.
#[derive(Debug, Clone, Default)]
struct Census(Arc<Mutex<BTreeMap<Sizes, usize>>>);

impl LocalRule for Census {
    fn factors(&self, activity: &Activity) -> Factors {
        let [n, _, neurons, positions] = activity.dot().dims();
        let mut sizes = self.0.lock().expect("no layer panicked");
        *sizes.entry([neurons, activity.layout().fan_in(), n * positions]).or_insert(0) += 1;
        Factors::new(activity.dot())
    }
}
