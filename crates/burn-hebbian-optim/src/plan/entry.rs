//! One pattern of a plan and all that it says.

use std::ops::RangeBounds;

use burn::lr_scheduler::LrSchedulerConfig;
use serde::{Deserialize, Serialize};

use super::{
    epochs::Epochs,
    optimizer::same,
    training::{EntryKind, LocalTraining},
};
use crate::{OptimizerChoice, PlanError};

/// A pattern and what trains what it matches, by which optimizer, how fast and when.
///
/// ```
/// use burn::optim::AdamConfig;
/// use burn_hebbian_core::Rule;
/// use burn_hebbian_optim::{Entry, Plan};
///
/// let plan = Plan::new()
///     .with(Entry::local("conv.*", Rule::swta()).at_rate(0.1).in_epochs(..=2))
///     .with(Entry::backprop(".*").by(AdamConfig::new()).in_epochs(3..));
/// assert_eq!(plan.phases(10), [1..=2, 3..=10]);
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub(crate) pattern: String,
    pub(crate) training: EntryKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) optimizer: Option<OptimizerChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<LrSchedulerConfig>,
    #[serde(default, skip_serializing_if = "Epochs::are_all")]
    pub(crate) epochs: Epochs,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) optional: bool,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (&self.pattern, &self.training, &self.optimizer, self.epochs, self.optional)
            == (&other.pattern, &other.training, &other.optimizer, other.epochs, other.optional)
            && same(&self.rate, &other.rate)
    }
}

impl Entry {
    /// Local layers that match learn locally: by plain SGD without clipping, whatever the rest learns by, unless the entry
    /// has an optimizer of its own. Other parameters that match are not concerned, but the bias of such a layer is
    /// frozen, unless its rule learns it.
    pub fn local(pattern: impl Into<String>, training: impl Into<LocalTraining>) -> Self {
        Self::new(pattern, EntryKind::Local(Box::new(training.into())))
    }

    /// What matches learns by backprop, unless it is frozen in the model.
    pub fn backprop(pattern: impl Into<String>) -> Self {
        Self::new(pattern, EntryKind::Backprop)
    }

    /// What matches does not learn.
    pub fn frozen(pattern: impl Into<String>) -> Self {
        Self::new(pattern, EntryKind::Frozen)
    }

    fn new(pattern: impl Into<String>, training: EntryKind) -> Self {
        let (pattern, epochs) = (pattern.into(), Epochs::default());
        Self { pattern, training, optimizer: None, rate: None, epochs, optional: false }
    }

    /// By this optimizer of Burn's; without one as the rest of the model, and local layers by plain SGD.
    pub fn by(self, optimizer: impl Into<OptimizerChoice>) -> Self {
        Self { optimizer: Some(optimizer.into()), ..self }
    }

    /// At this rate, a number or a schedule of Burn's; without one as the rest of the model.
    pub fn at_rate(self, rate: impl Into<LrSchedulerConfig>) -> Self {
        Self { rate: Some(rate.into()), ..self }
    }

    /// In these epochs alone, counted from 1. In others an earlier entry holds, and if there is none what it matches is
    /// frozen: the rest is what no entry matches in any epoch.
    pub fn in_epochs(self, epochs: impl RangeBounds<usize>) -> Self {
        Self { epochs: Epochs::of(epochs), ..self }
    }

    /// A step may leave out what matches: a local layer that its passes did not reach, a parameter without a gradient.
    /// Without this such a step is refused.
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// The pattern.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// How local layers learn, if the entry is for them.
    pub fn training(&self) -> Option<&LocalTraining> {
        match &self.training {
            EntryKind::Local(training) => Some(training),
            _ => None,
        }
    }

    /// The optimizer, if the entry has one of its own.
    pub fn optimizer(&self) -> Option<&OptimizerChoice> {
        self.optimizer.as_ref()
    }

    /// The rate, if the entry has one of its own.
    pub fn rate(&self) -> Option<&LrSchedulerConfig> {
        self.rate.as_ref()
    }

    /// Refuses epochs and rates that cannot be.
    pub(crate) fn check(&self) -> Result<(), PlanError> {
        if let Some(LrSchedulerConfig::Constant(rate)) = self.rate
            && !rate.is_finite()
        {
            let reason = format!("must be finite, got {rate}");
            return Err(PlanError::Rate { pattern: self.pattern.clone(), reason });
        }
        self.epochs.check(&self.pattern)
    }

    pub(crate) fn is_local(&self) -> bool {
        matches!(self.training, EntryKind::Local(_))
    }
}
