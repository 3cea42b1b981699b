//! What features are worth.
//!
//! - [`ProbeConfig`]: a linear classifier by SGD or Adam, as the literature trains it
//! - [`accuracy`]: the share of right guesses
//! - [`EvaluationError`]: what can be wrong

mod error;
mod features;
mod probe;
mod score;

pub use error::EvaluationError;
pub use probe::{Probe, ProbeConfig, ProbeEpoch, ProbeInit, ProbeOptimizer, ProbeProgress};
pub use score::accuracy;
