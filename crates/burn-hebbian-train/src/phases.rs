//! What a training knows of its plan, whoever asks: the phases, which of them runs, how it ends.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use burn::{module::Module, optim::ModuleOptimizer};
use burn_hebbian_nn::replicas::AllReduce;
use burn_hebbian_optim::{BoundPlan, Plan, PlanError};

use crate::{epochs::EpochCounter, stop::Stop};

/// A plan over the epochs of one training; clones are of the same training.
#[derive(Clone)]
pub(crate) struct Phases(Arc<Shared>);

struct Shared {
    plan: Plan,
    ranges: Vec<RangeInclusive<usize>>,
    epochs: EpochCounter,
    /// The epoch after which the training goes on.
    after: usize,
    optimizer: ModuleOptimizer,
    replicas: Option<Arc<dyn AllReduce>>,
    stop: Stop,
}

impl Phases {
    /// `plan` over so many epochs, at least 1, with `optimizer` for what the plan gives none.
    pub(crate) fn new(plan: &Plan, epochs: usize, optimizer: ModuleOptimizer) -> Self {
        Self(Arc::new(Shared {
            plan: plan.clone(),
            ranges: plan.phases(epochs),
            epochs: EpochCounter::new(),
            after: 0,
            optimizer,
            replicas: None,
            stop: Stop::default(),
        }))
    }

    /// Another training, which goes on after an epoch.
    pub(crate) fn after(self, epoch: usize) -> Self {
        self.changed(|shared| Shared { epochs: EpochCounter::after(epoch), after: epoch, ..shared })
    }

    /// Another training, with these replicas of its model.
    pub(crate) fn with_replicas(self, replicas: Arc<dyn AllReduce>) -> Self {
        self.changed(|shared| Shared { replicas: Some(replicas), ..shared })
    }

    fn changed(self, change: impl FnOnce(Shared) -> Shared) -> Self {
        let Shared { plan, ranges, epochs, after, optimizer, replicas, .. } = &*self.0;
        let copy = Shared {
            plan: plan.clone(),
            ranges: ranges.clone(),
            epochs: epochs.clone(),
            after: *after,
            optimizer: optimizer.clone(),
            replicas: replicas.clone(),
            stop: Stop::default(),
        };
        Self(Arc::new(change(copy)))
    }

    /// The epochs of each phase.
    pub(crate) fn ranges(&self) -> &[RangeInclusive<usize>] {
        &self.0.ranges
    }

    pub(crate) fn num_epochs(&self) -> usize {
        self.ranges().last().map_or(0, |last| *last.end())
    }

    /// The epoch that runs.
    pub(crate) fn epochs(&self) -> &EpochCounter {
        &self.0.epochs
    }

    /// The epoch after which the training goes on, 0 if it begins.
    pub(crate) fn goes_on_after(&self) -> usize {
        self.0.after
    }

    /// The number of the phase that runs, from 0.
    pub(crate) fn now(&self) -> usize {
        self.at(self.0.epochs.current())
    }

    /// The phase of an epoch: before the first one the first phase, after the last one the last.
    pub(crate) fn at(&self, epoch: usize) -> usize {
        self.ranges().iter().rposition(|phase| *phase.start() <= epoch).unwrap_or(0)
    }

    /// Whether somebody counts the epochs, if the plan needs it.
    pub(crate) fn is_counted(&self) -> bool {
        self.ranges().len() < 2 || self.0.epochs.has_begun()
    }

    /// Binds the plan to a model as it is in a phase.
    pub(crate) fn bind<M: Module>(&self, phase: usize, model: M) -> Result<(M, BoundPlan), PlanError> {
        let (model, plan) = self.0.plan.bind_in(*self.ranges()[phase].start(), model)?;
        let plan = match &self.0.replicas {
            Some(replicas) => plan.with_replicas(replicas.clone()),
            None => plan,
        };
        Ok((model, plan))
    }

    /// A fresh optimizer for a phase.
    pub(crate) fn optimizer(&self, plan: &BoundPlan) -> ModuleOptimizer {
        plan.optimizer(self.0.optimizer.clone())
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { plan, ranges, epochs, .. } = &*self.0;
        f.debug_struct("Phases").field("plan", plan).field("phases", ranges).field("epochs", epochs).finish()
    }
}
