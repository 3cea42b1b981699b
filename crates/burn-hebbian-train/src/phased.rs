//! A plan over the epochs of one training.

use std::{ops::RangeInclusive, path::Path, sync::Arc};

use burn::{
    data::dataloader::DataLoader,
    lr_scheduler::LrSchedulerConfig,
    module::Module,
    store::{ModuleRecord, RecordError},
    train::{Learner, SupervisedTraining},
};
use burn_hebbian_nn::replicas::AllReduce;
use burn_hebbian_optim::{BoundPlan, IntoOptimizer, Plan, PlanError};

use crate::{
    Batch, Classifier, EpochCounter, Hybrid, Watcher,
    counted::Counted,
    phases::Phases,
    rates::{RateError, rates},
};

/// A plan over the epochs of one training: in each of its [phases](Plan::phases) rules, optimizers, rates and what is
/// frozen change as the plan says, inside one [`Learner`].
///
/// At the first step of a phase its plan is bound to the model, and optimizer and rates start anew.
#[derive(Debug, Clone)]
pub struct PhasedTraining(Phases);

/// A course that its model or its rates do not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhasedTrainingError {
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

impl PhasedTraining {
    /// `plan` over so many epochs, with `optimizer` for what the plan gives none.
    ///
    /// # Errors
    ///
    /// If there are no epochs.
    pub fn new(
        plan: &Plan,
        epochs: usize,
        optimizer: impl IntoOptimizer,
    ) -> Result<Self, PhasedTrainingError> {
        if epochs == 0 {
            return Err(PhasedTrainingError::NoEpochs);
        }
        Ok(Self(Phases::new(plan, epochs, optimizer.into_optimizer())))
    }

    /// Goes on after burn-train's checkpoint of this epoch.
    ///
    /// # Errors
    ///
    /// If the course ends before.
    pub fn after(self, epoch: usize) -> Result<Self, PhasedTrainingError> {
        let epochs = self.num_epochs();
        if epoch >= epochs {
            return Err(PhasedTrainingError::AfterTheEnd { epochs, after: epoch });
        }
        Ok(Self(self.0.after(epoch)))
    }

    /// With the other replicas of the model, for burn-train's distributed data parallel training, which knows nothing of
    /// what local layers learn; see [`BoundPlan::with_replicas`].
    pub fn with_replicas(self, replicas: Arc<dyn AllReduce>) -> Self {
        Self(self.0.with_replicas(replicas))
    }

    /// The number of epochs.
    pub fn num_epochs(&self) -> usize {
        self.0.num_epochs()
    }

    /// The epoch that runs.
    pub fn epochs(&self) -> &EpochCounter {
        self.0.epochs()
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
        let after = self.0.goes_on_after();
        if after > 0 { training.checkpoint(after) } else { training }
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
    ) -> Result<Learner<Hybrid<M>>, PhasedTrainingError> {
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
    ) -> Result<Learner<Hybrid<M>>, PhasedTrainingError> {
        self.learner_of(training, model, rate, |hybrid| hybrid.watched_by(watcher))
    }

    fn learner_of<M: Classifier>(
        &self,
        training: &SupervisedTraining<Hybrid<M>>,
        model: M,
        rate: impl Fn(&RangeInclusive<usize>) -> LrSchedulerConfig,
        change: impl FnOnce(Hybrid<M>) -> Hybrid<M>,
    ) -> Result<Learner<Hybrid<M>>, PhasedTrainingError> {
        let plans = self.on_trial(&model)?;
        let rates = rates(&self.0, &plans, rate)?;
        let hybrid = change(Hybrid::new(model, &self.0)?);
        let optimizer = self.0.optimizer(hybrid.plan());
        self.0.stop().by(training.interrupter());
        Ok(Learner::new(hybrid, optimizer, rates))
    }

    /// The plan as each phase will have it, on a model like this one.
    fn on_trial<M: Module>(&self, model: &M) -> Result<Vec<BoundPlan>, PlanError> {
        let mut model = model.clone();
        let mut plans = Vec::new();
        for phase in 0..self.0.ranges().len() {
            let (next, plan) = self.0.bind(phase, model)?;
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
    ) -> Result<M, PhasedTrainingError> {
        let file = folder.as_ref().join("checkpoint").join(format!("model-{epoch}.bpk"));
        let record = ModuleRecord::load(file)?;
        let mut model = model;
        for phase in 0..=self.0.at(epoch) {
            (model, _) = self.0.bind(phase, model)?;
        }
        Ok(model.try_load_record(record)?)
    }

    /// Why a step of the training was refused, if one was: with the name of the layer.
    pub fn refusal(&self) -> Option<String> {
        self.0.stop().reason()
    }
}
