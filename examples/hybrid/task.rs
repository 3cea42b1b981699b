//! Plans and images of the example.

use std::sync::Arc;

use burn_hebbian::{lab::data::Labeled, prelude::*};

/// A plan of this example.
#[derive(Debug, Clone)]
pub(crate) struct NamedPlan {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) plan: Plan,
}

/// Images for learning, for watching, for the final number.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) training: Arc<Labeled>,
    pub(crate) validation: Arc<Labeled>,
    pub(crate) test: Labeled,
}
