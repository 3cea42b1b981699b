//! What trains each parameter, as data.

use burn::{config::Config, lr_scheduler::LrSchedulerConfig};
use serde::{Deserialize, Serialize};

use crate::{
    assignment::Cache,
    course::{Epochs, OptimizerChoice},
    monitor::Monitor,
    training::{LocalTraining, Training},
};

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
    /// The epoch the plan is looked at in, if any.
    #[serde(skip)]
    pub(crate) epoch: Option<usize>,
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

/// A pattern and what trains what it matches, by which optimizer, how fast and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) pattern: String,
    pub(crate) training: Training,
    /// As for the rest of the model if not given; of local layers plain SGD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) optimizer: Option<OptimizerChoice>,
    /// As for the rest of the model if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<LrSchedulerConfig>,
    #[serde(default, skip_serializing_if = "Epochs::are_all")]
    pub(crate) epochs: Epochs,
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
        Self { rest, ..self }.renewed()
    }

    /// Looks every `steps` steps whether updates are finite, 0 for never. Without this: every step on a CPU,
    /// every 100 on a GPU, where each look waits for the device.
    pub fn with_finite_check_every(self, steps: usize) -> Self {
        Self { check_every: Some(steps), ..self }
    }

    fn with(mut self, pattern: impl Into<String>, training: Training) -> Self {
        self.entries.push(Entry {
            pattern: pattern.into(),
            training,
            optimizer: None,
            rate: None,
            epochs: Epochs::default(),
        });
        self.renewed()
    }

    /// Without what was resolved for it before.
    pub(crate) fn renewed(self) -> Self {
        Self { cache: Cache::default(), ..self }
    }
}
