//! Networks in training, on generated images.

use crate::models::{ResNet, Vgg};
use anyhow::{Context, Result};
use burn::{
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, SgdConfig},
    tensor::{Device, Distribution, Int, Tensor},
};
use burn_hebbian::prelude::*;

/// Small enough for weights to stay what they are over some steps: no rule diverges.
const RATE: f64 = 1e-6;

/// A network of local layers.
pub(super) trait Network: Module {
    /// The paths of the layers that learn by a rule.
    const HIDDEN: &'static str;

    /// The path of the classifier.
    const CLASSIFIER: &'static str;

    /// `[n, channels, height, width]` → `[n, classes]`.
    fn scores(&self, images: Tensor<4>) -> Tensor<2>;
}

impl Network for Vgg {
    const HIDDEN: &'static str = "stages.*conv|fc[12]";
    const CLASSIFIER: &'static str = "fc3";

    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}

impl Network for ResNet {
    const HIDDEN: &'static str = ".*conv";
    const CLASSIFIER: &'static str = "fc";

    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}

/// A batch of images, and their classes.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) images: Tensor<4>,
    pub(super) labels: Tensor<1, Int>,
    pub(super) classes: usize,
}

impl Batch {
    /// Noise of the size of images `[n, channels, height, width]`.
    pub(super) fn noise(dims: [usize; 4], classes: usize, device: &Device) -> Self {
        Self {
            images: Tensor::random(dims, Distribution::Normal(0.0, 1.0), device),
            labels: Tensor::<1, Int>::arange(0..dims[0] as i64, device).remainder_scalar(classes as i64),
            classes,
        }
    }
}

/// A network in training.
pub(super) struct Trainer<N> {
    batch: Batch,
    /// None of one that learns by backprop.
    plan: Option<Plan>,
    optimizer: ModuleOptimizer,
    /// Taken only while a step replaces it: a copy beside it would keep weights from being changed in place.
    net: Option<N>,
}

impl<N: Network> Trainer<N> {
    /// Every hidden layer by `rule`, the classifier as teacher neurons; the rest is frozen.
    pub(super) fn by_rule(net: N, rule: Rule, batch: Batch) -> Result<Self> {
        let plan =
            Plan::new().local(N::HIDDEN, rule).local(N::CLASSIFIER, Rule::teacher()).with_rest(Rest::Frozen);
        let net = Some(plan.apply(net)?);
        Ok(Self { batch, plan: Some(plan), optimizer: SgdConfig::new().init(), net })
    }

    /// All by backprop; network and batch on an autodiff device.
    pub(super) fn by_backprop(net: N, batch: Batch) -> Self {
        Self { batch, plan: None, optimizer: SgdConfig::new().init(), net: Some(net) }
    }

    /// The forward pass alone.
    pub(super) fn forward(&self) -> Result<Tensor<2>> {
        Ok(self.net()?.scores(self.batch.images.clone()))
    }

    /// One step on the batch.
    pub(super) fn step(&mut self) -> Result<()> {
        match self.plan.clone() {
            Some(plan) => self.step_by_rule(&plan),
            None => self.step_by_backprop(),
        }
    }

    fn step_by_rule(&mut self, plan: &Plan) -> Result<()> {
        let Batch { labels, classes, .. } = &self.batch;
        let signals = Signals::none().with_teacher(labels.clone().one_hot(*classes).float());
        let net = self.net()?;
        let updates = plan.learn(net, signals, || net.scores(self.batch.images.clone()))?;
        let grads = updates.into_grads(net);
        let net = self.take()?;
        self.net = Some(plan.step(&mut self.optimizer, RATE, net, grads)?);
        Ok(())
    }

    fn step_by_backprop(&mut self) -> Result<()> {
        let loss = CrossEntropyLossConfig::new().init(&self.batch.images.device());
        let grads = loss.forward(self.forward()?, self.batch.labels.clone()).backward();
        let net = self.take()?;
        let grads = GradientsParams::from_grads(grads, &net);
        self.net = Some(self.optimizer.step(RATE, net, grads));
        Ok(())
    }

    fn net(&self) -> Result<&N> {
        self.net.as_ref().context("a step that failed left no network")
    }

    fn take(&mut self) -> Result<N> {
        self.net.take().context("a step that failed left no network")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ResNetConfig;

    fn net(device: &Device) -> ResNet {
        device.seed(3);
        ResNetConfig::resnet18(5).with_width(2).init(device).unwrap()
    }

    fn stem(trainer: &Trainer<ResNet>) -> Vec<f32> {
        let weights = burn_hebbian::train::diagnostics::local_weights(trainer.net().unwrap());
        weights[0].weight.clone().into_data().iter().collect()
    }

    #[test]
    fn both_kinds_of_steps_learn() {
        let plain = Device::flex();
        let autodiff = Device::flex().autodiff();
        let batch = |device| Batch::noise([2, 3, 32, 32], 5, device);
        let by_rule = Trainer::by_rule(net(&plain), Rule::swta(), batch(&plain)).unwrap();
        let by_backprop = Trainer::by_backprop(net(&autodiff), batch(&autodiff));
        for mut trainer in [by_rule, by_backprop] {
            let before = stem(&trainer);
            trainer.step().unwrap();
            trainer.step().unwrap();
            assert_ne!(stem(&trainer), before);
            assert_eq!(trainer.forward().unwrap().dims(), [2, 5]);
        }
    }
}
