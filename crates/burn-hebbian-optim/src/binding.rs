//! A plan bound to a model.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use burn::{
    lr_scheduler::LrSchedulerConfig,
    lr_scheduler::module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
    module::{Module, ParamGroup, ParamId},
    optim::{ModuleOptimizer, SgdConfig},
};
use burn_hebbian_nn::{
    observe::{Ownership, with_binding},
    replicas::AllReduce,
};

use crate::{
    IntoOptimizer, OptimizerChoice, PlanError, UpdateError,
    bind::{
        Assignment, LocalLayer, Role, Survey, check_frozen, resolve, resolve_thawed, shared_running,
        strangers,
    },
    monitor::Monitor,
    plan::Plan,
    rates::Scheduled,
};

/// A plan bound to a model: it knows what trains each parameter, observes passes of that model, and steps what they
/// teach. Clones share what they know.
///
/// [`LocalOptimizer`](crate::LocalOptimizer) holds one, with the optimizer and the rates. By itself it is for trainers that
/// own these: in burn-train the model carries it (a field with `#[module(skip)]`), `TrainStep::step` observes and
/// `TrainStep::optimize` calls [`optimize`](Self::optimize).
#[derive(Clone)]
pub struct BoundPlan {
    bound: Arc<Bound>,
    /// The other replicas of the model that train beside it, each with sums of its own.
    replicas: Option<Arc<dyn AllReduce>>,
}

struct Bound {
    plan: Plan,
    /// The epoch that decides which entries hold; none while nobody has said which one a plan with epochs is in.
    epoch: Option<usize>,
    owner: u64,
    paths: Vec<String>,
    shared_running: HashSet<ParamId>,
    /// What would train each parameter if nothing were frozen in the model; optimizers and rates are chosen by this.
    thawed: Assignment,
    current: Mutex<Arc<Assignment>>,
    monitor: Monitor,
}

/// Owners are told apart by a number.
static OWNERS: AtomicU64 = AtomicU64::new(1);

impl Plan {
    /// Binds the plan to a model, for a trainer that owns optimizer and rates: checks it, and makes room for the state of
    /// rules. [`init`](Self::init) is this with both.
    ///
    /// Nothing else in the model changes, and nothing at all in clones of it. A plan with epochs is bound to one of them
    /// by [`bind_in`](Self::bind_in).
    ///
    /// # Errors
    ///
    /// If a pattern matches nothing or only what is frozen, a rule cannot train its layer, or one parameter is in the
    /// model twice.
    pub fn bind<M: Module>(&self, model: M) -> Result<(M, BoundPlan), PlanError> {
        for start in self.phase_starts() {
            self.try_on(&model, start)?;
        }
        self.bound(model, (!self.has_epochs()).then_some(1))
    }

    /// As [`bind`](Self::bind), with what holds in an epoch, counted from 1.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), for that epoch.
    pub fn bind_in<M: Module>(&self, epoch: usize, model: M) -> Result<(M, BoundPlan), PlanError> {
        self.bound(model, Some(epoch))
    }

    /// Checks the plan on a model as it is in an epoch.
    fn try_on<M: Module>(&self, model: &M, epoch: usize) -> Result<(), PlanError> {
        let assignment = resolve(self, epoch, &Survey::of(model), &HashSet::new())?;
        check_frozen(self, &assignment)
    }

    fn bound<M: Module>(&self, model: M, epoch: Option<usize>) -> Result<(M, BoundPlan), PlanError> {
        let survey = Survey::of(&model);
        let resolved = epoch.unwrap_or(1);
        check_frozen(self, &resolve(self, resolved, &survey, &HashSet::new())?)?;
        let shared_running = shared_running(&model, &survey.found.running);
        let owner = OWNERS.fetch_add(1, Relaxed);
        let thawed = resolve_thawed(self, resolved, &survey, &shared_running)?;
        let model = with_binding(ownership(owner, &thawed), || model.map(&mut Unchanged));
        let survey = Survey::of(&model);
        let assignment = resolve(self, resolved, &survey, &shared_running)?;
        let thawed = resolve_thawed(self, resolved, &survey, &shared_running)?;
        let bound = Bound {
            plan: self.clone(),
            epoch,
            owner,
            paths: survey.paths,
            shared_running,
            thawed,
            current: Mutex::new(Arc::new(assignment)),
            monitor: Monitor::default(),
        };
        Ok((model, BoundPlan { bound: Arc::new(bound), replicas: None }))
    }
}

/// What the layers of a model are told.
fn ownership(owner: u64, assignment: &Assignment) -> Ownership {
    let rule = |(place, layer): (usize, &Arc<LocalLayer>)| (place, layer.rule.clone());
    Ownership { owner, rules: assignment.learning().map(rule).collect() }
}

/// Leaves all parameters as they are.
struct Unchanged;

impl burn::module::ModuleMapper for Unchanged {}

impl BoundPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.bound.plan
    }

    /// Adds up the sums of all replicas of the model in every pass, for training that reduces gradients while the backward
    /// pass runs, as burn-train's distributed data parallel training does: each replica has such a plan, and they meet layer
    /// by layer in the model's order.
    ///
    /// Masses are summed like numerators: a mean stays the mean over all images of all replicas, whatever Burn's own
    /// reduction is. Without this a pass of such a replica is refused.
    pub fn with_replicas(self, replicas: Arc<dyn AllReduce>) -> Self {
        Self { replicas: Some(replicas), ..self }
    }

    pub(crate) fn replicas(&self) -> Option<&Arc<dyn AllReduce>> {
        self.replicas.as_ref()
    }

    /// The epoch that the plan is bound in; none if it has epochs and nobody has said in which one it is.
    pub fn epoch(&self) -> Option<usize> {
        self.bound.epoch
    }

    /// `base` with the plan's optimizers for what it says. Local layers without one of their own get plain SGD, without
    /// clipping, whatever `base` is.
    pub fn optimizer(&self, base: impl IntoOptimizer) -> ModuleOptimizer {
        let plain = OptimizerChoice::Sgd(SgdConfig::new());
        let mut groups: Vec<(&OptimizerChoice, Vec<String>)> = Vec::new();
        for parameter in &self.bound.thawed.parameters {
            let own = parameter.entry.and_then(|entry| self.bound.plan.entries()[entry].optimizer());
            let choice = match parameter.role {
                Role::Local(_) | Role::Bias(_) => own.unwrap_or(&plain),
                Role::Backprop if own.is_some() => own.unwrap_or(&plain),
                _ => continue,
            };
            match groups.iter_mut().find(|(known, _)| std::ptr::eq(*known, choice)) {
                Some((_, paths)) => paths.push(parameter.path.clone()),
                None => groups.push((choice, vec![parameter.path.clone()])),
            }
        }
        let join = |optimizer, (choice, paths): (&OptimizerChoice, Vec<String>)| {
            choice.join(optimizer, ParamGroup::from_paths(paths))
        };
        groups.into_iter().fold(base.into_optimizer(), join)
    }

    /// The rates of the plan: `base` for all parameters but those of entries with a rate of their own.
    ///
    /// # Errors
    ///
    /// If Burn refuses a rate.
    pub fn rates(&self, base: impl Into<LrSchedulerConfig>) -> Result<ModuleLrScheduler, PlanError> {
        let base = ModuleLrSchedulerConfig::new(base.into()).init();
        let base = base.map_err(|reason| PlanError::Rate { pattern: "the rest".to_string(), reason })?;
        self.rates_over(base)
    }

    /// `base` with the plan's own rates on top.
    pub(crate) fn rates_over(&self, base: ModuleLrScheduler) -> Result<ModuleLrScheduler, PlanError> {
        let mut rates = base;
        for (entry, paths) in self.rated() {
            let entry = &self.bound.plan.entries()[entry];
            let Some(rate) = entry.rate() else { continue };
            rates = rates.with_group(ParamGroup::from_paths(paths), Scheduled::new(rate, entry.pattern())?);
        }
        Ok(rates)
    }

    /// The entries with a rate of their own, and the paths of the parameters that they decide about.
    fn rated(&self) -> Vec<(usize, Vec<String>)> {
        let mut groups: HashMap<usize, Vec<String>> = HashMap::new();
        for parameter in &self.bound.thawed.parameters {
            let learns = matches!(parameter.role, Role::Local(_) | Role::Bias(_) | Role::Backprop);
            if let Some(entry) = parameter.entry.filter(|_| learns) {
                groups.entry(entry).or_default().push(parameter.path.clone());
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.retain(|(entry, _)| self.bound.plan.entries()[*entry].rate().is_some());
        groups.sort();
        groups
    }

    /// The rate or schedule of the parameter at `path`, if the plan gives it one of its own.
    pub fn rate(&self, path: &str) -> Option<LrSchedulerConfig> {
        let rated = self.rated();
        let (entry, _) = rated.iter().find(|(_, paths)| paths.iter().any(|known| known == path))?;
        self.bound.plan.entries()[*entry].rate().cloned()
    }

    /// Looks now whether all updates since the last look were finite; before a checkpoint, for example.
    ///
    /// # Errors
    ///
    /// If one was not.
    pub fn check_finite(&self) -> Result<(), UpdateError> {
        self.bound.monitor.look(&self.assignment())
    }

    pub(crate) fn monitor(&self) -> &Monitor {
        &self.bound.monitor
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bound, &other.bound)
    }

    /// What trains each parameter, as far as is known.
    pub(crate) fn assignment(&self) -> Arc<Assignment> {
        self.bound.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resolves the plan anew on the model it is bound to: after a record was loaded, a layer frozen, a rule exchanged.
    pub(crate) fn follow<M: Module>(&self, model: &M) -> Result<Arc<Assignment>, UpdateError> {
        let survey = Survey::of(model);
        if let Some(layer) = strangers(&survey, self.bound.owner).next() {
            return Err(UpdateError::NotBound { layer });
        }
        self.check_paths(&survey.paths)?;
        let Bound { plan, epoch, shared_running, .. } = &*self.bound;
        let assignment = Arc::new(resolve(plan, epoch.unwrap_or(1), &survey, shared_running)?);
        *self.bound.current.lock().unwrap_or_else(PoisonError::into_inner) = assignment.clone();
        Ok(assignment)
    }

    fn check_paths(&self, paths: &[String]) -> Result<(), UpdateError> {
        let known = &self.bound.paths;
        if paths == known {
            return Ok(());
        }
        let differs = (0..known.len().max(paths.len())).find(|i| paths.get(*i) != known.get(*i)).unwrap_or(0);
        let show = |paths: &[String]| paths.get(differs).cloned().unwrap_or_else(|| "nothing".to_string());
        Err(UpdateError::OtherModel { expected: show(known), got: show(paths) })
    }
}

impl fmt::Debug for BoundPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundPlan").field("plan", &self.bound.plan).field("epoch", &self.bound.epoch).finish()
    }
}
