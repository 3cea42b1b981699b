//! Every preset that JSON can name.

use alloc::{format, string::String, vec::Vec};

use super::{write::write_preset, written::Written};
use crate::{
    Abstention, Activation, AntiHebbian, Competition, Lateral, Pairs, RankOrder, Rates, Rule, Similarity,
    Timing, Trace,
};

/// A preset that JSON can name.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [&'static str],
    /// The rule, from arguments that it takes out; the name of the first one that is missing otherwise.
    pub(super) build: fn(&mut Written) -> Result<Rule, &'static str>,
}

/// Where the arguments are in a rule that the preset gives, its name, its arguments.
macro_rules! presets {
    ($($rule:pat => $name:ident($($argument:ident),*),)+) => {
        pub(super) const PRESETS: &[Preset] = &[$(Preset {
            name: stringify!($name),
            arguments: &[$(stringify!($argument)),*],
            build: |written| {
                let Written { $($argument,)* .. } = written;
                Ok(Rule::$name($($argument.take().ok_or(stringify!($argument))?),*))
            },
        }),+];

        impl serde::Serialize for Rule {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $($rule if Self::$name($(Clone::clone($argument)),*) == *self => {
                        write_preset!(serializer, $name, $($argument),*)
                    })+
                    _ => super::write::write_stages(self, serializer),
                }
            }
        }
    };
}

// A rule is written as the first of the presets that give it.
presets! {
    _ => hebb(),
    _ => oja(),
    _ => sanger(),
    Rule { activation, .. } => hpca(activation),
    _ => hpca_adaptive(),
    _ => subspace(),
    _ => instar(),
    _ => outstar(),
    _ => hard_wta(),
    Rule { competition: Competition::KWinners { k, .. }, .. } => k_wta(k),
    Rule { abstention: Abstention::Random { seed }, .. } => abstaining_wta(seed),
    _ => swta(),
    Rule { lateral: Lateral::Map { size, .. }, .. } => som(size),
    Rule { competition: Competition::SignedSoftmax { temperature }, .. } => soft_hebb(temperature),
    Rule {
        similarity: Similarity::Lebesgue { p },
        competition: Competition::Ranked { k, delta },
        ..
    } => krotov(p, k, delta),
    _ => surround_wta(),
    _ => bcm(),
    Rule { competition: Competition::AntiHebbian(AntiHebbian { target, .. }), .. } => foldiak(target),
    Rule { activation: Activation::Score { sub_gaussian }, .. } => ica(sub_gaussian),
    _ => teacher(),
    Rule { timing: Timing::RankOrder(RankOrder { rates: Rates { plus, minus }, .. }), .. } => rank_order_stdp(plus, minus),
    Rule {
        timing: Timing::Pairs(Pairs {
            pre: Trace { tau: tau_plus, .. },
            post: Trace { tau: tau_minus, .. },
            plus,
            minus,
            ..
        }),
        ..
    } => stdp(tau_plus, tau_minus, plus, minus),
}

/// The preset of this name.
pub(super) fn preset(name: &str) -> Result<&'static Preset, String> {
    let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    let found = PRESETS.iter().find(|preset| preset.name == name);
    found.ok_or_else(|| format!("unknown preset {name:?}; known: {}", names.join(", ")))
}
