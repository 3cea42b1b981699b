//! Blocks that learn by their rules.

use anyhow::{Context, Result};
use burn::{
    lr_scheduler::{
        LrSchedulerConfig, exponential::ExponentialLrSchedulerConfig, linear::LinearLrSchedulerConfig,
    },
    optim::SgdConfig,
};
use burn_hebbian::{
    optim::checkpoint::{Checkpoints, Progress, Training},
    prelude::*,
    train::data::{Labelled, shuffled},
};
use burn_hebbian_examples::progress;

use super::Lab;
use crate::{
    config::{BlockConfig, Hebbian, Rates},
    net::{Chain, Trainer},
};

/// The blocks after `stage`; from its last checkpoint on.
pub(super) fn trained(lab: &Lab, stage: &Hebbian) -> Result<Chain> {
    let epochs = lab.epochs(stage.epochs);
    let input = lab.input()?;
    let steps = epochs * input.training.len().div_ceil(stage.batch);
    let plan = plan(lab, stage, steps, input.classes.len())?;
    let checkpoints = Checkpoints::new(lab.folder()?.path("checkpoints")).keeping(1);
    let model = plan.apply(lab.fresh(Trainer::Rules, &lab.setting.device)?)?;
    let mut training = checkpoints.resume(
        &plan,
        Training {
            progress: Progress { seed: lab.seed, epochs: 0 },
            optimizer: plan.optimizer(&model, SgdConfig::new().init())?,
            rates: plan.schedule(0.0)?.init().map_err(anyhow::Error::msg)?,
            model,
        },
    )?;
    while training.progress.epochs < epochs {
        training = epoch(lab, stage, &plan, &input.training, input.classes.len(), training)?;
        checkpoints.save(&plan, &training)?;
    }
    Ok(training.model)
}

fn epoch(
    lab: &Lab,
    stage: &Hebbian,
    plan: &Plan,
    images: &Labelled,
    classes: usize,
    mut training: Training<Chain>,
) -> Result<Training<Chain>> {
    let Progress { seed, epochs } = training.progress;
    let device = &lab.setting.device;
    device.seed(seed.wrapping_add(1 + epochs as u64));
    let bar = progress::bar(images.len().div_ceil(stage.batch)).with_message(format!(
        "{} to {}, epoch {}",
        stage.blocks[0],
        stage.blocks[1],
        epochs + 1
    ));
    for batch in shuffled(images.len(), seed, epochs).chunks(stage.batch) {
        let model = &training.model;
        let teacher = images.targets(batch, device).one_hot(classes).float();
        let signals = Signals::none().with_teacher(teacher);
        let input = images.images(batch, device);
        let (_, updates) = plan.observe(model, signals, || model.features(model.blocks.len(), input))?;
        let grads = updates.into_grads(model);
        let rate = training.rates.step();
        training.model = plan.step(&mut training.optimizer, rate, training.model, grads)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    training.progress.epochs += 1;
    Ok(training)
}

/// Every block learns by its rule, nothing else learns.
fn plan(lab: &Lab, stage: &Hebbian, steps: usize, classes: usize) -> Result<Plan> {
    let range = lab.range(&stage.blocks)?;
    let mut plan = Plan::new().with_rest(Rest::Frozen);
    for (index, block) in lab.net.blocks[range].iter().enumerate() {
        let rules = stage.rules.as_ref();
        let choice = match rules {
            Some(rules) => rules.get(index).with_context(|| format!("no rule for block `{}`", block.name))?,
            None => &block.rule,
        };
        let rule = with_groups(choice.rule(lab.seed), block, stage.class_groups, classes);
        let rate = stage.rate.unwrap_or(block.rate);
        plan = plan.local(format!("blocks.{index}.layer"), rule).at_rate(rates(stage.rates, rate, steps));
    }
    Ok(plan)
}

fn with_groups(rule: Rule, block: &BlockConfig, class_groups: bool, classes: usize) -> Rule {
    match block.per_class {
        Some(per_class) if class_groups => {
            rule.with_teacher(Teacher::ClassGroups { classes, per_class, order: GroupOrder::ClassesFirst })
        }
        _ => rule,
    }
}

fn rates(rates: Rates, rate: f64, steps: usize) -> LrSchedulerConfig {
    match rates {
        Rates::Constant => rate.into(),
        Rates::Linear => LinearLrSchedulerConfig::new(rate, 0.0, steps.max(1)).into(),
        Rates::Exponential { steps, .. } => {
            ExponentialLrSchedulerConfig::new(rate, (-1.0 / steps).exp()).into()
        }
    }
}
