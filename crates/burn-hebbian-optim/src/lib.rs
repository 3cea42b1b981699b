//! The local optimizer for [Burn](burn): which layers learn locally, and how their updates reach the weights.
//!
//! ```text
//! observe(forward) ─→ Updates ─→ GradientsParams ─→ finish ─→ ModuleOptimizer ─→ weights
//! ```
//!
//! A [`Plan`] says what trains each parameter. [`Plan::observe`] runs a forward pass and collects what local
//! layers learnt; the [`Updates`] join the backprop gradients in Burn's own `GradientsParams`, where
//! micro-batches and devices add up exactly. [`Plan::step`] finishes the sums and steps Burn's own
//! `ModuleOptimizer`, with its parameter groups, schedules and records, on autodiff and plain devices alike.

mod assignment;
pub mod checkpoint;
mod constraint;
mod course;
mod error;
mod finish;
mod monitor;
mod observe;
mod packing;
mod plan;
mod replicas;
mod report;
mod resolver;
mod step;
mod training;

pub use constraint::Constraint;
pub use course::OptimizerChoice;
pub use error::{PlanError, UpdateError};
pub use observe::Updates;
pub use plan::{Plan, Rest};
pub use replicas::Collectives;
pub use report::{Report, TrainedBy};
pub use training::LocalTraining;
