//! Strategies for the weight update of a convolution, and what each costs.

pub mod measure;

pub use burn_hebbian::lab::strategies::*;
