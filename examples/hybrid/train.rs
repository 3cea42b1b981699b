//! Training one network by a plan in burn-train.

use std::{ops::RangeInclusive, path::PathBuf, sync::Arc};

use anyhow::{Result, anyhow, bail};
use burn::{
    tensor::{Device, Tensor},
    train::{
        MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining,
        logger::InMemoryMetricLogger,
        metric::{
            AccuracyMetric, LossMetric,
            store::{Aggregate, Direction, Split},
        },
        renderer::MetricsRenderer,
    },
};
use burn_hebbian::{
    lab::data::{ImageBatcher, Labeled, LabeledImage},
    prelude::*,
    train::{Batch, Classifier, Hybrid, LogRenderer, OrderedLoader, PhasedTraining, renderer},
};

use crate::{
    digits::{self, BATCH, Net},
    task::Parts,
};

/// How plans are trained.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) epochs: usize,
    /// Epochs without a better validation accuracy that end a training.
    pub(crate) patience: Option<usize>,
    /// Where metrics and checkpoints go.
    pub(crate) out: Option<PathBuf>,
    /// The epoch of the checkpoint to go on from.
    pub(crate) resume: Option<usize>,
    /// Whether every epoch is shown, or the last one of each training alone.
    pub(crate) every_epoch: bool,
}

/// The network after a training by `plan`, on a plain device.
pub(crate) fn train(plan: &Plan, parts: &Parts, seed: u64, name: &str, settings: &Settings) -> Result<Net> {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let course = PhasedTraining::new(plan, settings.epochs, digits::optimizer())?;
    let course = course.after(settings.resume.unwrap_or(0))?;
    let training = loader(&parts.training, BATCH, &device).shuffled(seed, course.epochs());
    let validation = loader(&parts.validation, BATCH, &device);
    let folder = settings.out.clone().unwrap_or_default().join(name);
    let training = course
        .training(folder, Arc::new(training), Arc::new(validation))
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .label(name);
    let training = settings.apply(training);
    let steps = parts.training.len().div_ceil(BATCH);
    let rate = |phase: &RangeInclusive<usize>| digits::rate(phase.clone().count(), steps);
    let learner = course.learner(&training, Net::new(&device), rate)?;
    let result = training.launch(learner);
    if let Some(error) = result.error {
        bail!("{name}: {error}");
    }
    match course.refusal() {
        Some(reason) => Err(anyhow!("{name}: {reason}")),
        None => Ok(result.model.into_inner()),
    }
}

impl Settings {
    fn apply<M: Classifier<Input = Tensor<4>>>(
        &self,
        mut training: SupervisedTraining<Hybrid<M>>,
    ) -> SupervisedTraining<Hybrid<M>> {
        training = match self.out {
            Some(_) => training.with_default_checkpointers(),
            None => {
                training.with_metric_logger(InMemoryMetricLogger::default()).with_application_logger(None)
            }
        };
        if let Some(n_epochs) = self.patience {
            training = training.early_stopping(stopping(n_epochs));
        }
        let interrupter = training.interrupter();
        let renderer: Box<dyn MetricsRenderer> = match self.every_epoch {
            true => renderer(interrupter, self.resume),
            false => Box::new(LogRenderer::new(std::io::stdout()).every(self.epochs).watching(interrupter)),
        };
        training.renderer(renderer)
    }
}

/// Ends a training when the validation accuracy has not risen for so many epochs.
fn stopping(n_epochs: usize) -> MetricEarlyStoppingStrategy {
    MetricEarlyStoppingStrategy::new(
        &AccuracyMetric::new(),
        Aggregate::Mean,
        Direction::Highest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs },
    )
}

fn loader(
    images: &Arc<Labeled>,
    batch: usize,
    device: &Device,
) -> OrderedLoader<LabeledImage, Batch<Tensor<4>>> {
    OrderedLoader::new(images.clone(), ImageBatcher::new(), batch, device)
}
