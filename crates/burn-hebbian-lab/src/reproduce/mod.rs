//! The tables of the literature, each reproduced by one command: what `--example reproduce` runs.
//!
//! Experiments are data: rows of stages that train blocks of a network, judged by classifiers. What a stage learns, and
//! what its blocks make of the images, is kept on disk under a hash of everything that it depends on.

mod args;
mod asked;
mod chart;
mod compare;
mod config;
mod estimate;
mod evaluate;
mod features;
mod files;
mod lab;
mod net;
mod patches;
mod protocols;
mod provenance;
mod results;
mod run;
mod target;
#[cfg(test)]
mod tests;

pub use args::Args;
pub use target::{Backend, Scale};
