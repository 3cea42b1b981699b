//! The rules that the strategies are compared for.

use std::fmt;

use crate::prelude::*;

/// A rule that every strategy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchRule {
    /// Plain Hebb: nothing is recalled.
    Hebb,
    /// Each neuron recalls its own weights.
    Instar,
    /// Each neuron recalls its own weights times its activity.
    Oja,
    /// Each neuron recalls what it and those before it make of the patch.
    Hpca,
    /// Soft winners recall their own weights.
    Swta,
}

impl BenchRule {
    /// Every rule.
    pub const ALL: [Self; 5] = [Self::Swta, Self::Hpca, Self::Hebb, Self::Oja, Self::Instar];

    /// The preset of the library.
    pub fn preset(self) -> Rule {
        match self {
            Self::Hebb => Rule::hebb(),
            Self::Instar => Rule::instar(),
            Self::Oja => Rule::oja(),
            Self::Hpca => Rule::hpca(Activation::Relu),
            Self::Swta => Rule::swta(),
        }
    }
}

impl fmt::Display for BenchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hebb => "Hebb",
            Self::Instar => "instar",
            Self::Oja => "Oja",
            Self::Hpca => "HPCA",
            Self::Swta => "SWTA",
        })
    }
}
