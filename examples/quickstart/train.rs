//! Training: hybrid on an autodiff device, purely local on a plain one.

use anyhow::{Result, anyhow};
use burn::{
    lr_scheduler::{
        linear::LinearLrSchedulerConfig,
        module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
    },
    module::ParamGroup,
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig, decay::WeightDecayConfig},
    tensor::Device,
};
use burn_hebbian::prelude::*;
use burn_hebbian_examples::{batches::shuffled, digits::CLASSES, labelled::Labelled};
use indicatif::ProgressBar;

use crate::net::Classify;

/// Images a step.
const BATCH: usize = 32;

/// What trains a model, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// What trains each parameter.
    pub(crate) plan: Plan,
    /// The first learning rate of everything but what `local` matches; all rates fall linearly to 0.
    pub(crate) rate: f64,
    /// The weight decay of everything but what `local` matches.
    pub(crate) decay: f32,
    /// The parameters that take plain SGD steps of a rate of their own.
    pub(crate) local: Option<(&'static str, f64)>,
    /// Passes over the images.
    pub(crate) epochs: usize,
}

impl Course {
    /// Trains by losses and local rules together, on an autodiff device.
    pub(crate) fn train<M: Classify>(
        &self,
        model: M,
        data: &Labelled,
        device: &Device,
        run: &Run,
    ) -> Result<M> {
        let mut model = self.plan.apply(model)?;
        let (mut optimizer, mut rates) = (self.optimizer()?, self.rates(data.len())?);
        let loss = CrossEntropyLossConfig::new().init(device);
        for batch in self.batches(data.len(), run) {
            let (images, targets) = (data.images(&batch, device), data.targets(&batch, device));
            let forward = || loss.forward(model.scores(images), targets);
            let (loss, updates) = self.plan.observe(&model, Signals::none(), forward)?;
            let mut grads = GradientsParams::from_grads(loss.backward(), &model);
            updates.register(&model, &mut grads);
            model = self.plan.step(&mut optimizer, rates.step(), model, grads)?;
        }
        Ok(model)
    }

    /// Trains by local rules alone, with the labels as a teacher; no loss, no gradients.
    pub(crate) fn train_locally<M: Classify>(
        &self,
        mut model: M,
        data: &Labelled,
        device: &Device,
        run: &Run,
    ) -> Result<M> {
        let (mut optimizer, mut rates) = (self.optimizer()?, self.rates(data.len())?);
        for batch in self.batches(data.len(), run) {
            let images = data.images(&batch, device);
            let teacher = data.targets(&batch, device).one_hot(CLASSES).float();
            let signals = Signals::none().with_teacher(teacher);
            let (_, updates) = self.plan.observe(&model, signals, || model.scores(images))?;
            let grads = updates.into_grads(&model);
            model = self.plan.step(&mut optimizer, rates.step(), model, grads)?;
        }
        Ok(model)
    }

    /// Adam, but plain SGD for local layers: their rules say how far to go.
    fn optimizer(&self) -> Result<ModuleOptimizer> {
        let decay = WeightDecayConfig::new(self.decay);
        let adam = ModuleOptimizer::from(AdamConfig::new().with_weight_decay(Some(decay)).build());
        let Some(group) = self.local_group()? else {
            return Ok(adam);
        };
        Ok(adam.with_group(group, SgdConfig::new().build(), None))
    }

    fn rates(&self, images: usize) -> Result<ModuleLrScheduler> {
        let steps = (self.epochs * images.div_ceil(BATCH)).max(1);
        let falling = |rate| LinearLrSchedulerConfig::new(rate, 0.0, steps);
        let mut rates = ModuleLrSchedulerConfig::new(falling(self.rate).into());
        if let (Some(group), Some((_, rate))) = (self.local_group()?, self.local) {
            rates = rates.with_group(group, falling(rate));
        }
        rates.init().map_err(|reason| anyhow!("learning rates: {reason}"))
    }

    fn local_group(&self) -> Result<Option<ParamGroup>> {
        let group = |(pattern, _)| ParamGroup::from_regex(pattern).map_err(|error| anyhow!("{error:?}"));
        self.local.map(group).transpose()
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

/// One of the runs that a row of the table is the mean of.
#[derive(Debug)]
pub(crate) struct Run {
    /// The seed of weights and orders.
    pub(crate) seed: u64,
    /// Moves on by one an epoch.
    pub(crate) bar: ProgressBar,
}
