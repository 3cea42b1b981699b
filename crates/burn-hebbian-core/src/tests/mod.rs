//! What every rule keeps to over long runs, and where data are few; what a layer on plain tensors refuses.

mod little_data;
mod long_runs;
mod refusals;

use alloc::{vec, vec::Vec};

use crate::{
    Abstention, Activation, Bias, Competition, Criterion, Homeostasis, Lateral, Neighborhood, Rule,
    Similarity,
};

/// Neurons of the layers here.
const NEURONS: usize = 6;

fn map(size: &[usize], neighborhood: Neighborhood, sigma: Option<f64>, tau: f64) -> Rule {
    Rule::hard_wta().with_lateral(Lateral::Map { size: size.to_vec(), neighborhood, sigma, tau })
}

/// Every preset, and every stage that keeps a state.
fn rules() -> Vec<(&'static str, Rule)> {
    let adaptive = |criterion| Activation::AdaptiveScore { criterion, momentum: 0.1 };
    let softmax = Competition::AdaptiveSoftmax { temperature: 0.3, momentum: 0.1 };
    vec![
        ("hebb", Rule::hebb()),
        ("oja", Rule::oja()),
        ("instar", Rule::instar()),
        ("subspace", Rule::subspace()),
        ("sanger", Rule::sanger()),
        ("hpca", Rule::hpca(Activation::Tanh)),
        ("hpca_adaptive", Rule::hpca_adaptive()),
        ("bcm", Rule::bcm()),
        ("foldiak", Rule::foldiak(0.2)),
        ("surround_wta", Rule::surround_wta()),
        ("abstaining_wta", Rule::abstaining_wta(3)),
        ("hard_wta", Rule::hard_wta()),
        ("k_wta", Rule::k_wta(2)),
        ("swta", Rule::swta()),
        ("abstaining_swta", Rule::swta().with_abstention(Abstention::Random { seed: 4 })),
        ("som", Rule::som([2, 3])),
        ("teacher", Rule::teacher()),
        ("outstar", Rule::outstar()),
        ("soft_hebb", Rule::soft_hebb(1.0)),
        ("soft_hebb_bias", Rule::soft_hebb(1.0).with_bias(Bias::LogPrior)),
        ("krotov", Rule::krotov(3.0, 2, 0.4)),
        ("ica", Rule::ica(0.5)),
        ("ica_kurtosis", Rule::ica(0.0).with_activation(adaptive(Criterion::Kurtosis))),
        ("ica_stability", Rule::ica(0.0).with_activation(adaptive(Criterion::Stability))),
        ("adaptive_softmax", Rule::swta().with_competition(softmax)),
        ("adaptive_softmax_dot", Rule::swta().with_similarity(Similarity::Dot).with_competition(softmax)),
        ("homeostasis", Rule::oja().with_homeostasis(Homeostasis::Scaling { target: 0.3, rate: 0.1 })),
    ]
}
