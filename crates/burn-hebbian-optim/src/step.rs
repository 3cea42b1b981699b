//! One optimizer step for local and backprop layers together.

use std::{collections::HashSet, sync::Arc};

use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLearningRate,
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams},
    tensor::Tensor,
};
use burn_hebbian_core::observe::with_provisions;

use crate::{
    PlanError, UpdateError,
    assignment::{Assignment, LocalLayer, Role},
    constraint::Before,
    plan::Plan,
};

impl Plan {
    /// Checks the plan against the model, takes local and frozen parameters out of autodiff, and makes room for the
    /// state of rules that keep one.
    ///
    /// To be called once, before training. Parameters that a [`backprop`](Self::backprop) pattern matches and
    /// local weights in which backprop has a share require gradients afterwards; the rest stays as it is,
    /// unless the plan freezes it.
    ///
    /// # Errors
    ///
    /// If a pattern matches nothing, or a rule cannot train its layer.
    pub fn apply<M: Module>(&self, model: M) -> Result<M, PlanError> {
        let assignment = self.assign(&model)?;
        let state = |(id, layer): (ParamId, &Arc<LocalLayer>)| {
            Some((id.val(), layer.rule.initial_state(&layer.layout)?))
        };
        let states = assignment.local_layers().filter_map(state).collect();
        Ok(with_provisions(states, || model.map(&mut Freezer { assignment: &assignment })))
    }

    /// Finishes the sums in `grads` and steps `optimizer`, on autodiff and plain devices alike.
    ///
    /// In burn-train this is the body of `TrainStep::optimize`.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn step<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: impl Into<ModuleLearningRate>,
        model: M,
        mut grads: GradientsParams,
    ) -> Result<M, UpdateError> {
        let (model, assignment) = self.finish_in(model, &mut grads)?;
        let before = Before::of(&model, &assignment);
        let model = on_autodiff(&assignment, model, |model| optimizer.step(learning_rate, model, grads));
        Ok(before.constrain(model, &assignment))
    }

    /// As [`step`](Self::step), for the gradients of several devices; the body of `TrainStep::optimize_multi`.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub fn step_multi<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: impl Into<ModuleLearningRate>,
        model: M,
        mut grads: MultiGradientsParams,
    ) -> Result<M, UpdateError> {
        let (model, assignment) = self.finish_in(model, &mut grads)?;
        let before = Before::of(&model, &assignment);
        let model =
            on_autodiff(&assignment, model, |model| optimizer.step_multi(learning_rate, model, grads));
        Ok(before.constrain(model, &assignment))
    }
}

struct Freezer<'a> {
    assignment: &'a Assignment,
}

impl ModuleMapper for Freezer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.assignment.role(param.id) {
            Some(Role::Local(layer)) => param.set_require_grad(layer.mixes_backprop()),
            Some(Role::Frozen | Role::Bias(_)) => param.set_require_grad(false),
            Some(Role::Backprop { by_pattern: true }) => param.set_require_grad(true),
            _ => param,
        }
    }
}

/// Runs `step` with the local weights of a plain device lent to autodiff: Burn's optimizer takes no others.
///
/// Lending moves a handle, no data. Other parameters of a plain device have no gradients.
fn on_autodiff<M: Module>(assignment: &Assignment, model: M, step: impl FnOnce(M) -> M) -> M {
    let mut plain = PlainWeights { assignment, ids: HashSet::new() };
    model.visit(&mut plain);
    let ids = plain.ids;
    if ids.is_empty() {
        return step(model);
    }
    let lent = step(model.map(&mut Lender { ids: &ids, lend: true }));
    lent.map(&mut Lender { ids: &ids, lend: false })
}

struct PlainWeights<'a> {
    assignment: &'a Assignment,
    ids: HashSet<ParamId>,
}

impl ModuleVisitor for PlainWeights<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.assignment.learns_locally(param.id) && !param.lazy_device().is_autodiff() {
            self.ids.insert(param.id);
        }
    }
}

struct Lender<'a> {
    ids: &'a HashSet<ParamId>,
    lend: bool,
}

impl ModuleMapper for Lender<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.ids.contains(&param.id) {
            return param;
        }
        param.map(|weight| if self.lend { weight.autodiff() } else { weight.inner() })
    }
}
