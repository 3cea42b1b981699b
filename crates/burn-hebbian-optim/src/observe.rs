//! Running a forward pass and collecting what local layers learn in it.

use std::{
    cell::RefCell,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    sync::Arc,
};

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::Tensor,
};
use burn_hebbian_core::{
    Signals, Sums,
    observe::{Observer, Selection, with_observer},
};

use crate::{
    PlanError,
    assignment::{Assignment, Role},
    plan::Plan,
};

impl Plan {
    /// Runs `forward` and collects what the local layers of `model` learn in it, on this thread.
    ///
    /// `signals` reach every layer, a teacher for example. Layers that run on other threads are reported by
    /// [`Updates::unreached`].
    ///
    /// ```no_run
    /// # use burn::{module::Module, nn::Linear, tensor::Tensor};
    /// # use burn_hebbian_core::Signals;
    /// # use burn_hebbian_optim::Plan;
    /// # fn example(model: Linear, images: Tensor<2>) -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = Plan::new();
    /// let (logits, updates) = plan.observe(&model, Signals::none(), || model.forward(images))?;
    /// let grads = updates.into_grads(&model);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    ///
    /// # Panics
    ///
    /// If a layer's rule needs a teacher and `signals` has none that fits.
    pub fn observe<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce() -> R,
    ) -> Result<(R, Updates), PlanError> {
        let recorder = self.recorder(model, signals, false)?;
        let output = with_observer(recorder.clone(), forward);
        Ok((output, recorder.updates()))
    }

    /// Runs `forward` as far as somebody learns from it: it ends once the last local layer has learnt, whatever comes
    /// after. For purely local training, layer by layer above all: what lies above costs nothing.
    ///
    /// A layer that runs several times in a pass may learn from its first run alone. The pass ends by unwinding, as a
    /// panic does but without its message; under `panic = "abort"` use [`observe`](Self::observe).
    ///
    /// ```no_run
    /// # use burn::{module::Module, nn::Linear, optim::{ModuleOptimizer, SgdConfig}, tensor::Tensor};
    /// # use burn_hebbian_core::Signals;
    /// # use burn_hebbian_optim::Plan;
    /// # fn example(model: Linear, mut optimizer: ModuleOptimizer, images: Tensor<2>) -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = Plan::new();
    /// let updates = plan.learn(&model, Signals::none(), || model.forward(images))?;
    /// let grads = updates.into_grads(&model);
    /// let model = plan.step(&mut optimizer, 0.1, model, grads)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    ///
    /// # Panics
    ///
    /// As [`observe`](Self::observe), and if `forward` panics.
    pub fn learn<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce() -> R,
    ) -> Result<Updates, PlanError> {
        let recorder = self.recorder(model, signals, true)?;
        let observed = recorder.clone();
        let pass = catch_unwind(AssertUnwindSafe(|| drop(with_observer(observed, forward))));
        if let Err(panic) = pass
            && !panic.is::<AllLearnt>()
        {
            resume_unwind(panic);
        }
        Ok(recorder.updates())
    }

    fn recorder<M: Module>(
        &self,
        model: &M,
        signals: Signals,
        ends: bool,
    ) -> Result<Rc<Recorder>, PlanError> {
        let assignment = self.assign(model)?;
        assignment.check_state()?;
        assignment.check_signals(&signals)?;
        Ok(Rc::new(Recorder { assignment, signals, ends, sums: RefCell::default() }))
    }
}

/// What a pass is unwound with once every local layer has learnt.
struct AllLearnt;

struct Recorder {
    assignment: Arc<Assignment>,
    signals: Signals,
    /// Whether the pass ends once every local layer has learnt.
    ends: bool,
    sums: RefCell<HashMap<ParamId, Sums>>,
}

impl Recorder {
    fn updates(&self) -> Updates {
        Updates { assignment: self.assignment.clone(), sums: self.sums.take() }
    }
}

impl Observer for Recorder {
    fn selection(&self, weight: ParamId) -> Option<Selection> {
        let layer = self.assignment.local(weight)?;
        Some(Selection { rule: layer.rule.clone(), flow: layer.flow, backprop: layer.mixes_backprop() })
    }

    fn signals(&self, weight: ParamId) -> Signals {
        match self.assignment.local(weight) {
            Some(layer) => self.signals.for_layer(&layer.path),
            None => self.signals.clone(),
        }
    }

    fn report(&self, weight: ParamId, sums: Sums) {
        let mut all = self.sums.borrow_mut();
        let merged = match all.remove(&weight) {
            Some(known) => known.merge(sums),
            None => sums,
        };
        all.insert(weight, merged);
        if self.ends && all.len() == self.assignment.local_layers().count() {
            drop(all);
            resume_unwind(Box::new(AllLearnt));
        }
    }
}

/// What the local layers learnt in one forward pass: sums, not yet updates.
#[derive(Debug)]
pub struct Updates {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) sums: HashMap<ParamId, Sums>,
}

impl Updates {
    /// Gradients that hold these sums and nothing else: purely local learning.
    pub fn into_grads<M: Module>(self, model: &M) -> GradientsParams {
        let mut grads = GradientsParams::new();
        self.register(model, &mut grads);
        grads
    }

    /// Adds these sums to the gradients of a backward pass.
    ///
    /// A backprop gradient of a local weight is kept where the plan gives backprop a share in it, and dropped
    /// elsewhere, as are those of frozen parameters.
    pub fn register<M: Module>(mut self, model: &M, grads: &mut GradientsParams) {
        model.visit(&mut Registration { updates: &mut self, grads });
    }

    /// The local layers that the forward pass never reached on this thread, in the model's order.
    pub fn unreached(&self) -> Vec<&str> {
        let missing = |(id, _): &(ParamId, _)| !self.sums.contains_key(id);
        self.assignment.local_layers().filter(missing).map(|(_, layer)| layer.path.as_str()).collect()
    }
}

struct Registration<'a> {
    updates: &'a mut Updates,
    grads: &'a mut GradientsParams,
}

impl ModuleVisitor for Registration<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        match self.updates.assignment.role(param.id) {
            Some(Role::Local(layer)) => {
                let gradient = self.grads.remove::<D>(param.id).filter(|_| layer.mixes_backprop());
                let sums = self.updates.sums.remove(&param.id);
                if sums.is_some() || gradient.is_some() {
                    self.grads.register(param.id, layer.pack(sums, gradient));
                }
            }
            Some(Role::Frozen | Role::Bias(_)) => drop(self.grads.remove::<D>(param.id)),
            _ => {}
        }
    }
}
