//! A step is cheap: at most two traversals of the model beside Burn's own.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use burn::{
    module::{Devices, Module, ModuleMapper, ModuleVisitor},
    optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{optim::Constraint, prelude::*};
use burn_hebbian_tests::net::{Net, NormNet, PlainNet};
use libtest_mimic::Trial;

use crate::{device, images, kind, loss};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [("two_a_step", two_a_step), ("with_norms_state_and_constraints", with_all)];
    kind("traversals", tests)
}

/// A model that counts how often it is visited or mapped.
#[derive(Debug, Clone)]
struct Counting<M> {
    model: M,
    traversals: Arc<AtomicUsize>,
}

impl<M: Module> Counting<M> {
    fn new(model: M) -> Self {
        Self { model, traversals: Arc::default() }
    }

    fn count(&self) {
        self.traversals.fetch_add(1, Relaxed);
    }

    /// Since the last time.
    fn taken(&self) -> usize {
        self.traversals.swap(0, Relaxed)
    }
}

impl<M: Module> Module for Counting<M> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.count();
        self.model.visit(visitor);
    }

    fn map<O: ModuleMapper>(self, mapper: &mut O) -> Self {
        self.count();
        Self { model: self.model.map(mapper), ..self }
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
        self.count();
        Self { model: self.model.train(), ..self }
    }

    fn valid(&self) -> Self {
        self.count();
        Self { model: self.model.valid(), traversals: self.traversals.clone() }
    }

    fn materialize(self) -> Self {
        Self { model: self.model.materialize(), ..self }
    }
}

/// Of one step of Burn's own.
fn of_burn(net: Counting<Net>) -> usize {
    let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
    net.taken();
    let grads = GradientsParams::from_grads(loss(net.model.forward(images(1))).backward(), &net);
    optimizer.step(0.1, net, grads).taken()
}

/// Of one step of a plan, the third.
fn of_plan<M: Module>(plan: &Plan, net: M, forward: impl Fn(&M) -> Tensor<2>) -> usize {
    let (mut net, mut optim) = plan.init(Counting::new(net), SgdConfig::new()).unwrap();
    for _ in 0..3 {
        net.taken();
        let (loss, seen) = optim.observe(&net, Signals::none(), |net| loss(forward(&net.model))).unwrap();
        let updates = seen.backward(loss).unwrap();
        net = optim.step(0.1, net, updates).unwrap();
    }
    net.taken()
}

fn two_a_step() {
    let net = || Net::from(PlainNet::new(&device()));
    let burn = of_burn(Counting::new(net()));
    assert_eq!(burn, 2, "from_grads and step");
    let plan = Plan::new().local("conv2", LocalTraining::new(Rule::swta()).passing_gradients());
    assert_eq!(of_plan(&plan, net(), |net| net.forward(images(1))), burn + 2);
}

fn with_all() {
    let training = LocalTraining::new(Rule::bcm())
        .passing_gradients()
        .with_constraint(Constraint::KeepSigns)
        .with_constraint(Constraint::UnitNorm);
    let plan = Plan::new().local("conv2", training);
    assert_eq!(of_plan(&plan, NormNet::new(&device()), |net| net.forward(images(1))), 4);
}
