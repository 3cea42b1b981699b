//! Pictures of what was learnt.
//!
//! - [`filters`]: weights as tiles

pub mod filters;
