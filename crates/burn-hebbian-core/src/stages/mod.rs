//! The stages of which rules are composed, one file each.

mod abstention;
mod activation;
mod bias;
mod competition;
mod criterion;
mod gate;
mod homeostasis;
mod lateral;
pub(crate) mod memory;
pub(crate) mod recurrence;
mod similarity;
mod surround;
mod teacher;
pub(crate) mod timing;
pub(crate) mod variance;

pub use abstention::Abstention;
#[cfg(test)]
pub(crate) use abstention::mix;
pub use activation::Activation;
pub use bias::Bias;
pub use competition::{AntiHebbian, Competition};
pub use criterion::Criterion;
pub use gate::Gate;
pub use homeostasis::Homeostasis;
pub use lateral::{Lateral, Neighborhood};
pub use recurrence::{Recombination, Recurrence};
pub use similarity::Similarity;
pub use surround::Surround;
pub use teacher::{GroupOrder, Teacher};
pub use timing::{Dependence, Growth, Pairs, RankOrder, Rates, Timing};
pub use variance::Variance;
