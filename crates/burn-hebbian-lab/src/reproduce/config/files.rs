//! The networks and experiments of this program.

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../", $folder, "/", $name, ".json")))),*]
    };
}

/// Names and JSON of the networks.
pub(crate) const NETS: &[(&str, &str)] = files!["nets":
    "thesis", "thesis-plain-norms", "thesis-swta", "thesis-hpca", "fast-hebb-swta", "fast-hebb-hpca", "soft-hebb",
    "soft-hebb-three-layers", "surround-wta", "krotov", "krotov-six-layer", "wide-patches", "small",
    "nearest-patches-256", "nearest-patches-512", "nearest-patches-2048", "nearest-patches-8192", "conv-pool",
    "first-spikes", "first-spikes-digits",
];

/// Names and JSON of the experiments.
pub(crate) const EXPERIMENTS: &[(&str, &str)] = files!["experiments":
    "thesis-layers", "thesis-hybrid", "teacher-on-sgd", "hpca-vs-swta", "softhebb-cifar10", "epochs",
    "transfer", "krotov", "hard-wta-cnn", "oja-pca", "ica-filters", "fasthebb", "imagenet-scale", "digits",
    "softhebb-search", "jpeg-cost", "nearest-patches", "nearest-patches-search", "dual-propagation",
    "softhebb-search", "jpeg-cost",
    "spikes-digits", "spikes-fashion-mnist",
    "equilibrium-fashion-mnist",
];
