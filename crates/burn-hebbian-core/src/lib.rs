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
//! - [`Rule`] is the serialisable composition of the stages below, with the literature's rules as presets.
//! - [`LocalRule`] is the open trait for rules of your own.
//! - [`observe`] is the seam through which layers and the local optimizer meet.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod abstention;
mod activation;
mod activity;
mod bias;
mod blank;
mod competition;
mod compose;
mod criterion;
mod decaying;
mod error;
mod factors;
mod finish;
mod gate;
mod homeostasis;
mod lateral;
mod layout;
mod named;
mod precision;
mod presets;
mod recurrence;
mod reduction;
mod rule;
mod running;
mod scale;
mod signals;
mod similarity;
mod stage;
mod steps;
mod surround;
mod teacher;
mod variance;

#[cfg(feature = "std")]
pub mod observe;
#[cfg(feature = "std")]
pub mod replicas;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use abstention::Abstention;
pub use activation::Activation;
pub use activity::{Activity, LayerView};
pub use bias::Bias;
pub use competition::{AntiHebbian, Competition};
pub use criterion::Criterion;
pub use decaying::Decaying;
pub use error::RuleError;
pub use factors::{Factors, MatrixRecurrence, RecurrenceMask, Sums};
pub use finish::{Finish, Normalization, Rate};
pub use gate::Gate;
pub use homeostasis::Homeostasis;
pub use lateral::{Lateral, Neighbourhood};
pub use layout::WeightLayout;
pub use recurrence::{Recombination, Recurrence};
pub use reduction::Reduction;
pub use rule::{LocalRule, Rule};
pub use scale::Scale;
pub use signals::{Phase, Signals};
pub use similarity::Similarity;
pub use surround::Surround;
pub use teacher::{GroupOrder, Teacher};
pub use variance::Variance;
