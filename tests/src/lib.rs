//! Support for the tests: backends, reproducible values, comparisons, and the scalar oracle.

pub mod any_layer;
pub mod backends;
pub mod course;
pub mod forms;
pub mod layers;
pub mod net;
pub mod oracle;
pub mod registration;
pub mod values;
