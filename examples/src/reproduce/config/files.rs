//! The networks and experiments of this program.

/// Names and JSON of the networks.
pub(crate) const NETS: &[(&str, &str)] = &[
    ("thesis", include_str!("../../../reproduce/nets/thesis.json")),
    ("soft-hebb", include_str!("../../../reproduce/nets/soft-hebb.json")),
];

/// Names and JSON of the experiments.
pub(crate) const EXPERIMENTS: &[(&str, &str)] = &[
    ("thesis-layers", include_str!("../../../reproduce/experiments/thesis-layers.json")),
    ("thesis-hybrid", include_str!("../../../reproduce/experiments/thesis-hybrid.json")),
    ("teacher-on-sgd", include_str!("../../../reproduce/experiments/teacher-on-sgd.json")),
    ("softhebb-cifar10", include_str!("../../../reproduce/experiments/softhebb-cifar10.json")),
];
