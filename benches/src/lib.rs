//! The layer shapes that the benches share, the per-patch form they are compared with, and a timer of alternatives.

pub mod alternatives;
pub mod grid;
pub mod per_patch;
pub mod shapes;
