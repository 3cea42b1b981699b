//! Hebbian learning rules for [Burn](burn).
//!
//! Every feed-forward rule, on every layer geometry, is one normal form
//!
//! ```text
//! ΔW = finish( Σ corr(x, C) − K · W − W ⊙ d )
//! ```
//!
//! with `C` one post-synaptic coefficient per image, neuron and position, `corr` the weight-gradient operator of the
//! layer, `K` a recurrence over the neurons of one group, and `d` a decay per input tap (the outstar's). A rule sees what one layer
//! saw, an [`Activity`], and answers with [`Factors`]; it knows nothing of kernels, strides or padding.
//! The layer knows nothing of rules.
//!
//! - [`Rule`] is the serializable composition of the stages below, with the literature's rules as presets.
//! - [`LocalRule`] is the open trait for rules of your own.
//! - [`DenseView`] is a layer on plain numbers, to try them on.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod activity;
mod by_signals;
mod decaying;
mod dense;
mod error;
mod factors;
mod layout;
mod local_rule;
mod pointwise;
mod precision;
mod rule;
mod signals;
mod span;
mod stages;
mod sums;
mod trace;
mod update;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use activity::{Activity, LayerView};
pub use by_signals::{Apical, ClassCompetition, ForwardForward, GivenStates};
pub use decaying::Decaying;
pub use dense::{DenseStep, DenseView};
pub use error::RuleError;
pub use factors::{Factors, MatrixRecurrence, RecurrenceMask, WeightFactor, Weighted};
pub use layout::WeightLayout;
pub use local_rule::LocalRule;
pub use pointwise::PointwiseRule;
pub use rule::Rule;
pub use signals::Signals;
pub use span::{Part, Span};
pub use stages::{
    Abstention, Activation, AntiHebbian, Bias, Competition, Criterion, Dependence, Gate, GroupOrder, Growth,
    Homeostasis, Lateral, Neighborhood, Pairs, RankOrder, Rates, Recombination, Recurrence, Similarity,
    Surround, Teacher, Timing, Variance,
};
pub use sums::{DeferredSum, Numerator, Sums};
pub use trace::{Decay, Jump, Trace};
pub use update::{Bounds, Finish, Normalization, Rate, Reduction, Scale};
