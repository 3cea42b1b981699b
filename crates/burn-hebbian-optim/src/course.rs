//! By which optimizer, how fast and when the parameters of a pattern learn.

use std::ops::{Bound, RangeBounds, RangeInclusive};

use burn::{
    grad_clipping::GradientClipping,
    lr_scheduler::{LrSchedulerConfig, module_lr_scheduler::ModuleLrSchedulerConfig},
    module::{Module, ParamGroup, ParamId},
    optim::{AdamConfig, AdamWConfig, ModuleOptimizer, RmsPropConfig, SgdConfig},
};
use serde::{Deserialize, Serialize};

use crate::{
    PlanError,
    plan::{Entry, Plan},
    resolver::anchored,
    training::Training,
};

/// An optimizer of Burn's as part of a plan.
///
/// In a file it is written as Burn writes its configuration; `{ "sgd": {} }` is plain SGD.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OptimizerChoice {
    /// Stochastic gradient descent, with or without momentum.
    Sgd(SgdConfig),
    /// Adam.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay.
    AdamW(AdamWConfig),
    /// RMSProp.
    RmsProp(RmsPropConfig),
}

macro_rules! from_config {
    ($($variant:ident($config:ty)),+) => {$(
        impl From<$config> for OptimizerChoice {
            fn from(config: $config) -> Self {
                Self::$variant(config)
            }
        }
    )+};
}

from_config!(Sgd(SgdConfig), Adam(AdamConfig), AdamW(AdamWConfig), RmsProp(RmsPropConfig));

impl OptimizerChoice {
    /// `optimizer` with this one for the parameters of `group`.
    fn join(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer {
        let clipping =
            |alone: ModuleOptimizer| -> Option<GradientClipping> { alone.grad_clipping().cloned() };
        match self {
            Self::Sgd(config) => optimizer.with_group(group, config.build(), clipping(config.init())),
            Self::Adam(config) => optimizer.with_group(group, config.build(), clipping(config.init())),
            Self::AdamW(config) => optimizer.with_group(group, config.build(), clipping(config.init())),
            Self::RmsProp(config) => optimizer.with_group(group, config.build(), clipping(config.init())),
        }
    }
}

/// The epochs in which a pattern holds, counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Epochs {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<usize>,
}

impl Epochs {
    fn of(range: impl RangeBounds<usize>) -> Self {
        let first = match range.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => Some(before + 1),
            Bound::Unbounded => None,
        };
        let last = match range.end_bound() {
            Bound::Included(last) => Some(*last),
            Bound::Excluded(after) => Some(after.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self { first, last }
    }

    /// Whether the epoch is one of them; without an epoch every one is.
    pub(crate) fn contain(&self, epoch: Option<usize>) -> bool {
        epoch.is_none_or(|epoch| {
            self.first.is_none_or(|first| first <= epoch) && self.last.is_none_or(|last| epoch <= last)
        })
    }

    /// The epochs in which something changes.
    fn bounds(&self) -> impl Iterator<Item = usize> {
        self.first.into_iter().chain(self.last.map(|last| last + 1))
    }

    pub(crate) fn are_all(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn check(&self, pattern: &str) -> Result<(), PlanError> {
        let (first, last) = (self.first.unwrap_or(1), self.last.unwrap_or(usize::MAX));
        if 1 <= first && first <= last {
            return Ok(());
        }
        Err(PlanError::Epochs { pattern: pattern.to_string(), first, last })
    }
}

impl Plan {
    /// The pattern given last learns by this optimizer of Burn's.
    ///
    /// # Panics
    ///
    /// If no pattern was given.
    pub fn by(self, optimizer: impl Into<OptimizerChoice>) -> Self {
        self.change_last(|entry| entry.optimizer = Some(optimizer.into()))
    }

    /// The pattern given last learns at this rate, a number or a schedule of Burn's.
    ///
    /// # Panics
    ///
    /// If no pattern was given.
    pub fn at_rate(self, rate: impl Into<LrSchedulerConfig>) -> Self {
        self.change_last(|entry| entry.rate = Some(rate.into()))
    }

    /// The pattern given last holds in these epochs alone, counted from 1. In others an earlier pattern holds, and
    /// if there is none what it matches is frozen: the rest is what no pattern matches in any epoch.
    ///
    /// # Panics
    ///
    /// If no pattern was given.
    pub fn in_epochs(self, epochs: impl RangeBounds<usize>) -> Self {
        self.change_last(|entry| entry.epochs = Epochs::of(epochs))
    }

    /// The entries that hold in the plan's epoch.
    fn holding(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.epochs.contain(self.epoch))
    }

    fn change_last(mut self, change: impl FnOnce(&mut Entry)) -> Self {
        let entry = self
            .entries
            .last_mut()
            .expect("a plan's optimizer, rate or epochs follow the pattern they are for");
        change(entry);
        self.renewed()
    }

    /// The phases of a training over so many epochs, counted from 1: in all epochs of a phase the same patterns hold.
    ///
    /// A phase is a training of its own: with the plan [of its epochs](Self::at_epoch) applied to the model, with the
    /// optimizer and the schedule of that plan.
    ///
    /// ```
    /// use burn_hebbian_core::Rule;
    /// use burn_hebbian_optim::Plan;
    ///
    /// let plan = Plan::new().local("conv.*", Rule::swta()).in_epochs(..=2).backprop(".*").in_epochs(3..);
    /// assert_eq!(plan.phases(10), [1..=2, 3..=10]);
    /// ```
    pub fn phases(&self, epochs: usize) -> Vec<RangeInclusive<usize>> {
        let bounds = self.entries.iter().flat_map(|entry| entry.epochs.bounds());
        let mut starts: Vec<usize> = bounds.chain([1]).filter(|start| (1..=epochs).contains(start)).collect();
        starts.sort_unstable();
        starts.dedup();
        let ends = starts.iter().skip(1).map(|next| next - 1).chain([epochs]);
        starts.iter().zip(ends).map(|(start, end)| *start..=end).collect()
    }

    /// This plan as it is in an epoch, counted from 1.
    pub fn at_epoch(&self, epoch: usize) -> Self {
        Self { epoch: Some(epoch), monitor: self.monitor.clone(), ..self.clone() }.renewed()
    }

    /// `base` with the plan's optimizers for its patterns. Local layers without one of their own get plain SGD,
    /// without clipping, whatever `base` is.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    pub fn optimizer<M: Module>(
        &self,
        model: &M,
        base: impl Into<ModuleOptimizer>,
    ) -> Result<ModuleOptimizer, PlanError> {
        self.assign(model)?;
        let plain = OptimizerChoice::Sgd(SgdConfig::new());
        let mut optimizer = base.into();
        for entry in self.holding() {
            let default = matches!(entry.training, Training::Local(_)).then_some(&plain);
            if let Some(choice) = entry.optimizer.as_ref().or(default) {
                optimizer = choice.join(optimizer, anchored(&entry.pattern)?);
            }
        }
        Ok(optimizer)
    }

    /// The schedule of learning rates: `base` for all parameters but those of patterns with a rate of their own.
    ///
    /// # Errors
    ///
    /// If a pattern is no regular expression.
    pub fn schedule(&self, base: impl Into<LrSchedulerConfig>) -> Result<ModuleLrSchedulerConfig, PlanError> {
        let mut schedule = ModuleLrSchedulerConfig::new(base.into());
        for entry in self.holding() {
            if let Some(rate) = &entry.rate {
                schedule = schedule.with_group(anchored(&entry.pattern)?, rate.clone());
            }
        }
        Ok(schedule)
    }

    /// The rate or schedule of the parameter at `path`, if a pattern gives it one of its own.
    ///
    /// # Errors
    ///
    /// If a pattern is no regular expression.
    pub fn rate(&self, path: &str) -> Result<Option<LrSchedulerConfig>, PlanError> {
        let mut last = None;
        for entry in self.holding() {
            // patterns look at paths alone
            if entry.rate.is_some() && anchored(&entry.pattern)?.matches(&ParamId::new(), Some(path)) {
                last = entry.rate.clone();
            }
        }
        Ok(last)
    }
}
