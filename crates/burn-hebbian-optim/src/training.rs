//! What trains a parameter, and how a local layer learns.

use std::sync::Arc;

use burn_hebbian_core::{LocalRule, Rule, observe::GradientFlow};
use serde::{Deserialize, Serialize};

use crate::Constraint;

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
