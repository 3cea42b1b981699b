//! How each first layer is trained.

use burn_hebbian::prelude::*;
use clap::ValueEnum;

/// A first layer to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layer {
    /// Hard winner-take-all as in the thesis.
    Wta,
    /// Soft winner-take-all as in FastHebb.
    Swta,
    /// Hebbian principal component analysis.
    Hpca,
    /// The thesis's layer with the random weights that it starts from.
    Untrained,
}

/// How a first layer is trained.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// What the layer is called in the table.
    pub(crate) name: &'static str,
    /// What it learns by.
    pub(crate) rule: Rule,
    /// What it hands on.
    pub(crate) output: Output,
    /// The learning rate.
    pub(crate) rate: f64,
    /// Smoothing of the ZCA whitening of its images; `None` leaves them standardised only.
    pub(crate) smoothing: Option<f64>,
    /// Whether it learns at all.
    pub(crate) learns: bool,
    /// Known test accuracies, in percent.
    pub(crate) known: &'static str,
}

impl Layer {
    /// The recipe of this layer.
    pub(crate) fn recipe(self) -> Recipe {
        let thesis = Recipe {
            name: "WTA",
            rule: Rule::hard_wta(),
            output: Output::relu_cosine(),
            rate: 0.1,
            smoothing: Some(0.1),
            learns: true,
            known: "63.92 (thesis), 61.0 (PyTorch, JPEG images)",
        };
        match self {
            Self::Wta => thesis,
            Self::Swta => Recipe {
                name: "SWTA",
                rule: Rule::swta(),
                output: Output::relu_projection(),
                rate: 0.1,
                smoothing: Some(0.01),
                known: "",
                ..thesis
            },
            Self::Hpca => Recipe {
                name: "HPCA",
                rule: Rule::hpca(Activation::Relu),
                output: Output::new(Similarity::Dot, Activation::Relu),
                rate: 0.1,
                smoothing: None,
                known: "",
                ..thesis
            },
            Self::Untrained => Recipe { name: "untrained", learns: false, known: "", ..thesis },
        }
    }
}
