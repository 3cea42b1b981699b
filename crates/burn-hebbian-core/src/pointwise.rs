//! Rules that learn from each patch by itself.

use crate::{Activation, Competition, Gate, Recurrence, Reduction, Similarity};

/// The stages of a rule that learns from each patch by what the responses to it and norms tell, without state, teacher or
/// neighboring positions.
///
/// ```
/// use burn_hebbian_core::{LocalRule, Rule};
///
/// assert!(Rule::swta().pointwise().is_some());
/// assert!(Rule::bcm().pointwise().is_none()); // its threshold is a state
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointwiseRule {
    /// How alike patch and weight vector are.
    pub similarity: Similarity,
    /// From similarity to activity.
    pub activation: Activation,
    /// Which neurons learn from a patch.
    pub competition: Competition,
    /// From competition and activity to the coefficient.
    pub gate: Gate,
    /// What holds the weights back.
    pub recurrence: Recurrence,
    /// What the sums are divided by.
    pub reduction: Reduction,
}
