//! What a step changes beside what the optimizer does, on the optimizer's own way through the model.

use std::{any::Any, collections::HashMap, sync::Arc};

use burn::{
    lr_scheduler::module_lr_scheduler::ModuleLearningRate,
    module::{Devices, Flag, Module, ModuleMapper, ModuleVisitor, Param},
    optim::{GradientsParams, ModuleOptimizer},
    tensor::{Bool, Device, Int, Tensor},
};

use burn_hebbian_nn::internals::Descent;

use crate::{
    bind::{Assignment, Role},
    values::{put, within},
};

/// New states of rules and running statistics, by the number of the parameter; and the constraints of local layers.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    assignment: Arc<Assignment>,
    values: HashMap<usize, Tensor<1>>,
    /// The steps of weights that need no optimizer.
    descents: HashMap<usize, Descent>,
}

impl Commit {
    pub(crate) fn new(assignment: Arc<Assignment>) -> Self {
        Self { assignment, values: HashMap::new(), descents: HashMap::new() }
    }

    pub(crate) fn descend(&mut self, parameter: usize, descent: Descent) {
        self.descents.insert(parameter, descent);
    }

    pub(crate) fn put(&mut self, parameter: usize, values: Tensor<1>) {
        self.values.insert(parameter, values);
    }

    /// Steps the optimizer and commits, in one traversal of the model.
    pub(crate) fn step<M: Module>(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        model: M,
        grads: GradientsParams,
    ) -> M {
        let rate_of = |number: usize| {
            let parameter = &self.assignment.parameters[number];
            rate.lr_from_param(parameter.id, Some(&parameter.path))
        };
        let rates = self.descents.keys().map(|number| (*number, rate_of(*number))).collect();
        optimizer.step(rate, Committing { model, commit: self, rates }, grads).model
    }

    /// Commits what is not the optimizer's.
    pub(crate) fn apply<M: Module>(self, model: M) -> M {
        if self.values.is_empty() {
            return model;
        }
        model.map(&mut Applier { values: self.values, next: 0 })
    }

    /// Holds weights to their constraints.
    pub(crate) fn constrain<M: Module>(assignment: &Assignment, before: &M, model: M) -> M {
        let mut recall = Recall { assignment, next: 0, weights: HashMap::new() };
        before.visit(&mut recall);
        model.map(&mut Holder { assignment, next: 0, before: recall.weights })
    }
}

/// Puts values where they belong.
struct Applier {
    values: HashMap<usize, Tensor<1>>,
    next: usize,
}

impl ModuleMapper for Applier {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.next += 1;
        match self.values.remove(&(self.next - 1)) {
            Some(values) => param.map(|old| put(values, old)),
            None => param,
        }
    }
}

/// The weights before a step, of the layers whose constraints ask for them; tensors of any rank.
struct Recall<'a> {
    assignment: &'a Assignment,
    next: usize,
    weights: HashMap<usize, Box<dyn Any>>,
}

impl ModuleVisitor for Recall<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.assignment.layer_of(self.next).is_some_and(|layer| layer.keeps_signs()) {
            self.weights.insert(self.next, Box::new(param.base().inner()));
        }
        self.next += 1;
    }
}

struct Holder<'a> {
    assignment: &'a Assignment,
    next: usize,
    before: HashMap<usize, Box<dyn Any>>,
}

impl ModuleMapper for Holder<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let number = self.next;
        self.next += 1;
        let Some(layer) = self.assignment.layer_of(number) else { return param };
        let before = self.before.remove(&number).and_then(|before| before.downcast::<Tensor<D>>().ok());
        layer.constrain(param, before.map(|before| *before))
    }
}

/// A model that lets whoever maps it commit on the way.
#[derive(Debug, Clone)]
struct Committing<M> {
    model: M,
    commit: Commit,
    /// Of the weights whose steps need no optimizer.
    rates: HashMap<usize, f64>,
}

impl<M: Module> Module for Committing<M> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.model.visit(visitor);
    }

    fn map<O: ModuleMapper>(self, optimizer: &mut O) -> Self {
        let Self { model, commit, rates } = self;
        let mut committer = Committer { optimizer, commit, rates: &rates, next: 0 };
        let model = model.map(&mut committer);
        Self { model, commit: committer.commit, rates }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.model.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self { model: self.model.fork(device), ..self }
    }

    fn to_device(self, device: &Device) -> Self {
        Self { model: self.model.to_device(device), ..self }
    }

    fn train(self) -> Self {
        Self { model: self.model.train(), ..self }
    }

    fn valid(&self) -> Self {
        Self { model: self.model.valid(), commit: self.commit.clone(), rates: self.rates.clone() }
    }

    fn materialize(self) -> Self {
        Self { model: self.model.materialize(), ..self }
    }
}

/// The optimizer's mapper, with what is to be done before and after it.
struct Committer<'a, O> {
    optimizer: &'a mut O,
    commit: Commit,
    rates: &'a HashMap<usize, f64>,
    /// The number of the next parameter.
    next: usize,
}

impl<O: ModuleMapper> Committer<'_, O> {
    /// A weight or bias that learns locally. Burn's optimizers take nothing from plain devices: it is lent to autodiff,
    /// which moves a handle, no data.
    fn learns<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.lazy_device().is_autodiff() {
            return self.optimizer.map_float(param);
        }
        self.optimizer.map_float(param.map(Tensor::autodiff)).map(Tensor::inner)
    }

    /// A weight whose step needs no optimizer.
    fn descends<const D: usize>(
        &self,
        param: Param<Tensor<D>>,
        number: usize,
        descent: Descent,
    ) -> Param<Tensor<D>> {
        let rate = self.rates[&number];
        param.map(|weight| within(weight, |weight| descent.step(weight, rate)))
    }

    fn weight<const D: usize>(&mut self, place: usize, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(layer) = self.commit.assignment.layer(place).cloned() else { return param };
        let before = layer.keeps_signs().then(|| param.base().inner());
        let param = match self.commit.descents.remove(&layer.weight) {
            Some(descent) => self.descends(param, layer.weight, descent),
            None => self.learns(param),
        };
        layer.constrain(param, before)
    }
}

impl<O: ModuleMapper> ModuleMapper for Committer<'_, O> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.optimizer.enter_module(name, container_type);
    }

    fn exit_module(&mut self, name: &str, container_type: &str) {
        self.optimizer.exit_module(name, container_type);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let number = self.next;
        self.next += 1;
        match self.commit.assignment.parameters.get(number).map(|parameter| parameter.role) {
            Some(Role::Local(place)) => self.weight(place, param),
            Some(Role::Bias(_)) => self.learns(param),
            Some(Role::State(_) | Role::Running { .. }) => match self.commit.values.remove(&number) {
                Some(values) => param.map(|old| put(values, old)),
                None => param,
            },
            Some(Role::Backprop) => self.optimizer.map_float(param),
            Some(Role::Frozen) | None => param,
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        self.optimizer.map_int(param)
    }

    fn map_bool<const D: usize>(&mut self, param: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        self.optimizer.map_bool(param)
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.optimizer.map_flag(flag)
    }
}
