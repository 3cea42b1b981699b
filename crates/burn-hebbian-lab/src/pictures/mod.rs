//! Pictures of what was learned.
//!
//! - [`filters`]: weights as tiles
//! - [`maximize`]: the input that a neuron responds to most
//! - [`strongest`]: the mean of the patches that a neuron responds to most strongly
//! - [`curves`]: line charts of accuracies or [diagnostics](crate::diagnostics)
//! - [`bars`]: win counts, histograms
//! - [`dots`]: the lines of a table with their intervals
//! - [`raster`]: who spiked when

pub mod bars;
mod chart;
pub mod curves;
pub mod dots;
pub mod filters;
pub mod maximize;
pub mod raster;
pub mod strongest;

pub use chart::ChartError;
