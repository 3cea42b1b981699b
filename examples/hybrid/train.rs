//! Training by a plan, phase by phase.

use anyhow::{Result, anyhow};
use burn::{
    lr_scheduler::{linear::LinearLrSchedulerConfig, module_lr_scheduler::ModuleLrScheduler},
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamConfig, GradientsParams},
    tensor::Device,
};
use burn_hebbian::prelude::*;
use burn_hebbian_examples::{batches::shuffled, digits::CLASSES, labelled::Labelled};
use indicatif::ProgressBar;

use crate::net::Net;

/// Images a step.
const BATCH: usize = 32;

/// The first learning rate of what learns by backprop; it falls linearly to 0 in each phase.
const RATE: f64 = 0.01;

/// The network after `epochs` epochs by `plan`, on an autodiff device.
///
/// Each phase, a run of epochs in which the same patterns hold, is a training of its own: the plan is applied, and
/// optimizer and rates start anew.
pub(crate) fn train(
    plan: &Plan,
    epochs: usize,
    data: &Labelled,
    seed: u64,
    bar: &ProgressBar,
) -> Result<Net> {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let mut net = Net::new(&device);
    for phase in plan.phases(epochs) {
        let plan = plan.at_epoch(*phase.start());
        net = plan.apply(net)?;
        let mut optimizer = plan.optimizer(&net, AdamConfig::new().build())?;
        let steps = phase.clone().count() * data.len().div_ceil(BATCH);
        let mut rates = rates(&plan, steps)?;
        for epoch in phase {
            for batch in shuffled(data.len(), seed, epoch).chunks(BATCH) {
                let grads = gradients(&plan, &net, data, batch, &device)?;
                net = plan.step(&mut optimizer, rates.step(), net, grads)?;
            }
            bar.inc(1);
        }
    }
    Ok(net)
}

fn rates(plan: &Plan, steps: usize) -> Result<ModuleLrScheduler> {
    let schedule = plan.schedule(LinearLrSchedulerConfig::new(RATE, 0.0, steps.max(1)))?;
    schedule.init().map_err(|reason| anyhow!("learning rates: {reason}"))
}

/// What a batch teaches: by local rules, with the labels as a teacher, and by backprop where the plan has any.
fn gradients(
    plan: &Plan,
    net: &Net,
    data: &Labelled,
    batch: &[usize],
    device: &Device,
) -> Result<GradientsParams> {
    let (images, targets) = (data.images(batch, device), data.targets(batch, device));
    let signals = Signals::none().with_teacher(targets.clone().one_hot(CLASSES).float());
    if !plan.needs_backward(net)? {
        // the pass ends at the last layer that learns
        return Ok(plan.learn(net, signals, || net.scores(images))?.into_grads(net));
    }
    let loss = CrossEntropyLossConfig::new().init(device);
    let (loss, updates) = plan.observe(net, signals, || loss.forward(net.scores(images), targets))?;
    let mut grads = GradientsParams::from_grads(loss.backward(), net);
    updates.register(net, &mut grads);
    Ok(grads)
}
