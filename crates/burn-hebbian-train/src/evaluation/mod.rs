//! What features are worth.
//!
//! - [`ProbeConfig`]: a linear classifier by SGD
//! - [`accuracy`]: the share of right guesses

mod probe;
mod score;

pub use probe::{Probe, ProbeConfig};
pub use score::accuracy;
