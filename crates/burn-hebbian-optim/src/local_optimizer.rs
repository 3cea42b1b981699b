//! The local optimizer: a plan bound to a model, with the optimizer and the rates.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::{
    lr_scheduler::{
        LrSchedulerRecord,
        module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler},
    },
    module::Module,
    optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams},
};
use burn_hebbian_core::Signals;
use burn_hebbian_nn::replicas::AllReduce;

use crate::{
    BoundPlan, IntoOptimizer, Plan, PlanError, Refused, Report, Seen, UpdateError, Updates,
    bind::Assignment,
    commit::Commit,
    finish::{Finished, Finisher, Gradients},
    rates::Given,
    updates::Demands,
};

/// Trains a model by a plan: it owns all that a step needs to know but the model itself.
///
/// ```
/// # use burn::{module::Module, nn::LinearConfig, optim::AdamConfig, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::{Rule, Signals};
/// # use burn_hebbian_nn::Local;
/// # use burn_hebbian_optim::Plan;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
/// # let net = Local::new(LinearConfig::new(4, 3).init(&device));
/// # let images = Tensor::<2>::ones([8, 4], &device);
/// let plan = Plan::new().local(".*", Rule::swta());
/// let (mut net, mut optim) = plan.init(net, AdamConfig::new())?;
///
/// // one step
/// let (loss, seen) = optim.observe(&net, Signals::none(), |net| net.forward(images).mean())?;
/// net = optim.step(0.01, net, seen.backward(loss)?)?;
/// # let _ = net;
/// # Ok(()) }
/// ```
///
/// A refused step changes nothing, and its error gives the model back.
#[must_use]
pub struct LocalOptimizer {
    plan: BoundPlan,
    base: ModuleOptimizer,
    optimizer: Arc<Mutex<ModuleOptimizer>>,
    rates: ModuleLrScheduler,
    given: Given,
}

impl Plan {
    /// Binds the plan to a model and makes the optimizer that trains it, `base` being what the plan gives no optimizer of
    /// its own learns by; local layers without one learn by plain SGD.
    ///
    /// All that can be checked is checked here. In the model, room is made for the state of rules; nothing else changes,
    /// and nothing at all in clones of it. A plan with epochs waits for [`LocalOptimizer::begin_epoch`].
    ///
    /// # Errors
    ///
    /// If a pattern matches nothing or only what is frozen, a rule cannot train its layer, one parameter is in the model
    /// twice, or Burn refuses a rate.
    pub fn init<M: Module>(
        &self,
        model: M,
        base: impl IntoOptimizer,
    ) -> Result<(M, LocalOptimizer), PlanError> {
        let (model, plan) = self.bind(model)?;
        let optim = LocalOptimizer::new(plan, base.into_optimizer())?;
        Ok((model, optim))
    }
}

impl LocalOptimizer {
    fn new(plan: BoundPlan, base: ModuleOptimizer) -> Result<Self, PlanError> {
        let given = Given::default();
        let rates = plan.rates_over(ModuleLrScheduler::new(given.clone()))?;
        let optimizer = Arc::new(Mutex::new(plan.optimizer(base.clone())));
        Ok(Self { plan, base, optimizer, rates, given })
    }

    /// Says in which epoch the training is, counted from 1. A plan with epochs needs to hear it at the start of each; where
    /// a phase begins, other entries hold, and optimizer and rates start anew.
    ///
    /// # Errors
    ///
    /// As [`Plan::init`], for that epoch.
    pub fn begin_epoch<M: Module>(&mut self, epoch: usize, model: M) -> Result<M, PlanError> {
        let plan = self.plan.plan().clone();
        if epoch == 0 {
            return Err(PlanError::EpochZero);
        }
        let phase = plan.phase_of(epoch);
        if self.plan.epoch() == Some(phase) {
            return Ok(model);
        }
        let (model, bound) = plan.bind_in(phase, model)?;
        let bound = match self.plan.replicas() {
            Some(replicas) => bound.with_replicas(replicas.clone()),
            None => bound,
        };
        *self = Self::new(bound, self.base.clone())?;
        Ok(model)
    }

    /// With the sums of all replicas in every pass, see [`BoundPlan::with_replicas`].
    pub fn with_replicas(self, replicas: Arc<dyn AllReduce>) -> Self {
        Self { plan: self.plan.with_replicas(replicas), ..self }
    }

    /// The bound plan.
    pub fn plan(&self) -> &BoundPlan {
        &self.plan
    }

    /// Runs `forward` on a copy of `model` and collects what the copy's local layers learn in it; see
    /// [`BoundPlan::observe`].
    ///
    /// # Errors
    ///
    /// As [`BoundPlan::observe`].
    pub fn observe<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce(&M) -> R,
    ) -> Result<(R, Seen<M>), UpdateError> {
        self.plan.observe(model, signals, forward)
    }

    /// One step: sums become updates, the optimizer steps at `rate` (entries with a rate of their own at that), states of
    /// rules and running statistics move on, weights are held to their constraints. On autodiff and plain devices alike.
    ///
    /// # Errors
    ///
    /// If a local layer that was to learn was not reached; if a parameter that was to learn by backprop has no gradient; if
    /// anything is not finite; if the updates are of another model. Then nothing has changed, rates and optimizer
    /// included, and the error has the model.
    pub fn step<M: Module>(&mut self, rate: f64, model: M, updates: Updates) -> Result<M, Refused<M>> {
        let Updates { plan, assignment, mut learned, demands } = updates;
        if !plan.is_same(&self.plan) {
            let what = "updates that another optimizer observed, or this one in another phase".to_string();
            return Err(Refused::new(model, UpdateError::Foreign { what }));
        }
        if !rate.is_finite() {
            return Err(Refused::new(model, UpdateError::Rate { rate }));
        }
        let finished = match plan.finished(&model, &assignment, demands, Some(plan.plan()), &mut learned) {
            Ok(finished) => finished,
            Err(error) => return Err(Refused::new(model, error)),
        };
        self.given.set(rate);
        let rates = self.rates.step();
        Ok(finished.commit.step(&mut self.optimizer(), rates, model, finished.grads))
    }

    /// What trains each parameter.
    pub fn report(&self) -> Report {
        self.plan.report()
    }

    /// As [`report`](Self::report), with the local layers that a forward pass never reaches; nothing is learned, and nothing
    /// moves.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    pub fn rehearse<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce(&M) -> R,
    ) -> Result<Report, UpdateError> {
        self.plan.rehearse(model, signals, forward)
    }

    /// The same optimizer, with its state, for a part of the model that trains at the same time: rates advance apart, each
    /// with the steps of its own part.
    pub fn beside(&self) -> Self {
        Self { optimizer: self.optimizer.clone(), ..self.clone() }
    }

    pub(crate) fn optimizer(&self) -> MutexGuard<'_, ModuleOptimizer> {
        self.optimizer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rates(&self) -> &ModuleLrScheduler {
        &self.rates
    }

    pub(crate) fn resumed(self, optimizer: ModuleOptimizer, rates: LrSchedulerRecord) -> Self {
        let optimizer = Arc::new(Mutex::new(optimizer));
        Self { optimizer, rates: self.rates.load_record(rates), ..self }
    }

    pub(crate) fn fresh_optimizer(&self) -> ModuleOptimizer {
        self.plan.optimizer(self.base.clone())
    }
}

impl Clone for LocalOptimizer {
    fn clone(&self) -> Self {
        // a rate of its own, so that clones do not step at each other's
        let fresh =
            Self::new(self.plan.clone(), self.base.clone()).expect("the same rates were built before");
        fresh.resumed(self.optimizer().clone(), self.rates.to_record())
    }
}

impl std::fmt::Debug for LocalOptimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalOptimizer").field("plan", &self.plan).finish()
    }
}

impl BoundPlan {
    /// One step of an optimizer that somebody else owns, by gradients that hold sums; the body of burn-train's
    /// `TrainStep::optimize`.
    ///
    /// # Errors
    ///
    /// As [`LocalOptimizer::step`].
    pub fn optimize<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        rate: impl Into<ModuleLearningRate>,
        model: M,
        grads: GradientsParams,
    ) -> Result<M, Refused<M>> {
        self.optimize_by(optimizer, rate.into(), model, grads)
    }

    /// As [`optimize`](Self::optimize), for the gradients of several devices; the body of `TrainStep::optimize_multi`.
    ///
    /// # Errors
    ///
    /// As [`LocalOptimizer::step`].
    pub fn optimize_multi<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        rate: impl Into<ModuleLearningRate>,
        model: M,
        grads: MultiGradientsParams,
    ) -> Result<M, Refused<M>> {
        self.optimize_by(optimizer, rate.into(), model, grads)
    }

    /// Turns updates into gradients for optimizers of your own: divides by the mass, mixes with the backprop gradient, flips
    /// the sign to descent. The model comes back with the rules' next states and its running statistics moved on;
    /// its weights are yours to step, and then to [constrain](Self::constrain).
    ///
    /// # Errors
    ///
    /// As [`LocalOptimizer::step`].
    pub fn finish<M: Module>(&self, model: M, updates: Updates) -> Result<(M, GradientsParams), Refused<M>> {
        let Updates { plan, assignment, mut learned, demands } = updates;
        if !plan.is_same(self) {
            return Err(Refused::new(
                model,
                UpdateError::Foreign { what: "updates of another plan".to_string() },
            ));
        }
        match self.finished(&model, &assignment, demands, None, &mut learned) {
            Ok(Finished { grads, commit, .. }) => Ok((commit.apply(model), grads)),
            Err(error) => Err(Refused::new(model, error)),
        }
    }

    /// Holds the local weights of `model` to the plan's constraints, `before` being the model before the step; for
    /// optimizers of your own.
    pub fn constrain<M: Module>(&self, before: &M, model: M) -> M {
        Commit::constrain(&self.assignment(), before, model)
    }

    fn optimize_by<M: Module, G: Gradients>(
        &self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        model: M,
        mut grads: G,
    ) -> Result<M, Refused<M>> {
        let assignment = self.assignment();
        let demands = Demands { sums: true, gradients: assignment.needs_backward() };
        match self.finished(&model, &assignment, demands, None, &mut grads) {
            Ok(finished) => Ok(finished.commit.step(optimizer, rate, model, finished.grads)),
            Err(error) => Err(Refused::new(model, error)),
        }
    }

    /// What a step will do; refuses it before anything is changed.
    fn finished<M: Module, G: Gradients>(
        &self,
        model: &M,
        assignment: &Arc<Assignment>,
        demands: Demands,
        plan: Option<&Plan>,
        grads: &mut G,
    ) -> Result<Finished, UpdateError> {
        let mut finisher = Finisher::new(assignment, demands, plan, grads);
        model.visit(&mut finisher);
        let mut finished = finisher.finish()?;
        self.monitor().record(std::mem::take(&mut finished.flags), assignment)?;
        Ok(finished)
    }
}
