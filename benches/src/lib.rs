//! What the benches share: shapes of layers, whole networks, strategies for the update, a timer, a counter of bytes, and
//! what is measured on GPUs.

pub mod alternatives;
pub mod gpu;
pub mod grid;
pub mod memory;
pub mod nets;
pub mod networks;
pub mod strategies;

/// The book's page on models, whose Rust blocks are doctests; the library does not know the models.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/models.md")]
struct Models;
