//! The layer shapes that the benches share, and the per-patch form they are compared with.

pub mod per_patch;
pub mod shapes;
