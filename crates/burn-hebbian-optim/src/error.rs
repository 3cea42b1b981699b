//! What can be wrong with a plan, and with an update.

use burn_hebbian_core::RuleError;

/// A plan that does not fit the model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A pattern that is no regular expression.
    #[error("plan: pattern `{pattern}` is no regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
    /// A pattern that matches no parameter.
    #[error("plan: pattern `{pattern}` matches nothing; the model has {paths}")]
    MatchesNothing {
        /// The pattern.
        pattern: String,
        /// The model's parameters.
        paths: String,
    },
    /// A local pattern that matches parameters, but no local layer.
    #[error(
        "plan: local pattern `{pattern}` matches `{path}`, which is in no local layer: wrap the layer in `Local`"
    )]
    NotLocal {
        /// The pattern.
        pattern: String,
        /// A parameter it matches.
        path: String,
    },
    /// A local layer without a rule of its own or in the plan.
    #[error("plan: layer `{layer}` is to learn locally, but neither it nor the plan has a rule for it")]
    NoRule {
        /// The layer.
        layer: String,
    },
    /// A layer without room for the state of the rule that the plan gives it.
    #[error(
        "plan: layer `{layer}`: its rule keeps state, and the layer has no room for it: call `Plan::apply` first"
    )]
    NoState {
        /// The layer.
        layer: String,
    },
    /// A layer without the bias that its rule learns.
    #[error(
        "plan: layer `{layer}`: its rule learns a bias, and the layer has none that the plan leaves to it"
    )]
    NoBias {
        /// The layer.
        layer: String,
    },
    /// A third factor for a layer that does not learn locally.
    #[error("signals: the third factor for `{layer}` reaches no local layer")]
    ThirdFactor {
        /// The path that was given.
        layer: String,
    },
    /// Epochs that are none.
    #[error(
        "plan: pattern `{pattern}`: epochs are counted from 1, the first not after the last, got {first} to {last}"
    )]
    Epochs {
        /// The pattern.
        pattern: String,
        /// The first epoch.
        first: usize,
        /// The last epoch.
        last: usize,
    },
    /// A bound on weights that is not positive and finite.
    #[error("plan: pattern `{pattern}`: weights must be clipped to a positive and finite value, got {max}")]
    Clip {
        /// The pattern.
        pattern: String,
        /// The bound.
        max: f64,
    },
    /// A rule that cannot train its layer.
    #[error("plan: layer `{layer}`: {error}")]
    Rule {
        /// The layer.
        layer: String,
        /// What is wrong.
        error: RuleError,
    },
    /// A share that is not a finite number of at least 0, or two shares of 0.
    #[error(
        "plan: pattern `{pattern}`: shares must be finite, at least 0 and not both 0, got local {local} and backprop {backprop}"
    )]
    Shares {
        /// The pattern.
        pattern: String,
        /// α of the local update.
        local: f64,
        /// α of the backprop gradient.
        backprop: f64,
    },
}

/// An update that must not reach the weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// NaN or infinity in a layer's update.
    #[error(
        "update of layer `{layer}` is not finite (seen within the last {steps} step(s)); check its input and learning rate"
    )]
    NotFinite {
        /// The first such layer, in the model's order.
        layer: String,
        /// Steps since the updates were last found finite.
        steps: usize,
    },
    /// A gradient under a local weight that holds no sums.
    #[error(
        "layer `{layer}`: expected sums of shape {expected:?}, got {got:?}; was `finish` called twice, or the plan changed between observing and finishing?"
    )]
    NotSums {
        /// The layer.
        layer: String,
        /// The shape of packed sums.
        expected: Vec<usize>,
        /// The shape found.
        got: Vec<usize>,
    },
    /// The plan does not fit the model.
    #[error(transparent)]
    Plan(#[from] PlanError),
}
