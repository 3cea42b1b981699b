//! Blocks that learn by their rules.

use crate::{
    data::{Parts, in_order, shuffled},
    prelude::*,
};
use anyhow::{Context, Result};
use burn::{
    lr_scheduler::{
        LrSchedulerConfig, exponential::ExponentialLrSchedulerConfig, linear::LinearLrSchedulerConfig,
        sequential::SequentialLrSchedulerConfig,
    },
    optim::SgdConfig,
};
use burn_hebbian_optim::checkpoint::{Checkpoints, Progress, Training};

use super::{
    Lab,
    batches::{batches, steps},
    fixed,
    journal::{Journal, Length, PATTERNS},
    step::{Step, span},
};
use crate::reproduce::{
    config::{BlockConfig, Hebbian, Rates, Spiking},
    net::{Chain, Trainer},
};

/// The rate of what has none of its own: nothing learns but blocks, and each has one.
const REST: f64 = 0.0;

/// The blocks after `stage`; from its last checkpoint on.
pub(super) fn trained(lab: &Lab, stage: &Hebbian) -> Result<Chain> {
    let epochs = lab.epochs(stage.epochs);
    let input = lab.input()?;
    let steps = steps(seen(stage, input.training.len()), stage.batch);
    let plan = plan(lab, stage, epochs * steps, input.classes.len())?;
    let folder = lab.folder()?;
    let checkpoints = Checkpoints::new(folder.path("checkpoints")).keeping(1);
    let (model, optim) = plan.init(fixed::started(lab, stage)?, SgdConfig::new())?;
    let progress = Progress { seed: lab.seed, epochs: 0 };
    let mut training = checkpoints.resume(Training { progress, model, optim })?;
    let done = training.progress.epochs;
    if done >= epochs {
        return Ok(training.model);
    }
    let open = || {
        // weights are drawn when they are first used: to read them draws them as the first epoch would
        lab.setting.device.seed(epoch_seed(lab.seed, done));
        let length = Length { epochs, steps };
        let blocks = lab.names(&stage.blocks)?;
        let patterns = in_order(input.training.len().min(PATTERNS));
        let patterns = input.training.images(&patterns, &lab.setting.device);
        Journal::open(folder.clone(), blocks, patterns, length, done, &training.model)
    };
    // a rule of spikes has no responses to read
    let watched = lab.setting.watched && spiking(lab, stage)?.is_none();
    let mut journal = watched.then(open).transpose()?;
    while training.progress.epochs < epochs {
        training = epoch(lab, stage, &input, training, journal.as_mut())?;
        journal.as_ref().map_or(Ok(()), Journal::save)?;
        checkpoints.save(&training)?;
        lab.setting.clock.tick()?;
    }
    journal.as_ref().map_or(Ok(()), Journal::draw)?;
    Ok(training.model)
}

/// The neurons of the stage's block, if they learn from spikes.
fn spiking(lab: &Lab, stage: &Hebbian) -> Result<Option<Spiking>> {
    stage.spiking(&lab.net.blocks[lab.range(&stage.blocks)?])
}

fn epoch(
    lab: &Lab,
    stage: &Hebbian,
    input: &Parts,
    mut training: Training<Chain>,
    mut journal: Option<&mut Journal>,
) -> Result<Training<Chain>> {
    let Progress { seed, epochs } = training.progress;
    let (images, classes, device) = (&input.training, input.classes.len(), &lab.setting.device);
    device.seed(epoch_seed(seed, epochs));
    let spiking = spiking(lab, stage)?;
    let order = shuffled(images.len(), seed, epochs);
    let order = &order[..seen(stage, images.len())];
    let steps = steps(order.len(), stage.batch);
    let step = Step::new(format!("{} by rules, epoch {}", span(&stage.blocks), epochs + 1), steps);
    for (number, batch) in batches(order, stage.batch).enumerate() {
        let teacher = images.targets(batch, device).one_hot(classes).float();
        let signals = Signals::none().with_teacher(teacher);
        let input = images.images(batch, device);
        let forward = |model: &Chain| match spiking {
            Some(spiking) => spiking.teach(&model.blocks[0].layer, input),
            None => {
                model.learn(input);
                Ok(())
            }
        };
        let (taught, seen) = training.optim.observe(&training.model, signals, forward)?;
        taught?;
        let stepped = training.optim.step(REST, training.model, seen.local_only());
        training.model = stepped.map_err(|error| in_words(lab, stage, &error))?;
        if let Some(journal) = &mut journal {
            journal.after_step(epochs + 1, epochs * steps + number + 1, &training.model);
        }
        step.bar.inc(1);
    }
    step.done("");
    training.progress.epochs += 1;
    Ok(training)
}

/// Images of an epoch.
fn seen(stage: &Hebbian, images: usize) -> usize {
    stage.images.map_or(images, |count| count.min(images))
}

/// The seed of whatever is drawn in the epoch after so many.
fn epoch_seed(seed: u64, epochs: usize) -> u64 {
    seed.wrapping_add(1 + epochs as u64)
}

/// Refuses blocks that the stage cannot train.
pub(super) fn check(lab: &Lab, stage: &Hebbian) -> Result<()> {
    let plan = plan(lab, stage, 1, lab.sizes()?.classes)?;
    fixed::check_start(lab, stage)?;
    plan.bind(lab.fresh(Trainer::Rules, &lab.setting.device)?)
        .map_err(|error| in_words(lab, stage, &error))?;
    Ok(())
}

/// An error of a plan, with the names of blocks for the paths of their layers.
fn in_words(lab: &Lab, stage: &Hebbian, error: &dyn std::error::Error) -> anyhow::Error {
    let names = lab.names(&stage.blocks).unwrap_or_default();
    let kinds = ["Conv", "Linear"];
    let named = names.iter().enumerate().fold(error.to_string(), |text, (index, name)| {
        kinds.iter().fold(text, |text, kind| text.replace(&format!("blocks.{index}.layer.{kind}"), name))
    });
    anyhow::Error::msg(named)
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
        if block.whitening.is_some() {
            continue;
        }
        let rate = stage.rate.unwrap_or(block.rate);
        let entry = Entry::local(format!("blocks.{index}.layer"), rule);
        plan = plan.with(entry.at_rate(rates(stage.rates, rate, steps)));
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

pub(super) fn rates(rates: Rates, rate: f64, steps: usize) -> LrSchedulerConfig {
    match rates {
        Rates::Constant => rate.into(),
        Rates::Linear => LinearLrSchedulerConfig::new(rate, 0.0, steps.max(1)).into(),
        Rates::Exponential { steps, floor } => {
            let falling = ExponentialLrSchedulerConfig::new(rate, (-1.0 / steps).exp());
            // clamp: a schedule has at least one step
            let until = ((-floor.ln() * steps) as usize).max(1);
            SequentialLrSchedulerConfig::new(vec![falling.into(), (rate * floor).into()], vec![until]).into()
        }
    }
}
