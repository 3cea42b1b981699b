//! Hybrid training in [burn-train](burn::train).
//!
//! - [`Calm`], [`renderer`]: one line an epoch where the output is no terminal

mod calm;

pub use calm::{Calm, renderer};
