//! What trains each parameter, as data.

use std::sync::Arc;

use burn::config::Config;
use burn_hebbian_core::{LocalRule, Rule, observe::GradientFlow};
use serde::{Deserialize, Serialize};

use crate::{Constraint, assignment::Cache, monitor::Monitor};

/// What trains each parameter of a model: patterns of paths in order, the last match wins.
///
/// A pattern is a regular expression that must match a whole path or a whole leading part of it: `conv1`
/// matches `conv1.weight`, not `conv10.weight`; `conv[12]` and `.*` do what they say. Local layers that carry a
/// rule and are matched by no pattern learn by it; every other parameter is trained by [`Rest`].
///
/// The same model trains all by backprop, all Hebbian, or any hybrid:
///
/// ```
/// use burn_hebbian_core::{Activation, Rule};
/// use burn_hebbian_optim::{LocalTraining, Plan, Rest};
///
/// let hybrid = Plan::new()
///     .local("conv1", Rule::swta())
///     .local("conv[23]", LocalTraining::new(Rule::hpca(Activation::Relu)).passing_gradients());
/// let hebbian_only = Plan::new().local("conv.*", Rule::swta()).with_rest(Rest::Frozen);
/// let json = serde_json::to_string(&hybrid).unwrap();
/// assert_eq!(serde_json::to_string(&serde_json::from_str::<Plan>(&json).unwrap()).unwrap(), json);
/// # let _ = hebbian_only;
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    pub(crate) entries: Vec<Entry>,
    pub(crate) rest: Rest,
    /// Steps between two looks at whether updates are finite; `None` chooses by device.
    pub(crate) check_every: Option<usize>,
    #[serde(skip)]
    pub(crate) cache: Cache,
    #[serde(skip)]
    pub(crate) monitor: Monitor,
}

impl Config for Plan {}

/// What trains the parameters that no pattern matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// Backprop, as far as they require gradients.
    #[default]
    Backprop,
    /// Nothing.
    Frozen,
}

/// A pattern and what trains what it matches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) pattern: String,
    pub(crate) training: Training,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Training {
    Local(Box<LocalTraining>),
    Backprop,
    Frozen,
}

/// How local layers learn.
///
/// The gradient that reaches the optimizer is `α_local · (−ΔW) + α_backprop · ∂L/∂W`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalTraining {
    pub(crate) rule: RuleChoice,
    pub(crate) flow: GradientFlow,
    pub(crate) local_share: f64,
    pub(crate) backprop_share: f64,
    pub(crate) constraints: Vec<Constraint>,
}

/// Where a layer's rule comes from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleChoice {
    /// The rule the layer carries.
    #[default]
    OfTheLayer,
    Rule(Box<Rule>),
    /// A rule of the user's; it cannot be serialised.
    #[serde(skip)]
    Custom(Arc<dyn LocalRule>),
}

impl Default for LocalTraining {
    fn default() -> Self {
        Self {
            rule: RuleChoice::default(),
            flow: GradientFlow::Block,
            local_share: 1.0,
            backprop_share: 0.0,
            constraints: Vec::new(),
        }
    }
}

impl From<Rule> for LocalTraining {
    fn from(rule: Rule) -> Self {
        Self::new(rule)
    }
}

impl LocalTraining {
    /// By this rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule: RuleChoice::Rule(Box::new(rule)), ..Self::default() }
    }

    /// By the rule each layer carries itself.
    pub fn of_the_layer() -> Self {
        Self::default()
    }

    /// By a rule of your own; such a plan cannot be serialised.
    pub fn custom(rule: impl LocalRule + 'static) -> Self {
        Self { rule: RuleChoice::Custom(Arc::new(rule)), ..Self::default() }
    }

    /// Backprop gradients cross the layer to the layers below; without this they end there.
    pub fn passing_gradients(mut self) -> Self {
        self.flow = GradientFlow::Pass;
        self
    }

    /// Holds the weights to a constraint after every step; several hold in the order in which they were given.
    pub fn with_constraint(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// Mixes the local update with the backprop gradient of the same weight: `α_local`, `α_backprop`.
    pub fn with_shares(mut self, local: f64, backprop: f64) -> Self {
        self.local_share = local;
        self.backprop_share = backprop;
        self
    }
}

impl Plan {
    /// Local layers learn by the rules they carry, the rest by backprop.
    pub fn new() -> Self {
        Self::default()
    }

    /// Local layers that match learn locally; other parameters that match are not concerned, but the bias of
    /// such a layer is frozen, unless its rule learns it.
    pub fn local(self, pattern: impl Into<String>, training: impl Into<LocalTraining>) -> Self {
        self.with(pattern, Training::Local(Box::new(training.into())))
    }

    /// What matches learns by backprop.
    pub fn backprop(self, pattern: impl Into<String>) -> Self {
        self.with(pattern, Training::Backprop)
    }

    /// What matches does not learn.
    pub fn frozen(self, pattern: impl Into<String>) -> Self {
        self.with(pattern, Training::Frozen)
    }

    /// What trains the parameters that no pattern matches.
    pub fn with_rest(self, rest: Rest) -> Self {
        Self { rest, cache: Cache::default(), ..self }
    }

    /// Looks every `steps` steps whether updates are finite, 0 for never. Without this: every step on a CPU,
    /// every 100 on a GPU, where each look waits for the device.
    pub fn with_finite_check_every(self, steps: usize) -> Self {
        Self { check_every: Some(steps), ..self }
    }

    fn with(mut self, pattern: impl Into<String>, training: Training) -> Self {
        self.entries.push(Entry { pattern: pattern.into(), training });
        self.cache = Cache::default();
        self
    }
}
