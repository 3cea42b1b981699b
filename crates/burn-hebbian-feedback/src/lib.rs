//! Learning by feedback for [Burn](burn): contrastive Hebbian learning, equilibrium propagation, dual propagation.
//!
//! ```text
//! model ─ Chain ─→ Method (settles states) ─ pairs of states ─→ layers ─ Sums ─→ Updates ─→ LocalOptimizer::step
//! ```
//!
//! All of them are "settle twice, subtract": a layer learns from the states on its two sides in several phases, each with a weight,
//! `ΔW = 1/N Σ ±k corr(s_below, s_above)`. What differs is how the states come about:
//!
//! - [`Settling`]: sweeps through a [`Chain`] until it rests, with the output free, held or nudged; presets after the literature.
//! - [`DualPropagation`] and [`FastDualPropagation`]: both states at once, for the cost of backprop.
//!
//! Layers are the local layers of the user's own model, trained by a plan that says
//! [`from_given_states`](burn_hebbian_optim::LocalTraining::from_given_states). [`Pairs`] are for a rule that learns by a signal,
//! [`ForwardForward`](burn_hebbian_core::ForwardForward).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod chain;
mod cost;
mod dual;
mod error;
mod method;
mod pairs;
mod pool;
mod settling;
mod states;

pub use chain::Chain;
pub use cost::CostFunction;
pub use dual::{DualForm, DualPropagation, DualStates, FastDualPropagation};
pub use error::FeedbackError;
pub use method::Method;
pub use pairs::{Pairs, standardized};
pub use pool::Pool;
pub use settling::{Moment, Order, OutputState, Phase, PhaseEnd, Settled, Settling, Sides, Start};
pub use states::States;
