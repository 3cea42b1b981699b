//! Rules that learn from each patch by itself.

use crate::{
    Abstention, Activation, Bias, Competition, Finish, Gate, Homeostasis, Lateral, Recurrence, Reduction,
    Rule, Similarity, Surround, Teacher, Variance,
};

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

impl PointwiseRule {
    /// The stages of a rule, if that is all the rule is.
    pub(super) fn of(rule: &Rule) -> Option<Self> {
        // names every field, so that a new stage cannot be ignored
        let Rule {
            similarity,
            surround: Surround::None,
            bias: Bias::Frozen,
            activation,
            variance: Variance::Fixed,
            abstention: Abstention::None,
            competition,
            lateral: Lateral::None,
            teacher: Teacher::Ignored,
            gate,
            recurrence,
            homeostasis: Homeostasis::None,
            finish: Finish { reduction, tangent: _, scale: _, normalization: _, rate: _ },
        } = *rule
        else {
            return None;
        };
        let keeps = matches!(activation, Activation::AdaptiveScore { .. })
            || matches!(competition, Competition::AdaptiveSoftmax { .. } | Competition::AntiHebbian(_))
            || matches!(gate, Gate::Bcm { .. });
        (!keeps).then_some(Self { similarity, activation, competition, gate, recurrence, reduction })
    }
}
