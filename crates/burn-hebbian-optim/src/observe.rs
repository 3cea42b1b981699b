//! Running a forward pass and collecting what local layers learn in it.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

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
        let assignment = self.assign(model)?;
        assignment.check_state()?;
        assignment.check_signals(&signals)?;
        let recorder =
            Rc::new(Recorder { assignment: assignment.clone(), signals, sums: RefCell::default() });
        let output = with_observer(recorder.clone(), forward);
        Ok((output, Updates { assignment, sums: recorder.sums.take() }))
    }
}

struct Recorder {
    assignment: Arc<Assignment>,
    signals: Signals,
    sums: RefCell<HashMap<ParamId, Sums>>,
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
    }
}

/// What the local layers learnt in one forward pass: sums, not yet updates.
#[derive(Debug)]
pub struct Updates {
    assignment: Arc<Assignment>,
    sums: HashMap<ParamId, Sums>,
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
