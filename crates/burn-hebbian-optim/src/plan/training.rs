//! What trains a parameter, and how a local layer learns.

use std::sync::Arc;

use burn_hebbian_core::{LocalRule, Rule};
use burn_hebbian_nn::observe::GradientFlow;
use serde::{Deserialize, Serialize};

use super::{
    Constraint,
    rules::{CustomRule, RuleChoice},
};
use crate::PlanError;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    Local(Box<LocalTraining>),
    Backprop,
    Frozen,
}

/// How local layers learn.
///
/// The gradient that reaches the optimizer is `α_local · (−ΔW) + α_backprop · ∂L/∂W`.
///
/// ```
/// # use burn::{nn::{Initializer, LinearConfig}, optim::SgdConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::{Rule, Signals};
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_optim::{LocalTraining, Plan};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
/// # let ones = LinearConfig::new(2, 1).with_bias(false).with_initializer(Initializer::Ones);
///
/// let plan = Plan::new().local(".*", LocalTraining::new(Rule::hebb()).with_shares(0.5, 0.0));
/// let (net, mut optim) = plan.init(Local::new(ones.init(&device)), SgdConfig::new())?;
///
/// // w = (1, 1), y = 2: half of y x = (4, 0)
/// let x = Tensor::<2>::from_data([[2.0, 0.0]], &device);
/// let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x))?;
/// let net = optim.step(1.0, net, seen.local_only())?;
/// net.layer().weight.val().into_data().assert_eq(&[[3.0], [1.0]].into(), false);
/// # Ok(()) }
/// ```
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

    /// From states that are handed to them, not from their forward passes: by contrastive Hebbian learning, equilibrium
    /// propagation and their kin, which settle the states and call the layers' `observe_at`. The bias learns too, if there is
    /// one. In JSON `"rule": "given_states"`.
    pub fn from_given_states() -> Self {
        Self { rule: RuleChoice::GivenStates, ..Self::default() }
    }

    /// By a rule of your own; such a plan is written down with the rule's description (its `Debug`), and cannot be read. See
    /// [`named`](Self::named).
    pub fn custom(rule: impl LocalRule + 'static) -> Self {
        Self { rule: RuleChoice::Custom(CustomRule::described(Arc::new(rule))), ..Self::default() }
    }

    /// By a rule of your own that a plan can be written down with, and read by [`Plan::with_rules`](crate::Plan::with_rules).
    ///
    /// # Errors
    ///
    /// If the rule is not serialized as fields.
    pub fn named(
        name: impl Into<String>,
        rule: impl LocalRule + Serialize + 'static,
    ) -> Result<Self, PlanError> {
        let rule = RuleChoice::Custom(CustomRule::named(name.into(), rule)?);
        Ok(Self { rule, ..Self::default() })
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
