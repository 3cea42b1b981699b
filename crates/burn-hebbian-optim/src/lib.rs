//! The local optimizer for [Burn](burn): which layers learn locally, and how their updates reach the weights.
//!
//! ```text
//! Plan ─ init(model) ─→ LocalOptimizer ─ observe(forward) ─→ Seen ─ backward(loss) ─→ Updates ─ step ─→ model
//! ```
//!
//! A [`Plan`] says what trains each parameter; it is data. Bound to a model it becomes a [`LocalOptimizer`], which owns all
//! that a step needs to know: what trains what, Burn's own `ModuleOptimizer` with its groups, rates, epochs.
//!
//! - A pass reports, a step commits: [`LocalOptimizer::observe`] runs a forward pass on a copy of the model, whose local
//!   layers report what they learn. Nothing moves until [`LocalOptimizer::step`] moves all of it, or refuses and moves
//!   nothing.
//! - Nothing on the way can be forgotten: each value is what the next call asks for, and a layer that learned nothing is an
//!   error that names it.
//! - [`BoundPlan`] is the same for trainers that own optimizer and rates, burn-train's for one.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bind;
mod binding;
pub mod checkpoint;
mod commit;
mod error;
mod finish;
mod hold;
mod ids;
mod local_optimizer;
mod monitor;
mod packing;
mod pass;
mod plan;
mod ranks;
mod rates;
mod replicas;
mod report;
mod running;
mod updates;
mod values;

pub use binding::BoundPlan;
pub use error::{PlanError, Refused, UpdateError};
pub use ids::fresh_ids;
pub use local_optimizer::LocalOptimizer;
pub use pass::Seen;
pub use plan::{Constraint, Entry, IntoOptimizer, LocalTraining, OptimizerChoice, Plan, Rest, RuleNames};
pub use replicas::Collectives;
pub use report::{Report, TrainedBy};
pub use updates::Updates;
