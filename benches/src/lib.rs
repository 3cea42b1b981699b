//! What the benches share: shapes of layers, whole networks, the per-patch form, a timer and a counter of bytes.

pub mod alternatives;
pub mod grid;
pub mod memory;
pub mod networks;
pub mod per_patch;
pub mod shapes;
