//! Running a forward pass and collecting what local layers learn in it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::{
    module::{Flag, Module, ModuleMapper, Param, ParamId},
    optim::GradientsParams,
    tensor::Tensor,
};
use burn_hebbian_core::{RuleError, Signals, Sums};
use burn_hebbian_nn::observe::{Pass, Selection, with_seats};

use crate::{
    BoundPlan, UpdateError, Updates,
    bind::{Assignment, Key, Leaf, Role, is_active},
    running::{Shifts, Standing},
    updates::SumsByPlace,
};

impl BoundPlan {
    /// Runs `forward` on a copy of `model` and collects what the copy's local layers learn in it, on whatever thread they
    /// run; the model itself stays as it is, running statistics included.
    ///
    /// The closure gets the copy, and only what is called on the copy teaches. It may return whatever it likes, and end as
    /// early as it likes: what lies above the last layer that learns costs nothing if it is not called.
    ///
    /// `signals` reach every layer, a teacher for example.
    ///
    /// # Errors
    ///
    /// If the model is not the one that the plan was bound to, a record loaded into it or its copy; if it is a copy for
    /// validation; if a layer cannot learn from its signals.
    pub fn observe<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce(&M) -> R,
    ) -> Result<(R, Seen<M>), UpdateError> {
        if self.plan().has_epochs() && self.epoch().is_none() {
            return Err(UpdateError::NoEpoch);
        }
        let (copy, recorder, standing, distributed) = self.copy(model, signals)?;
        if distributed && self.replicas().is_none() {
            return Err(UpdateError::Replicas);
        }
        let output = forward(&copy);
        let mut taught = recorder.taught.lock().unwrap_or_else(PoisonError::into_inner);
        let Taught { sums, mut shifts, refusal } = std::mem::take(&mut *taught);
        drop(taught);
        let assignment = recorder.assignment().clone();
        let copy = standing.settle(copy, &assignment, &mut shifts);
        if let Some(error) = refusal {
            return Err(error);
        }
        let sums = self.reduced(&assignment, sums)?;
        Ok((output, Seen { plan: self.clone(), assignment, copy, sums, shifts }))
    }

    /// The sums of all replicas, if there are others.
    fn reduced(&self, assignment: &Assignment, sums: SumsByPlace) -> Result<SumsByPlace, UpdateError> {
        let Some(replicas) = self.replicas() else { return Ok(sums) };
        let mut sums = sums;
        for (place, _) in assignment.learning() {
            if let Some(own) = sums.take(place) {
                sums.add(place, crate::replicas::reduce(own, &**replicas)?);
            }
        }
        Ok(sums)
    }

    /// A copy of `model` whose layers have their seats in a pass.
    fn copy<M: Module>(&self, model: &M, signals: Signals) -> Result<Prepared<M>, UpdateError> {
        let known = self.assignment();
        if let Some(copy) = self.seated(model, &known, &signals)? {
            return Ok(copy);
        }
        let assignment = self.follow(model)?;
        let copy = self.seated(model, &assignment, &signals)?;
        Ok(copy.expect("the plan was just resolved on this model"))
    }

    /// The copy, if `assignment` is still what trains the model.
    fn seated<M: Module>(
        &self,
        model: &M,
        assignment: &Arc<Assignment>,
        signals: &Signals,
    ) -> Result<Option<Prepared<M>>, UpdateError> {
        let recorder = Arc::new(Recorder { signals: signals.clone(), ..Recorder::default() });
        let mut mapper = Seating {
            assignment,
            leaves: Vec::new(),
            flags: 0,
            standing: Standing::default(),
            distributed: false,
        };
        let (copy, found) = with_seats(recorder.clone(), || model.clone().map(&mut mapper));
        let Seating { leaves, standing, distributed, .. } = mapper;
        if (Key { leaves, found }) != assignment.key {
            return Ok(None);
        }
        if assignment.learning().next().is_none()
            && assignment.key.found.layers.iter().any(|layer| !layer.training)
        {
            return Err(UpdateError::NothingLearns);
        }
        assignment.check_signals(signals)?;
        recorder.begin(assignment.clone());
        Ok(Some((copy, recorder, standing, distributed)))
    }
}

/// A copy of a model for a pass, who observes it, the running statistics that the pass will move by itself, and whether
/// the model is one of several replicas.
type Prepared<M> = (M, Arc<Recorder>, Standing, bool);

/// Takes what does not learn by backprop out of the autodiff graph, and notes what the model consists of.
struct Seating<'a> {
    assignment: &'a Assignment,
    leaves: Vec<Leaf>,
    flags: usize,
    standing: Standing,
    /// Whether burn-train reduces gradients while the backward pass runs.
    distributed: bool,
}

impl ModuleMapper for Seating<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let parameter = self.assignment.parameters.get(self.leaves.len());
        let known = parameter.filter(|parameter| parameter.id == param.id);
        self.leaves.push(Leaf { id: param.id, active: is_active(&param) });
        let role = known.map(|parameter| parameter.role);
        let is_distributed = || param.lazy_device().is_autodiff() && param.base().is_distributed();
        self.distributed |= matches!(role, Some(Role::Local(_))) && is_distributed();
        match role {
            Some(Role::Frozen | Role::Bias(_)) if param.is_require_grad() => param.set_require_grad(false),
            Some(Role::Running { shared: true }) => {
                self.standing.note(&param);
                param
            }
            _ => param,
        }
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.flags += 1;
        match self.assignment.frozen_flags.get(self.flags - 1) {
            Some(true) => flag.with_value(false),
            _ => flag,
        }
    }
}

/// Who observes one pass.
#[derive(Default)]
struct Recorder {
    assignment: OnceLock<Arc<Assignment>>,
    signals: Signals,
    taught: Mutex<Taught>,
}

/// What a pass has taught so far.
#[derive(Default)]
struct Taught {
    sums: SumsByPlace,
    shifts: Shifts,
    refusal: Option<UpdateError>,
}

impl Recorder {
    fn begin(&self, assignment: Arc<Assignment>) {
        self.assignment.get_or_init(|| assignment);
    }

    fn assignment(&self) -> &Arc<Assignment> {
        self.assignment.get().expect("a pass begins before its forward pass")
    }

    fn taught(&self) -> std::sync::MutexGuard<'_, Taught> {
        self.taught.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass for Recorder {
    fn selection(&self, place: usize) -> Option<Selection> {
        let layer = self.assignment().layer(place)?;
        Some(Selection { rule: layer.rule.clone(), flow: layer.flow, backprop: layer.mixes_backprop() })
    }

    fn signals(&self, place: usize) -> Signals {
        match self.assignment().layer(place) {
            Some(layer) => self.signals.for_layer(&layer.path),
            None => self.signals.clone(),
        }
    }

    fn report(&self, place: usize, sums: Sums) {
        self.taught().sums.add(place, sums);
    }

    fn refuse(&self, place: usize, error: RuleError) {
        let layer = self.assignment().layer(place).map_or_else(String::new, |layer| layer.path.clone());
        self.taught().refusal.get_or_insert(UpdateError::Signals { layer, error });
    }

    fn report_running(&self, id: ParamId, shift: Tensor<1>) {
        self.taught().shifts.add(id, shift);
    }
}

/// What was seen in one forward pass: what local layers learned from it, and the graph of what learns by backprop.
///
/// Dropped, it leaves no trace: a pass reports, a step commits.
#[must_use = "what was seen is learned when `backward` or `local_only` of it reach `step`"]
#[derive(Debug)]
pub struct Seen<M> {
    plan: BoundPlan,
    assignment: Arc<Assignment>,
    copy: M,
    sums: SumsByPlace,
    shifts: Shifts,
}

impl<M: Module> Seen<M> {
    /// What local layers learned, with the gradients of `loss` for the parameters that learn by backprop. Without such
    /// parameters there is no backward pass.
    ///
    /// # Errors
    ///
    /// If something is to learn by backprop, and the loss is on a device without autodiff or depends on nothing that
    /// requires gradients.
    pub fn backward(self, loss: Tensor<1>) -> Result<Updates, UpdateError> {
        if !self.assignment.needs_backward() {
            return Ok(self.local_only());
        }
        if !loss.is_autodiff() {
            return Err(UpdateError::NoAutodiff);
        }
        if !loss.is_tracked() {
            return Err(UpdateError::NoGraph);
        }
        let grads = GradientsParams::from_grads(loss.backward(), &self.copy);
        Ok(self.updates(grads, true))
    }

    /// What local layers learned, and nothing else: what learns by backprop stays as it is in this step.
    pub fn local_only(self) -> Updates {
        self.updates(GradientsParams::new(), false)
    }

    /// The local layers that were to learn and that the pass never reached, in the model's order.
    pub fn unreached(&self) -> Vec<&str> {
        let missing = |(place, _): &(usize, _)| !self.sums.holds(*place);
        self.assignment.learning().filter(missing).map(|(_, layer)| layer.path.as_str()).collect()
    }

    fn updates(self, grads: GradientsParams, backward: bool) -> Updates {
        let Self { plan, assignment, sums, shifts, .. } = self;
        Updates::new(plan, assignment, sums, shifts, grads, backward)
    }
}
