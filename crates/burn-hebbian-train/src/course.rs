//! A plan over the epochs of one training.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use burn::{lr_scheduler::LrSchedulerConfig, module::Module, optim::ModuleOptimizer, train::Learner};
use burn_hebbian_optim::{Plan, PlanError};

use crate::{
    Classifier, EpochCounter, Hybrid, Watcher,
    rates::{RateError, rates},
};

/// A plan over the epochs of one training: in each of its [phases](Plan::phases) rules, optimizers, rates and what is
/// frozen change as the plan says, inside one [`Learner`].
///
/// At the first step of a phase its plan is applied to the model, and optimizer and rates start anew.
#[derive(Clone)]
pub struct Course {
    phases: Arc<[Phase]>,
    epochs: EpochCounter,
    optimizer: ModuleOptimizer,
}

/// A run of epochs in which the same patterns hold.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) epochs: RangeInclusive<usize>,
    pub(crate) plan: Plan,
}

/// A course that its model or its rates do not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CourseError {
    /// The plan does not fit the model.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Burn refuses a rate.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// No epoch to train.
    #[error("a course has at least 1 epoch, got 0")]
    NoEpochs,
}

impl Course {
    /// `plan` over so many epochs, counted by `counter`, with `optimizer` for what the plan gives none.
    ///
    /// # Errors
    ///
    /// If there are no epochs.
    pub fn new(
        plan: &Plan,
        epochs: usize,
        counter: &EpochCounter,
        optimizer: impl Into<ModuleOptimizer>,
    ) -> Result<Self, CourseError> {
        if epochs == 0 {
            return Err(CourseError::NoEpochs);
        }
        let phase = |epochs: RangeInclusive<usize>| Phase { plan: plan.at_epoch(*epochs.start()), epochs };
        let phases = plan.phases(epochs).into_iter().map(phase).collect();
        Ok(Self { phases, epochs: counter.clone(), optimizer: optimizer.into() })
    }

    /// What burn-train trains: `model` with the plan applied, its optimizer, and its rates; `rate` gives the rate or
    /// schedule in the epochs of each phase for what the plan gives none.
    ///
    /// To resume, make the counter start [after](EpochCounter::after) the checkpoint's epoch.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model in one of its phases, or a schedule is none.
    pub fn learner<M: Classifier>(
        &self,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
    ) -> Result<Learner<Hybrid<M>>, CourseError> {
        self.learner_of(model, rate, |hybrid| hybrid)
    }

    /// As [`learner`](Self::learner), with someone who looks at the model while it trains.
    ///
    /// # Errors
    ///
    /// As [`learner`](Self::learner).
    pub fn watched_learner<M: Classifier>(
        &self,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
        watcher: impl Watcher<M> + 'static,
    ) -> Result<Learner<Hybrid<M>>, CourseError> {
        self.learner_of(model, rate, |hybrid| hybrid.watched_by(watcher))
    }

    fn learner_of<M: Classifier>(
        &self,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
        change: impl FnOnce(Hybrid<M>) -> Hybrid<M>,
    ) -> Result<Learner<Hybrid<M>>, CourseError> {
        for phase in self.phases.iter() {
            phase.plan.report(&model)?;
        }
        let rates = rates(self, &model, rate)?;
        let hybrid = change(Hybrid::new(model, self)?);
        let optimizer = self.optimizer(self.now(), hybrid.inner())?;
        Ok(Learner::new(hybrid, optimizer, rates))
    }

    /// The number of the phase that runs, from 0.
    pub(crate) fn now(&self) -> usize {
        let epoch = self.epochs.current();
        // before the first epoch is the first phase, after the last one the last
        self.phases.iter().rposition(|phase| *phase.epochs.start() <= epoch).unwrap_or(0)
    }

    pub(crate) fn phases(&self) -> &[Phase] {
        &self.phases
    }

    pub(crate) fn plan(&self, phase: usize) -> &Plan {
        &self.phases[phase].plan
    }

    /// A fresh optimizer for a phase.
    pub(crate) fn optimizer<M: Module>(&self, phase: usize, model: &M) -> Result<ModuleOptimizer, PlanError> {
        self.plan(phase).optimizer(model, self.optimizer.clone())
    }
}

impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course").field("phases", &self.phases).field("epochs", &self.epochs).finish()
    }
}
