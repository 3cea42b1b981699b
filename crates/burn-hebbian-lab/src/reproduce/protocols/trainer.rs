//! Networks in training, on generated images.

use crate::models::{ResNet, Vgg};
use crate::prelude::*;
use anyhow::{Context, Result};
use burn::{
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, SgdConfig},
    tensor::{Device, Distribution, Int, Tensor},
};

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

/// What makes its steps.
enum Optim {
    Rules(LocalOptimizer),
    Backprop(ModuleOptimizer),
}

/// A network in training.
pub(super) struct Trainer<N> {
    batch: Batch,
    optim: Optim,
    /// Taken only while a step replaces it: a copy beside it would keep weights from being changed in place.
    net: Option<N>,
}

impl<N: Network> Trainer<N> {
    /// Every hidden layer by `rule`, the classifier as teacher neurons; the rest is frozen.
    pub(super) fn by_rule(net: N, rule: Rule, batch: Batch) -> Result<Self> {
        let plan =
            Plan::new().local(N::HIDDEN, rule).local(N::CLASSIFIER, Rule::teacher()).with_rest(Rest::Frozen);
        let (net, optim) = plan.init(net, SgdConfig::new())?;
        Ok(Self { batch, optim: Optim::Rules(optim), net: Some(net) })
    }

    /// All by backprop; network and batch on an autodiff device.
    pub(super) fn by_backprop(net: N, batch: Batch) -> Self {
        Self { batch, optim: Optim::Backprop(SgdConfig::new().init()), net: Some(net) }
    }

    /// One step on the batch.
    pub(super) fn step(&mut self) -> Result<()> {
        let net = self.net.take().context("a step that failed left no network")?;
        self.net = Some(match &mut self.optim {
            Optim::Rules(optim) => step_by_rules(optim, net, &self.batch)?,
            Optim::Backprop(optimizer) => step_by_backprop(optimizer, net, &self.batch),
        });
        Ok(())
    }
}

fn step_by_rules<N: Network>(optim: &mut LocalOptimizer, net: N, batch: &Batch) -> Result<N> {
    let Batch { images, labels, classes } = batch;
    let signals = Signals::none().with_teacher(labels.clone().one_hot(*classes).float());
    let (_, seen) = optim.observe(&net, signals, |net| net.scores(images.clone()))?;
    Ok(optim.step(RATE, net, seen.local_only()).map_err(UpdateError::from)?)
}

fn step_by_backprop<N: Network>(optimizer: &mut ModuleOptimizer, net: N, batch: &Batch) -> N {
    let Batch { images, labels, .. } = batch;
    let loss = CrossEntropyLossConfig::new().init(&images.device());
    let grads = loss.forward(net.scores(images.clone()), labels.clone()).backward();
    let grads = GradientsParams::from_grads(grads, &net);
    optimizer.step(RATE, net, grads)
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
        let weights = crate::diagnostics::local_weights(trainer.net.as_ref().unwrap());
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
            let Trainer { batch, net, .. } = trainer;
            assert_eq!(net.unwrap().scores(batch.images).dims(), [2, 5]);
        }
    }
}
