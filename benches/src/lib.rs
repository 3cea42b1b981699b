//! What the benches share: shapes of layers, whole networks, strategies for the update, a timer and a counter of bytes.

pub mod alternatives;
pub mod grid;
pub mod memory;
pub mod nets;
pub mod networks;
pub mod strategies;
