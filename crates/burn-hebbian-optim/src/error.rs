//! What can be wrong with a plan, and with an update.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use burn_hebbian_core::RuleError;
use burn_hebbian_nn::replicas::ReduceError;

/// A plan that does not fit the model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A pattern that is no regular expression.
    #[error("plan: pattern `{pattern}` is not a regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
    /// A rule of the user's that nobody has looked up.
    #[error(
        "plan: no rule of your own is called `{name}`: `Plan::with_rules` finds those of a plan that was read; known: [{known}]"
    )]
    RuleName {
        /// The name in the plan.
        name: String,
        /// The names that were given.
        known: String,
    },
    /// Fields that are not those of a rule of the user's.
    #[error("plan: rule `{name}`: {reason}")]
    RuleFields {
        /// The name of the rule.
        name: String,
        /// What is wrong.
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
    /// A pattern that decides about nothing but what is frozen in the model.
    #[error(
        "plan: pattern `{pattern}` is to learn, but what it matches is frozen in the model (`{path}`): unfreeze it, or take the training model instead of its copy for validation"
    )]
    Frozen {
        /// The pattern.
        pattern: String,
        /// A parameter it matches.
        path: String,
    },
    /// One parameter under two paths: clones of a layer, or two parts that one record was loaded into.
    #[error(
        "plan: `{first}` and `{second}` are one parameter (of the same id), and its gradient would reach one of them alone: initialize each layer by itself, or give one of them new ids by `fresh_ids`"
    )]
    Tied {
        /// The first path.
        first: String,
        /// The second path.
        second: String,
    },
    /// A local layer without a rule of its own or in the plan.
    #[error("plan: layer `{layer}` is to learn locally, but neither it nor the plan has a rule for it")]
    NoRule {
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
    /// Epochs that cannot be.
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
    /// An epoch 0.
    #[error("epochs are counted from 1, got 0")]
    EpochZero,
    /// A rate that Burn refuses.
    #[error("plan: rate of `{pattern}`: {reason}")]
    Rate {
        /// The pattern.
        pattern: String,
        /// What Burn says.
        reason: String,
    },
    /// A bound on weights that is not a positive number that f32 can hold.
    #[error(
        "plan: pattern `{pattern}`: weights must be clipped to a positive value that f32 can hold, got {max}"
    )]
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

/// A pass that cannot be observed, or an update that must not reach the weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// NaN or infinity in an update, a gradient, a rule's next state or a running statistic.
    #[error(
        "update of `{layer}` is not finite (seen within the last {steps} step(s)); check its input and learning rate"
    )]
    NotFinite {
        /// The first such layer or parameter, in the model's order.
        layer: String,
        /// Steps since the updates were last found finite.
        steps: usize,
    },
    /// A learning rate that is not a number.
    #[error("the learning rate of a step must be finite, got {rate}")]
    Rate {
        /// The rate.
        rate: f64,
    },
    /// A local layer that was to learn, and that no pass of the step reached.
    #[error(
        "layer `{layer}` was to learn locally, and no observed pass reached it: call the copy of the model that `observe` hands to the closure; or say that steps may leave it out (`Entry::optional`, `Updates::partial`)"
    )]
    Unreached {
        /// The layer.
        layer: String,
    },
    /// A local layer that learns from what it is handed, and that no pass of the step handed anything.
    #[error(
        "layer `{layer}` waits for {what}, and no observed pass handed it any; forward passes teach it nothing: call {call} in the closure of `observe`, with the copy of the model that it gets; or say that steps may leave it out (`Entry::optional`, `Updates::partial`)"
    )]
    Untaught {
        /// The layer.
        layer: String,
        /// What it learns from.
        what: &'static str,
        /// What hands it over.
        call: &'static str,
    },
    /// A parameter that was to learn by backprop, and has no gradient.
    #[error(
        "`{parameter}` was to learn by backprop, and no gradient reached it: it has no part in the loss, or a local layer above it blocks gradients (`LocalTraining::passing_gradients`); freeze it, or say that steps may leave it out (`Entry::optional`, `Updates::partial`)"
    )]
    NoGradient {
        /// The parameter.
        parameter: String,
    },
    /// Backprop on a device without autodiff.
    #[error(
        "something is to learn by backprop, and the loss is on a device without autodiff: make the model on `device.autodiff()`, or let local layers alone learn (`Seen::local_only`, `Rest::Frozen`)"
    )]
    NoAutodiff,
    /// A loss that no parameter has a part in.
    #[error(
        "the loss depends on no parameter that requires gradients; was it detached, or computed from another model?"
    )]
    NoGraph,
    /// A gradient under a local weight that holds no sums.
    #[error(
        "layer `{layer}`: expected sums of shape {expected:?}, got {got:?}; do the gradients come from `observe`?"
    )]
    NotSums {
        /// The layer.
        layer: String,
        /// The shape of packed sums.
        expected: Vec<usize>,
        /// The shape found.
        got: Vec<usize>,
    },
    /// Updates, or a model, of another training.
    #[error("the updates do not belong to this model: got {what}")]
    Foreign {
        /// What was found.
        what: String,
    },
    /// Another model than the one that the plan was bound to.
    #[error("the plan is bound to another model: expected the parameter `{expected}`, got `{got}`")]
    OtherModel {
        /// The first path that differs.
        expected: String,
        /// What is there instead.
        got: String,
    },
    /// A local layer that this plan never bound.
    #[error(
        "layer `{layer}` is of another model: use the one that `Plan::init` gave back, and call it again if a layer was exchanged"
    )]
    NotBound {
        /// The layer.
        layer: String,
    },
    /// A model in which no local layer is in training mode.
    #[error(
        "no local layer of the model can learn: they are frozen, or the model is a copy for validation (`valid`)"
    )]
    NothingLearns,
    /// A plan with epochs, of which nobody has said which one it is.
    #[error(
        "the plan says what holds in which epochs, and nobody counts them: call `LocalOptimizer::begin_epoch`"
    )]
    NoEpoch,
    /// A replica of a model that trains by itself.
    #[error(
        "the model is one of several replicas (distributed data parallel training), and nobody adds up what their local layers learn: call `with_replicas`"
    )]
    Replicas,
    /// Replicas that did not come together.
    #[error(transparent)]
    Reduce(#[from] ReduceError),
    /// A third factor for a layer that does not learn locally.
    #[error("signals: the third factor for `{layer}` reaches no local layer")]
    ThirdFactor {
        /// The path that was given.
        layer: String,
    },
    /// Signals that a layer cannot learn from.
    #[error("layer `{layer}`: {error}")]
    Signals {
        /// The layer.
        layer: String,
        /// What is wrong.
        error: RuleError,
    },
    /// The plan does not fit the model.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A step that was refused, with the model, in which nothing has changed.
pub struct Refused<M> {
    /// Locked, so that errors of models that threads cannot share can be shared; nobody ever waits.
    model: Mutex<Box<M>>,
    error: UpdateError,
}

impl<M> Refused<M> {
    /// With the model as it was.
    pub fn new(model: M, error: UpdateError) -> Self {
        Self { model: Mutex::new(Box::new(model)), error }
    }

    /// Why the step was refused.
    pub fn error(&self) -> &UpdateError {
        &self.error
    }

    /// The model, as it was before the step.
    pub fn into_model(self) -> M {
        self.into_parts().0
    }

    /// Both.
    pub fn into_parts(self) -> (M, UpdateError) {
        (*self.model.into_inner().unwrap_or_else(PoisonError::into_inner), self.error)
    }
}

impl<M> fmt::Display for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// The reason alone: a model is long.
impl<M> fmt::Debug for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.error).finish()
    }
}

impl<M> std::error::Error for Refused<M> {}

impl<M> From<Refused<M>> for UpdateError {
    fn from(refused: Refused<M>) -> Self {
        refused.error
    }
}
