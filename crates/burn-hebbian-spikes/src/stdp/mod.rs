//! From spikes on both sides to what a layer learns from.

mod eligibility;
mod fold;
mod normalization;
mod traces;

pub use eligibility::Eligibility;
pub use fold::{Folded, fold};
pub use normalization::normalized;
pub use traces::{Traces, learn, learn_step, learn_traces};
