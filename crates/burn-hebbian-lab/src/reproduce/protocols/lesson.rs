//! Neurons that learn from rows.

use crate::progress;
use crate::{data::shuffled, prelude::*};
use anyhow::{Context, Result};
use burn::{
    nn::Initializer,
    optim::SgdConfig,
    tensor::{Device, Int, Tensor, TensorData},
};

use crate::reproduce::{config::Learner, net::initializer};

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
        let layer = self.layer(values, &device, initializer(*initial, values), rule.rule(self.seed))?;
        let plan = Plan::new().local(".*", LocalTraining::of_the_layer());
        let (mut layer, mut optim) = plan.init(layer, SgdConfig::new())?;
        watch(0, weights(&layer))?;
        let steps = self.epochs * count.div_ceil(*batch);
        let bar = progress::bar(steps).with_message(self.learner.name.clone());
        let mut step = 0;
        for epoch in 0..self.epochs {
            for indices in shuffled(count, self.seed, epoch).chunks(*batch) {
                let rows = self.rows.clone().select(0, integers(indices, &device));
                let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(rows))?;
                layer = optim.step(rates.at(*rate, step, steps), layer, seen.local_only())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::config::{Finds, Learner, PatchConfig, Study};
    use crate::reproduce::protocols::{alignment::alignments, principal::Principal};
    use burn::tensor::Distribution;

    fn study() -> Study {
        let json = r#"{ "source": "cifar10", "patches": { "side": 2, "colors": "gray", "count": 600 }, "neurons": 2,
            "after": [8], "small": { "patches": 1, "epochs": 1 }, "learners": [{
                "name": "Sanger", "rule": "sanger", "rate": 0.2, "rates": "linear", "batch": 20,
                "initial": { "normal": { "norm": 1.0 } }, "finds": "components" }] }"#;
        serde_json::from_str(json).unwrap()
    }

    /// Noise of deviations 1, 0.7, ¼ and ⅛ along four values.
    fn rows(PatchConfig { count, .. }: PatchConfig) -> Tensor<2> {
        let device = Device::flex();
        device.seed(1);
        let noise = Tensor::<2>::random([count, 4], Distribution::Normal(0.0, 1.0), &device);
        noise * Tensor::<2>::from_data([[1.0, 0.7, 0.25, 0.125]], &device)
    }

    #[test]
    fn sanger_finds_components_in_their_order() {
        let study = study();
        let rows = rows(study.patches);
        let learner: &Learner = &study.learners[0];
        assert_eq!(learner.finds, Some(Finds::Components));
        let lesson = Lesson { learner, neurons: study.neurons, rows: &rows, epochs: 8, seed: 2 };
        let components = Principal::of(rows.clone()).unwrap().first(2);
        let mut course = vec![];
        let watch = |epoch, weights| {
            course.push((epoch, alignments(weights, components.clone())));
            Ok(())
        };
        lesson.learn(watch).unwrap();
        assert_eq!(course.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), (0..=8).collect::<Vec<_>>());
        let (first, last) = (&course[0].1, &course[8].1);
        assert!(
            first.iter().all(|cosine| *cosine < 0.99) && last.iter().all(|cosine| *cosine > 0.995),
            "{course:?}"
        );
    }
}
