//! Rules by name.

use crate::prelude::*;
use serde::{Deserialize, Serialize};

/// A rule of the literature by its name, or a composition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum RuleChoice {
    HardWta,
    AbstainingWta,
    Swta,
    Som { size: Vec<usize> },
    Hpca { activation: Activation },
    Oja,
    Hebb,
    Sanger,
    Subspace,
    Ica,
    SubGaussianIca,
    Teacher,
    SurroundWta,
    SoftHebb { inverse_temperature: f64 },
    Krotov { p: f64, k: usize, delta: f64 },
    RankOrderStdp { plus: f64, minus: f64, growth: Option<Growth> },
    Rule(Box<Rule>),
}

impl RuleChoice {
    /// The rule; `seed` is for what draws at random.
    pub(crate) fn rule(&self, seed: u64) -> Rule {
        match self {
            Self::HardWta => Rule::hard_wta(),
            Self::AbstainingWta => Rule::abstaining_wta(seed),
            Self::Swta => Rule::swta(),
            Self::Som { size } => Rule::som(size.clone()),
            Self::Hpca { activation } => Rule::hpca(*activation),
            Self::Oja => Rule::oja(),
            Self::Hebb => Rule::hebb(),
            Self::Sanger => Rule::sanger(),
            Self::Subspace => Rule::subspace(),
            Self::Ica => Rule::ica(0.0),
            Self::SubGaussianIca => Rule::ica(1.0),
            Self::Teacher => Rule::teacher(),
            Self::SurroundWta => Rule::surround_wta(),
            Self::SoftHebb { inverse_temperature } => Rule::soft_hebb(1.0 / inverse_temperature),
            Self::Krotov { p, k, delta } => Rule::krotov(*p, *k, *delta),
            Self::RankOrderStdp { plus, minus, growth } => rank_order_stdp(*plus, *minus, *growth),
            Self::Rule(rule) => (**rule).clone(),
        }
    }
}

fn rank_order_stdp(plus: f64, minus: f64, growth: Option<Growth>) -> Rule {
    let rule = RankOrder::new(Rates { plus, minus });
    let rule = match growth {
        Some(growth) => rule.with_growth(growth),
        None => rule,
    };
    Rule::rank_order_stdp(plus, minus).with_timing(Timing::RankOrder(rule))
}
