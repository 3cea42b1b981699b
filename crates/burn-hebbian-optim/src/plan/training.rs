//! What trains a parameter, and how a local layer learns.

use std::sync::Arc;

use burn_hebbian_core::{LocalRule, Rule};
use burn_hebbian_nn::observe::GradientFlow;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{Constraint, PlanError};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Training {
    Local(Box<LocalTraining>),
    Backprop,
    Frozen,
}

/// How local layers learn.
///
/// The gradient that reaches the optimizer is `α_local · (−ΔW) + α_backprop · ∂L/∂W`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalTraining {
    #[serde(skip_serializing_if = "RuleChoice::is_of_the_layer")]
    pub(crate) rule: RuleChoice,
    pub(crate) flow: GradientFlow,
    pub(crate) local_share: f64,
    pub(crate) backprop_share: f64,
    pub(crate) constraints: Vec<Constraint>,
}

/// Where a layer's rule comes from.
#[derive(Debug, Clone, Default)]
pub(crate) enum RuleChoice {
    /// The rule the layer carries.
    #[default]
    OfTheLayer,
    Rule(Box<Rule>),
    /// A rule of the user's. It is written down by its description, and cannot be read.
    Custom(Arc<dyn LocalRule>),
}

impl PartialEq for RuleChoice {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OfTheLayer, Self::OfTheLayer) => true,
            (Self::Rule(one), Self::Rule(other)) => one == other,
            (Self::Custom(one), Self::Custom(other)) => describe(&**one) == describe(&**other),
            _ => false,
        }
    }
}

/// A rule for a person to read, and to tell it from another.
pub(crate) fn describe(rule: &dyn LocalRule) -> String {
    format!("{rule:?}")
}

impl RuleChoice {
    fn is_of_the_layer(&self) -> bool {
        matches!(self, Self::OfTheLayer)
    }
}

/// How a rule of the user's is written down.
#[derive(Serialize, Deserialize)]
struct Described {
    custom: String,
}

impl Serialize for RuleChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OfTheLayer => serializer.serialize_str("of_the_layer"),
            Self::Rule(rule) => rule.serialize(serializer),
            Self::Custom(rule) => Described { custom: describe(&**rule) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RuleChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value == "of_the_layer" {
            return Ok(Self::OfTheLayer);
        }
        if value.get("custom").is_some() {
            return Err(D::Error::custom(
                "a rule of one's own is written down by its description and cannot be read",
            ));
        }
        serde_json::from_value(value).map(|rule| Self::Rule(Box::new(rule))).map_err(D::Error::custom)
    }
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

    /// By a rule of your own; such a plan is written down with the rule's description (its `Debug`), and cannot be read.
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

    /// The rule, if it is one of this library's and not the layer's own.
    pub fn rule(&self) -> Option<&Rule> {
        match &self.rule {
            RuleChoice::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    pub(crate) fn check(&self, pattern: &str) -> Result<(), PlanError> {
        for constraint in &self.constraints {
            constraint.check(pattern)?;
        }
        let (local, backprop) = (self.local_share, self.backprop_share);
        let share = |share: f64| share.is_finite() && share >= 0.0;
        if share(local) && share(backprop) && local + backprop > 0.0 {
            return Ok(());
        }
        Err(PlanError::Shares { pattern: pattern.to_string(), local, backprop })
    }
}
