//! What the benches share: shapes of layers, whole networks, strategies for the update, a timer, a counter of bytes, and
//! what is measured on GPUs.

pub mod alternatives;
pub mod gpu;
pub mod grid;
pub mod memory;
pub mod nets;
pub mod networks;
pub mod strategies;

/// Counts what the benches allocate.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
