//! Blocks that learn by backprop, or by dual propagation in its place.

use std::borrow::Cow;

use crate::{
    data::{Labeled, in_order, shuffled},
    evaluation::accuracy,
    prelude::*,
};
use anyhow::{Context, Result, bail};
use burn::{
    lr_scheduler::{LrSchedulerConfig, sequential::SequentialLrSchedulerConfig, step::StepLrSchedulerConfig},
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig},
    tensor::Device,
};
use burn_hebbian_feedback::Method;
use burn_hebbian_optim::checkpoint::{Progress, Training};

use super::{
    Lab,
    batches::{batches, steps},
    best_epoch::BestEpoch,
    step::{Step, span},
};
use crate::reproduce::{
    config::Backprop,
    net::{Chain, Trainer},
};

/// The blocks after `stage`, of the epoch that was best on the validation images; from its last checkpoint on.
pub(super) fn trained(lab: &Lab, stage: &Backprop) -> Result<Chain> {
    let epochs = lab.epochs(stage.epochs);
    let device = device(lab, stage);
    let trainer = if stage.fine_tune { Trainer::FineTuning } else { Trainer::Backprop };
    let mut fresh = lab.fresh(trainer, &device)?;
    let mut best = BestEpoch::open(lab, epochs)?;
    if best.is_done() {
        return Ok(best.blocks(fresh)?.valid());
    }
    let input = lab.input()?;
    let training_images = lab.labeled(&input.training)?;
    let judges = if input.validation.is_empty() { &input.test } else { &input.validation };
    let judges = match stage.choose_on.filter(|count| *count < judges.len()) {
        Some(count) => Cow::Owned(judges.select(&in_order(count))),
        None => Cow::Borrowed(judges),
    };
    if stage.fine_tune {
        fresh = continued(fresh, &lab.below().trained()?)?;
    }
    let plan = plan(lab, stage, steps(training_images.len(), stage.batch))?;
    let (model, optim) = plan.init(fresh.clone(), optimizer(stage))?;
    let progress = Progress { seed: lab.seed, epochs: 0 };
    let mut training = best.resume(Training { progress, model, optim })?;
    while training.progress.epochs < epochs {
        let step = step(stage, &training, training_images.len());
        training = epoch(lab, stage, &training_images, training, &step)?;
        check_finite(lab, stage, &training)?;
        let plain = training.model.valid();
        let score = accuracy(&judges, &lab.setting.device, |images| plain.scores(images));
        // without images to choose on, the last epoch counts
        best.judge(&training, score, input.validation.is_empty())?;
        step.done(&format!(": {score:.2} %"));
        lab.setting.clock.tick()?;
    }
    Ok(best.blocks(fresh)?.valid())
}

/// With the weights and norms of the blocks that were trained before.
fn continued(mut chain: Chain, before: &Chain) -> Result<Chain> {
    for (block, learned) in chain.blocks.iter_mut().zip(&before.blocks) {
        let record = learned.clone().into_record();
        *block = block.clone().try_load_record(record).map_err(anyhow::Error::msg).context("fine-tuning")?;
    }
    Ok(chain)
}

/// Local updates need no graph.
fn device(lab: &Lab, stage: &Backprop) -> Device {
    let plain = lab.setting.device.clone();
    if stage.dual.is_some() { plain } else { plain.autodiff() }
}

fn method(stage: &Backprop) -> &'static str {
    if stage.dual.is_some() { "dual propagation" } else { "backprop" }
}

fn step(stage: &Backprop, training: &Training<Chain>, images: usize) -> Step {
    let name =
        format!("{} by {}, epoch {}", span(&stage.blocks), method(stage), training.progress.epochs + 1);
    Step::new(name, steps(images, stage.batch))
}

fn epoch(
    lab: &Lab,
    stage: &Backprop,
    images: &Labeled,
    mut training: Training<Chain>,
    step: &Step,
) -> Result<Training<Chain>> {
    let Progress { seed, epochs } = training.progress;
    let device = device(lab, stage);
    device.seed(seed.wrapping_add(1 + epochs as u64));
    let loss = CrossEntropyLossConfig::new().init(&device);
    let classes = lab.sizes()?.classes;
    for batch in batches(&shuffled(images.len(), seed, epochs), stage.batch) {
        let (input, targets) = (images.images(batch, &device), images.targets(batch, &device));
        let (optim, model) = (&training.optim, &training.model);
        let updates = match &stage.dual {
            Some(dual) => {
                let targets = targets.one_hot::<2>(classes).float();
                dual.learn(optim, model, |model| model.with_states(images.dims), input, targets)?.1
            }
            None => {
                let forward = |model: &Chain| loss.forward(model.scores(input), targets);
                let (loss, seen) = optim.observe(model, Signals::none(), forward)?;
                seen.backward(loss)?
            }
        };
        training.model = training.optim.step(stage.rate, training.model, updates)?;
        step.bar.inc(1);
    }
    training.progress.epochs += 1;
    Ok(training)
}

/// Refuses weights that are not finite, before they become a checkpoint.
fn check_finite(lab: &Lab, stage: &Backprop, training: &Training<Chain>) -> Result<()> {
    let blocks = lab.names(&stage.blocks)?;
    let epoch = training.progress.epochs;
    match training.model.not_finite() {
        None => Ok(()),
        Some(index) => bail!(
            "{}: weights are not finite after epoch {epoch} of {} at a rate of {}",
            blocks.get(index).map_or("the classifier on top", String::as_str),
            method(stage),
            stage.rate
        ),
    }
}

/// All by backprop, or all from their states. Whether weights are finite is asked once an epoch.
fn plan(lab: &Lab, stage: &Backprop, steps: usize) -> Result<Plan> {
    let plan = Plan::new().with_finite_check_every(0);
    if stage.dual.is_none() {
        return Ok(plan.with(Entry::backprop(".*").at_rate(schedule(stage, steps))));
    }
    let blocks = lab.range(&stage.blocks)?.len();
    let layer = |index| {
        let entry = Entry::local(format!("blocks.{index}.layer"), LocalTraining::from_given_states());
        entry.by(optimizer(stage)).at_rate(schedule(stage, steps))
    };
    Ok((0..blocks).map(layer).fold(plan, Plan::with))
}

fn optimizer(stage: &Backprop) -> SgdConfig {
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
    SgdConfig::new()
        .with_momentum(Some(momentum))
        .with_weight_decay(Some(WeightDecayConfig::new(stage.penalty)))
}

/// Halved in every epoch after those at the full rate.
fn schedule(stage: &Backprop, steps: usize) -> LrSchedulerConfig {
    let halved = StepLrSchedulerConfig::new(stage.rate / 2.0, steps).with_gamma(0.5);
    // clamp: a schedule has at least one step
    let steady = (stage.full_rate_epochs * steps).max(1);
    SequentialLrSchedulerConfig::new(vec![stage.rate.into(), halved.into()], vec![steady]).into()
}
