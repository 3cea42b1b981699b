//! Training: hybrid on an autodiff device, purely local on a plain one.

use anyhow::{Result, anyhow};
use burn::{
    lr_scheduler::{linear::LinearLrSchedulerConfig, module_lr_scheduler::ModuleLrScheduler},
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, decay::WeightDecayConfig},
    tensor::Device,
};
use burn_hebbian::{
    lab::{
        data::{Labeled, shuffled},
        digits::CLASSES,
    },
    optim::UpdateError,
    prelude::*,
};
use indicatif::ProgressBar;

use crate::net::Classify;

/// Images a step.
const BATCH: usize = 32;

/// What trains a model, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// What trains each parameter, with the rates of local layers.
    pub(crate) plan: Plan,
    /// The first learning rate of the rest; it falls linearly to 0.
    pub(crate) rate: f64,
    /// The weight decay of the rest.
    pub(crate) decay: f32,
    /// Passes over the images.
    pub(crate) epochs: usize,
}

impl Course {
    /// Trains by losses and local rules together, on an autodiff device.
    pub(crate) fn train<M: Classify>(
        &self,
        model: M,
        data: &Labeled,
        device: &Device,
        run: &Run,
    ) -> Result<M> {
        let (mut model, mut optim) = self.plan.init(model, self.optimizer())?;
        let mut rates = self.rates(data.len())?;
        let loss = CrossEntropyLossConfig::new().init(device);
        for batch in self.batches(data.len(), run) {
            let (images, targets) = (data.images(&batch, device), data.targets(&batch, device));
            let forward = |model: &M| loss.forward(model.scores(images), targets);
            let (loss, seen) = optim.observe(&model, Signals::none(), forward)?;
            let stepped = optim.step(rates.step().base(), model, seen.backward(loss)?);
            model = stepped.map_err(UpdateError::from)?;
        }
        Ok(model)
    }

    /// Trains by local rules alone, with the labels as a teacher; no loss, no gradients.
    pub(crate) fn train_locally<M: Classify>(
        &self,
        model: M,
        data: &Labeled,
        device: &Device,
        run: &Run,
    ) -> Result<M> {
        let (mut model, mut optim) = self.plan.init(model, self.optimizer())?;
        let mut rates = self.rates(data.len())?;
        for batch in self.batches(data.len(), run) {
            let images = data.images(&batch, device);
            let teacher = data.targets(&batch, device).one_hot(CLASSES).float();
            let signals = Signals::none().with_teacher(teacher);
            let (_, seen) = optim.observe(&model, signals, |model| model.scores(images))?;
            let stepped = optim.step(rates.step().base(), model, seen.local_only());
            model = stepped.map_err(UpdateError::from)?;
        }
        Ok(model)
    }

    /// Adam; the plan gives local layers plain SGD, since their rules say how far to go.
    fn optimizer(&self) -> AdamConfig {
        AdamConfig::new().with_weight_decay(Some(WeightDecayConfig::new(self.decay)))
    }

    fn rates(&self, images: usize) -> Result<ModuleLrScheduler> {
        let rates = falling(self.rate, self.epochs, images).init();
        rates.map_err(|reason| anyhow!("learning rates: {reason}"))
    }

    /// The images of every step.
    fn batches(&self, images: usize, run: &Run) -> impl Iterator<Item = Vec<usize>> {
        (0..self.epochs).flat_map(move |epoch| {
            run.bar.inc(1);
            let order = shuffled(images, run.seed, epoch);
            order.chunks(BATCH).map(<[usize]>::to_vec).collect::<Vec<_>>()
        })
    }
}

/// A rate that falls linearly to 0 over all epochs.
pub(crate) fn falling(rate: f64, epochs: usize, images: usize) -> LinearLrSchedulerConfig {
    LinearLrSchedulerConfig::new(rate, 0.0, (epochs * images.div_ceil(BATCH)).max(1))
}

/// One of the runs that a row of the table is the mean of.
#[derive(Debug)]
pub(crate) struct Run {
    /// The seed of weights and orders.
    pub(crate) seed: u64,
    /// Moves on by one an epoch.
    pub(crate) bar: ProgressBar,
}
