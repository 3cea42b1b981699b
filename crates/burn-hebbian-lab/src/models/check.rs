//! Checks of the numbers in a model's configuration.

use thiserror::Error;

/// A number in a model's configuration that no model can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{model}: {field} must be {expected}, got {value}")]
pub struct ModelError {
    model: &'static str,
    field: &'static str,
    expected: &'static str,
    value: String,
}

/// Checks of the configuration of one model.
pub(super) struct Check(pub(super) &'static str);

impl Check {
    /// A size of at least 1.
    pub(super) fn size(&self, field: &'static str, size: usize) -> Result<(), ModelError> {
        self.that(size > 0, field, "at least 1", size.to_string())
    }

    /// Sizes of at least 1.
    pub(super) fn sizes(&self, field: &'static str, sizes: &[usize]) -> Result<(), ModelError> {
        self.that(!sizes.contains(&0), field, "at least 1 each", format!("{sizes:?}"))
    }

    /// A share in `0..1`.
    pub(super) fn share(&self, field: &'static str, share: f64) -> Result<(), ModelError> {
        self.that((0.0..1.0).contains(&share), field, "in 0..1", share.to_string())
    }

    /// A finite number above 0.
    pub(super) fn positive(&self, field: &'static str, number: f64) -> Result<(), ModelError> {
        self.that(number.is_finite() && number > 0.0, field, "positive", number.to_string())
    }

    /// Any other condition.
    pub(super) fn that(
        &self,
        holds: bool,
        field: &'static str,
        expected: &'static str,
        value: String,
    ) -> Result<(), ModelError> {
        if holds { Ok(()) } else { Err(ModelError { model: self.0, field, expected, value }) }
    }
}
