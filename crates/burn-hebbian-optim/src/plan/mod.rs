//! What trains each parameter, as data.

mod constraint;
mod entry;
mod epochs;
mod optimizer;
mod rules;
mod training;

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::PlanError;

pub use constraint::Constraint;
pub use entry::Entry;
pub use optimizer::{IntoOptimizer, OptimizerChoice};
pub use rules::RuleNames;
pub(crate) use rules::{RuleChoice, describe};
pub(crate) use training::EntryKind;
pub use training::LocalTraining;

/// What trains each parameter of a model: entries in order, of which the last that matches decides everything: what trains
/// a parameter, by which optimizer, how fast.
///
/// A plan is data; it has no part in the training itself. [`init`](Self::init) binds it to a model.
///
/// A pattern is a regular expression that must match a whole path or a whole leading part of it: `conv1`
/// matches `conv1.weight`, not `conv10.weight`; `conv[12]` and `.*` do what they say. Local layers that carry a
/// rule and are matched by no pattern learn by it; every other parameter is trained by [`Rest`]. What is
/// [frozen](burn::module::Module::freeze) in the model stays frozen, whatever the plan says.
///
/// The same model trains all by backprop, all Hebbian, or any hybrid:
///
/// ```
/// use burn_hebbian_core::{Activation, Rule};
/// use burn_hebbian_optim::{Entry, LocalTraining, Plan, Rest};
///
/// let hybrid = Plan::new()
///     .with(Entry::local("conv1", Rule::swta()).at_rate(0.1))
///     .local("conv[23]", LocalTraining::new(Rule::hpca(Activation::Relu)).passing_gradients());
/// let hebbian_only = Plan::new().local("conv.*", Rule::swta()).with_rest(Rest::Frozen);
/// let json = serde_json::to_string(&hybrid).unwrap();
/// assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), hybrid);
/// # let _ = hebbian_only;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    entries: Vec<Entry>,
    rest: Rest,
    /// Steps between two looks at whether updates are finite; `None` chooses by device.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_every: Option<usize>,
}

impl Config for Plan {}

/// What trains the parameters that no entry matches.
///
/// ```
/// # use burn::{module::Module, nn::{Linear, LinearConfig}, tensor::Device};
/// # use burn_hebbian_core::Rule;
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_optim::{Plan, Rest};
///
/// #[derive(Module, Debug)]
/// struct Net {
///     hidden: Local<Linear>,
///     head: Linear,
/// }
/// # let linear = || LinearConfig::new(2, 2).with_bias(false).init(&Device::flex());
/// # let net = Net { hidden: Local::new(linear()), head: linear() };
///
/// for (rest, by) in [(Rest::Backprop, "backprop"), (Rest::Frozen, "frozen")] {
///     let plan = Plan::new().local("hidden", Rule::swta()).with_rest(rest);
///     let (_, bound) = plan.bind(net.clone()).unwrap();
///     let (path, trained) = &bound.report().parameters[1];
///     assert_eq!((path.as_str(), trained.to_string().as_str()), ("head.weight", by));
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rest {
    /// Backprop, as far as they require gradients.
    #[default]
    Backprop,
    /// Nothing.
    Frozen,
}

impl Plan {
    /// Local layers learn by the rules they carry, the rest by backprop.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more entry, which goes before those given so far.
    pub fn with(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// With [`Entry::local`].
    pub fn local(self, pattern: impl Into<String>, training: impl Into<LocalTraining>) -> Self {
        self.with(Entry::local(pattern, training))
    }

    /// With [`Entry::backprop`].
    pub fn backprop(self, pattern: impl Into<String>) -> Self {
        self.with(Entry::backprop(pattern))
    }

    /// With [`Entry::frozen`].
    pub fn frozen(self, pattern: impl Into<String>) -> Self {
        self.with(Entry::frozen(pattern))
    }

    /// What trains the parameters that no entry matches.
    pub fn with_rest(self, rest: Rest) -> Self {
        Self { rest, ..self }
    }

    /// Looks every `steps` steps whether updates are finite, 0 for never. Without this: every step on a CPU,
    /// every 100 on a GPU, where each look waits for the device.
    ///
    /// A step that is looked at and is not finite changes nothing; what came before a late look has already reached
    /// the weights.
    pub fn with_finite_check_every(self, steps: usize) -> Self {
        Self { check_every: Some(steps), ..self }
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What trains the parameters that no entry matches.
    pub fn rest(&self) -> Rest {
        self.rest
    }

    /// Steps between two looks at whether updates are finite, if the plan chooses them.
    pub fn finite_check_every(&self) -> Option<usize> {
        self.check_every
    }

    /// A plan that was read, with the rules of your own that it names.
    ///
    /// # Errors
    ///
    /// If a name is not among these, or its fields are not the rule's.
    pub fn with_rules(mut self, names: &RuleNames) -> Result<Self, PlanError> {
        for entry in &mut self.entries {
            let EntryKind::Local(training) = &mut entry.training else { continue };
            if let RuleChoice::Named(named) = &training.rule {
                training.rule = RuleChoice::Custom(names.look_up(named.clone())?);
            }
        }
        Ok(self)
    }
}
