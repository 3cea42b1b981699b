//! The networks and experiments of this program.

/// Names and JSON of the networks.
pub(crate) const NETS: &[(&str, &str)] =
    &[("thesis", include_str!("../nets/thesis.json")), ("soft-hebb", include_str!("../nets/soft-hebb.json"))];

/// Names and JSON of the experiments.
pub(crate) const EXPERIMENTS: &[(&str, &str)] = &[
    ("thesis-layers", include_str!("../experiments/thesis-layers.json")),
    ("thesis-hybrid", include_str!("../experiments/thesis-hybrid.json")),
    ("teacher-on-sgd", include_str!("../experiments/teacher-on-sgd.json")),
    ("softhebb-cifar10", include_str!("../experiments/softhebb-cifar10.json")),
    ("oja-pca", include_str!("../experiments/oja-pca.json")),
    ("ica-filters", include_str!("../experiments/ica-filters.json")),
    ("fasthebb", include_str!("../experiments/fasthebb.json")),
    ("imagenet-scale", include_str!("../experiments/imagenet-scale.json")),
];
