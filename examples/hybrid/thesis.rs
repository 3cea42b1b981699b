//! The hybrid configurations of the thesis on the six-layer net, as plans.
//!
//! Differs from the thesis: features below a Hebbian top come from the whole net, with its Hebbian outputs, not from
//! separate nets of one to five layers; all layers of a plan learn in all its epochs, where the thesis gives Hebbian
//! layers 2 epochs and SGD 20; the last epoch counts, not the best one.
//!
//! Source: G. Lagani, *Hebbian learning algorithms for training convolutional neural networks*, master's thesis,
//! University of Pisa (2019).

use std::ops::RangeInclusive;

use burn_hebbian::prelude::*;
use burn_hebbian_examples::models::SixLayerConfig;

use crate::task::NamedPlan;

/// Number of classes of CIFAR-10.
pub(crate) const CLASSES: usize = 10;

/// A name, the layers, counted from 1, that are Hebbian, and the test accuracy that the thesis gives in percent.
///
/// - from the first layer on: SGD trains what lies above;
/// - up to the last layer: on the features of a net that SGD has trained;
/// - in between: SGD trains what lies below and above, its gradients pass through.
#[allow(clippy::reversed_empty_ranges)] // of sgd, none
const CONFIGURATIONS: [(&str, RangeInclusive<usize>, f64); 22] = [
    ("sgd", 1..=0, 84.95),
    ("bottom-1", 1..=1, 84.93),
    ("bottom-2", 1..=2, 78.61),
    ("bottom-3", 1..=3, 67.87),
    ("bottom-4", 1..=4, 57.56),
    ("bottom-5", 1..=5, 41.78),
    ("top-1", 2..=6, 32.95),
    ("top-2", 3..=6, 50.43),
    ("top-3", 4..=6, 71.18),
    ("top-4", 5..=6, 83.16),
    ("top-5", 6..=6, 84.88),
    ("middle-2", 2..=2, 80.36),
    ("middle-3", 3..=3, 80.68),
    ("middle-4", 4..=4, 80.92),
    ("middle-5", 5..=5, 83.75),
    ("middle-2-3", 2..=3, 72.12),
    ("middle-3-4", 3..=4, 74.98),
    ("middle-4-5", 4..=5, 76.86),
    ("middle-2-4", 2..=4, 63.68),
    ("middle-3-5", 3..=5, 62.43),
    ("middle-2-5", 2..=5, 47.24),
    ("hebbian", 1..=6, 28.59),
];

/// The first and the last layer.
const FIRST: usize = 1;
const LAST: usize = SixLayerConfig::LAYERS.len();

/// The learning rate of Hebbian layers.
const RATE: f64 = 0.1;

/// Neurons of each class in a hidden layer, from the second on, which learn with labels; its other neurons learn from every
/// image.
const PER_CLASS: [usize; 4] = [8, 16, 24, 28];

/// The share of the epochs in which SGD trains the features below a Hebbian top.
const SGD_SHARE: f64 = 0.75;

/// All configurations, for a training of so many epochs; those with a Hebbian top need 2.
pub(crate) fn plans(epochs: usize) -> Vec<NamedPlan> {
    let possible = |layers: &RangeInclusive<usize>| epochs > 1 || !is_top(layers);
    let named = |(name, layers, published): (&str, RangeInclusive<usize>, f64)| NamedPlan {
        name: name.to_string(),
        what: what(&layers),
        plan: plan(&layers, epochs),
        published: Some(published),
    };
    CONFIGURATIONS.into_iter().filter(|(_, layers, _)| possible(layers)).map(named).collect()
}

fn is_top(layers: &RangeInclusive<usize>) -> bool {
    *layers.start() > FIRST && *layers.end() == LAST
}

fn what(layers: &RangeInclusive<usize>) -> String {
    if layers.is_empty() {
        return "all by SGD".to_string();
    }
    let names = layers.clone().map(name).collect::<Vec<_>>().join(", ");
    let others = match (*layers.start(), *layers.end()) {
        (FIRST, LAST) => "",
        (FIRST, _) => ", SGD above",
        (_, LAST) => " on features by SGD",
        _ => ", SGD below and above",
    };
    format!("{names} Hebbian{others}")
}

fn plan(layers: &RangeInclusive<usize>, epochs: usize) -> Plan {
    if is_top(layers) {
        return on_features(layers, epochs);
    }
    let flow = if *layers.start() == FIRST { |local| local } else { LocalTraining::passing_gradients };
    layers.clone().fold(Plan::new(), |plan, layer| {
        let plan = plan.local(name(layer), flow(rule(layer).into())).at_rate(RATE);
        if layer < LAST { plan.frozen(format!("bn{layer}")) } else { plan }
    })
}

/// First the whole net by SGD, then its top by Hebbian rules.
fn on_features(layers: &RangeInclusive<usize>, epochs: usize) -> Plan {
    // max: some epoch for SGD
    let last = ((epochs as f64 * SGD_SHARE) as usize).max(1);
    let features = Plan::new().backprop(".*").in_epochs(..=last);
    layers.clone().fold(features, |plan, layer| {
        plan.local(name(layer), rule(layer)).at_rate(RATE).in_epochs(last + 1..)
    })
}

fn name(layer: usize) -> &'static str {
    SixLayerConfig::LAYERS[layer - 1]
}

fn rule(layer: usize) -> Rule {
    match layer {
        FIRST => Rule::hard_wta(),
        LAST => Rule::teacher(),
        _ => {
            let per_class = PER_CLASS[layer - 2];
            let order = GroupOrder::ClassesFirst;
            Rule::hard_wta().with_teacher(Teacher::ClassGroups { classes: CLASSES, per_class, order })
        }
    }
}
