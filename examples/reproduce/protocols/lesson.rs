//! Neurons that learn from rows.

use anyhow::{Context, Result};
use burn::{
    nn::Initializer,
    optim::SgdConfig,
    tensor::{Device, Int, Tensor, TensorData},
};
use burn_hebbian::{prelude::*, train::data::shuffled};
use burn_hebbian_examples::progress;

use crate::{config::Learner, net::initializer};

/// A rule and what it learns from.
pub(super) struct Lesson<'a> {
    pub(super) learner: &'a Learner,
    pub(super) neurons: usize,
    /// `[n, values]`.
    pub(super) rows: &'a Tensor<2>,
    pub(super) epochs: usize,
    pub(super) seed: u64,
}

impl Lesson<'_> {
    /// Shows weights `[neurons, values]` to `watch` after 0, 1, … epochs.
    pub(super) fn learn(&self, mut watch: impl FnMut(usize, Tensor<2>) -> Result<()>) -> Result<()> {
        let [count, values] = self.rows.dims();
        let Learner { rule, rate, rates, batch, initial, .. } = self.learner;
        let device = self.rows.device();
        let mut layer = self.layer(values, &device, initializer(*initial, values), rule.rule(self.seed))?;
        let (plan, mut optimizer) =
            (Plan::new().local(".*", LocalTraining::of_the_layer()), SgdConfig::new().init());
        layer = plan.apply(layer)?;
        watch(0, weights(&layer))?;
        let steps = self.epochs * count.div_ceil(*batch);
        let bar = progress::bar(steps).with_message(self.learner.name.clone());
        let mut step = 0;
        for epoch in 0..self.epochs {
            for indices in shuffled(count, self.seed, epoch).chunks(*batch) {
                let rows = self.rows.clone().select(0, integers(indices, &device));
                let (_, updates) = plan.observe(&layer, Signals::none(), || layer.forward(rows))?;
                let grads = updates.into_grads(&layer);
                layer = plan.step(&mut optimizer, rates.at(*rate, step, steps), layer, grads)?;
                step += 1;
                bar.inc(1);
            }
            watch(epoch + 1, weights(&layer))?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn layer(
        &self,
        values: usize,
        device: &Device,
        initial: Initializer,
        rule: Rule,
    ) -> Result<HebbianLinear> {
        device.seed(self.seed);
        let config = HebbianLinearConfig::new(values, self.neurons, rule).with_initializer(initial);
        config.try_init(device).with_context(|| self.learner.name.clone())
    }
}

/// What tables call so many epochs.
pub(super) fn after(epochs: usize) -> String {
    format!("after {epochs} epoch{}", if epochs == 1 { "" } else { "s" })
}

/// `[neurons, values]`.
fn weights(layer: &HebbianLinear) -> Tensor<2> {
    layer.layer().weight.val().transpose()
}

fn integers(indices: &[usize], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}
