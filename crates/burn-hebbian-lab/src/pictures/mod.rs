//! Pictures of what was learned.
//!
//! - [`filters`]: weights as tiles
//! - [`maximize`]: the input that a neuron responds to most
//! - [`strongest`]: the mean of the patches that a neuron responds to most strongly
//! - [`curves`]: line charts of accuracies or [diagnostics](crate::diagnostics)
//! - [`bars`]: win counts, histograms

pub mod bars;
mod chart;
pub mod curves;
pub mod filters;
pub mod maximize;
pub mod strongest;

pub use chart::ChartError;
