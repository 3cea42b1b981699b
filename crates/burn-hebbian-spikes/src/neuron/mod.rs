//! Neurons: what makes spikes of currents, step by step, with explicit state.

mod adaptive;
mod config;
mod lif;
mod reset;
mod surrogate;

pub use adaptive::{Adapted, AdaptiveLif, one_spike};
pub use config::LifConfig;
pub use lif::{Lif, LifState, Recorded};
pub use reset::{Comparison, Refractory, Reset, ResetAt};
pub use surrogate::Surrogate;
