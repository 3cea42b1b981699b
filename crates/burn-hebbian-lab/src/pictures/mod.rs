//! Pictures of what was learnt.
//!
//! - [`filters`]: weights as tiles
//! - [`maximise`]: the input that a neuron responds to most
//! - [`strongest`]: the mean of the patches that a neuron responds to most strongly
//! - [`curves`]: line charts of accuracies or [diagnostics](crate::diagnostics)
//! - [`bars`]: win counts, histograms

pub mod bars;
mod chart;
pub mod curves;
pub mod filters;
pub mod maximise;
pub mod strongest;

pub use chart::ChartError;
