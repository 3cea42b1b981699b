//! A plan over the epochs of one training.

use std::{
    fmt,
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use burn::{
    data::dataloader::DataLoader,
    lr_scheduler::LrSchedulerConfig,
    module::Module,
    optim::ModuleOptimizer,
    store::{ModuleRecord, RecordError},
    train::{Interrupter, Learner, SupervisedTraining},
};
use burn_hebbian_nn::replicas::AllReduce;
use burn_hebbian_optim::{BoundPlan, IntoOptimizer, Plan, PlanError, UpdateError};

use crate::{
    Batch, Classifier, EpochCounter, Hybrid, Watcher,
    counted::Counted,
    rates::{RateError, rates},
};

/// A plan over the epochs of one training: in each of its [phases](Plan::phases) rules, optimizers, rates and what is
/// frozen change as the plan says, inside one [`Learner`].
///
/// At the first step of a phase its plan is bound to the model, and optimizer and rates start anew.
#[derive(Clone)]
pub struct Course(Arc<Shared>);

struct Shared {
    plan: Plan,
    phases: Vec<RangeInclusive<usize>>,
    epochs: EpochCounter,
    /// The epoch after which the training goes on.
    after: usize,
    optimizer: ModuleOptimizer,
    replicas: Option<Arc<dyn AllReduce>>,
    stop: Stop,
}

/// A course that its model or its rates do not fit.
#[derive(Debug, thiserror::Error)]
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
    /// A course that goes on after its end.
    #[error("a course of {epochs} epochs cannot go on after epoch {after}")]
    AfterTheEnd {
        /// Epochs of the course.
        epochs: usize,
        /// The epoch it was to go on after.
        after: usize,
    },
    /// A record that Burn refuses.
    #[error("{0}")]
    Record(#[from] RecordError),
}

impl Course {
    /// `plan` over so many epochs, with `optimizer` for what the plan gives none.
    ///
    /// # Errors
    ///
    /// If there are no epochs.
    pub fn new(plan: &Plan, epochs: usize, optimizer: impl IntoOptimizer) -> Result<Self, CourseError> {
        if epochs == 0 {
            return Err(CourseError::NoEpochs);
        }
        Ok(Self(Arc::new(Shared {
            plan: plan.clone(),
            phases: plan.phases(epochs),
            epochs: EpochCounter::new(),
            after: 0,
            optimizer: optimizer.into_optimizer(),
            replicas: None,
            stop: Stop::default(),
        })))
    }

    /// Goes on after burn-train's checkpoint of this epoch.
    ///
    /// # Errors
    ///
    /// If the course ends before.
    pub fn after(self, epoch: usize) -> Result<Self, CourseError> {
        let epochs = self.num_epochs();
        if epoch >= epochs {
            return Err(CourseError::AfterTheEnd { epochs, after: epoch });
        }
        Ok(self.changed(|shared| Shared { epochs: EpochCounter::after(epoch), after: epoch, ..shared }))
    }

    /// With the other replicas of the model, for burn-train's distributed data parallel training, which knows nothing of
    /// what local layers learn; see [`BoundPlan::with_replicas`].
    pub fn with_replicas(self, replicas: Arc<dyn AllReduce>) -> Self {
        self.changed(|shared| Shared { replicas: Some(replicas), ..shared })
    }

    fn changed(self, change: impl FnOnce(Shared) -> Shared) -> Self {
        let Shared { plan, phases, epochs, after, optimizer, replicas, .. } = &*self.0;
        let copy = Shared {
            plan: plan.clone(),
            phases: phases.clone(),
            epochs: epochs.clone(),
            after: *after,
            optimizer: optimizer.clone(),
            replicas: replicas.clone(),
            stop: Stop::default(),
        };
        Self(Arc::new(change(copy)))
    }

    /// The number of epochs.
    pub fn num_epochs(&self) -> usize {
        self.0.phases.last().map_or(0, |last| *last.end())
    }

    /// The epoch that runs.
    pub fn epochs(&self) -> &EpochCounter {
        &self.0.epochs
    }

    /// burn-train's training in a folder, over the epochs of the course, from any loaders; the epochs are counted.
    pub fn training<M: Classifier>(
        &self,
        folder: impl AsRef<Path>,
        training: Arc<dyn DataLoader<Batch<M::Input>>>,
        validation: Arc<dyn DataLoader<Batch<M::Input>>>,
    ) -> SupervisedTraining<Hybrid<M>> {
        let counted = Arc::new(Counted::new(training, self.epochs()));
        let training = SupervisedTraining::new(folder, counted, validation).num_epochs(self.num_epochs());
        if self.0.after > 0 { training.checkpoint(self.0.after) } else { training }
    }

    /// What burn-train trains: `model` with the plan bound to it, its optimizer, and its rates; `rate` gives the rate or
    /// schedule in the epochs of each phase for what the plan gives none. `training` is what it is to be launched by: a
    /// step that is refused ends it, and says why in the [`interrupted`](burn::train::LearningResult::interrupted) of its
    /// result, with the name of the layer.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model in one of its phases, or Burn refuses a schedule.
    pub fn learner<M: Classifier>(
        &self,
        training: &SupervisedTraining<Hybrid<M>>,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
    ) -> Result<Learner<Hybrid<M>>, CourseError> {
        self.learner_of(training, model, rate, |hybrid| hybrid)
    }

    /// As [`learner`](Self::learner), with someone who looks at the model while it trains.
    ///
    /// # Errors
    ///
    /// As [`learner`](Self::learner).
    pub fn watched_learner<M: Classifier>(
        &self,
        training: &SupervisedTraining<Hybrid<M>>,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
        watcher: impl Watcher<M> + 'static,
    ) -> Result<Learner<Hybrid<M>>, CourseError> {
        self.learner_of(training, model, rate, |hybrid| hybrid.watched_by(watcher))
    }

    fn learner_of<M: Classifier>(
        &self,
        training: &SupervisedTraining<Hybrid<M>>,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
        change: impl FnOnce(Hybrid<M>) -> Hybrid<M>,
    ) -> Result<Learner<Hybrid<M>>, CourseError> {
        let plans = self.on_trial(&model)?;
        let rates = rates(self, &plans, rate)?;
        let hybrid = change(Hybrid::new(model, self)?);
        let optimizer = self.optimizer(hybrid.plan());
        self.0.stop.by(training.interrupter());
        Ok(Learner::new(hybrid, optimizer, rates))
    }

    /// The plan as each phase will have it, on a model like this one.
    fn on_trial<M: Module>(&self, model: &M) -> Result<Vec<BoundPlan>, PlanError> {
        let mut model = model.clone();
        let mut plans = Vec::new();
        for phase in 0..self.phases().len() {
            let (next, plan) = self.bind(phase, model)?;
            model = next;
            plans.push(plan);
        }
        Ok(plans)
    }

    /// `model` as burn-train's checkpoint of an epoch in `folder` has it: the last one, or the
    /// [best](crate::best_epoch).
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model, or the checkpoint is not there or of another one.
    pub fn load<M: Classifier>(
        &self,
        model: M,
        folder: impl AsRef<Path>,
        epoch: usize,
    ) -> Result<M, CourseError> {
        let file = folder.as_ref().join("checkpoint").join(format!("model-{epoch}.bpk"));
        let record = ModuleRecord::load(file)?;
        let mut model = model;
        for phase in 0..=self.phase_of(epoch) {
            (model, _) = self.bind(phase, model)?;
        }
        Ok(model.try_load_record(record)?)
    }

    /// Why a step of the training was refused, if one was: with the name of the layer.
    pub fn refusal(&self) -> Option<String> {
        self.0.stop.0.lock().unwrap_or_else(PoisonError::into_inner).reason.clone()
    }

    /// Binds the plan to a model as it is in a phase.
    pub(crate) fn bind<M: Module>(&self, phase: usize, model: M) -> Result<(M, BoundPlan), PlanError> {
        let (model, plan) = self.0.plan.bind_in(*self.phases()[phase].start(), model)?;
        let plan = match &self.0.replicas {
            Some(replicas) => plan.with_replicas(replicas.clone()),
            None => plan,
        };
        Ok((model, plan))
    }

    /// The number of the phase that runs, from 0.
    pub(crate) fn now(&self) -> usize {
        self.phase_of(self.0.epochs.current())
    }

    /// Before the first epoch is the first phase, after the last one the last.
    fn phase_of(&self, epoch: usize) -> usize {
        self.phases().iter().rposition(|phase| *phase.start() <= epoch).unwrap_or(0)
    }

    /// Whether somebody counts the epochs, if the plan needs it.
    pub(crate) fn is_counted(&self) -> bool {
        self.phases().len() < 2 || self.0.epochs.has_begun()
    }

    pub(crate) fn phases(&self) -> &[RangeInclusive<usize>] {
        &self.0.phases
    }

    /// A fresh optimizer for a phase.
    pub(crate) fn optimizer(&self, plan: &BoundPlan) -> ModuleOptimizer {
        plan.optimizer(self.0.optimizer.clone())
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }
}

impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { plan, phases, epochs, .. } = &*self.0;
        f.debug_struct("Course").field("plan", plan).field("phases", phases).field("epochs", epochs).finish()
    }
}

/// How a step that is refused ends the training.
#[derive(Default)]
pub(crate) struct Stop(Mutex<Ending>);

#[derive(Default)]
struct Ending {
    interrupter: Option<Interrupter>,
    reason: Option<String>,
}

impl Stop {
    fn by(&self, interrupter: Interrupter) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Ending { interrupter: Some(interrupter), reason: None };
    }

    /// Ends the training, and keeps the first reason.
    pub(crate) fn end(&self, reason: &Refusal) {
        let mut ending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = ending.reason.get_or_insert_with(|| reason.to_string()).clone();
        if let Some(interrupter) = &ending.interrupter {
            interrupter.stop(Some(&reason));
        }
    }

    /// Whether a step was refused: nothing is learnt from then on.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reason.is_some()
    }
}

/// Why a step is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(
        "the plan has phases, and nobody counts the epochs: make the training by `Course::training`, or let its loader count (`OrderedLoader::counted_by`)"
    )]
    Uncounted,
}
