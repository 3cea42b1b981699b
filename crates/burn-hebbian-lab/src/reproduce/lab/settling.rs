//! Networks that learn from states that settle under feedback.

use crate::{
    data::{Labeled, shuffled},
    evaluation,
    prelude::{LocalOptimizer, LocalTraining, Plan, Rest},
};
use anyhow::{Context, Result, ensure};
use burn::{
    optim::{SgdConfig, momentum::MomentumConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian_feedback::{Chain as States, Method, Settling as Protocol};
use burn_hebbian_optim::{
    Entry,
    checkpoint::{Progress, Training},
};

use super::{
    Lab,
    batches::{batches, steps},
    best_epoch::BestEpoch,
    hebbian::rates,
    step::Step,
};
use crate::reproduce::{
    config::Settling,
    net::{Chain, Layer, Trainer},
};

/// The rate of what has none of its own: all blocks have one.
const REST: f64 = 0.0;

/// The blocks after `stage`, of the epoch that was best on the validation images; from its last checkpoint on.
pub(super) fn trained(lab: &Lab, stage: &Settling) -> Result<Chain> {
    let epochs = lab.epochs(stage.epochs);
    let device = &lab.setting.device;
    let fresh = lab.fresh(Trainer::Settling, device)?;
    let mut best = BestEpoch::open(lab, epochs)?;
    if best.is_done() {
        return best.blocks(fresh);
    }
    let input = lab.input()?;
    let images = lab.labeled(&input.training)?;
    let judges = if input.validation.is_empty() { &input.test } else { &input.validation };
    let plan = plan(lab, stage, epochs * steps(images.len(), stage.batch))?;
    let (model, optim) = plan.init(fresh.clone(), optimizer(stage))?;
    let progress = Progress { seed: lab.seed, epochs: 0 };
    let mut training = best.resume(Training { progress, model, optim })?;
    while training.progress.epochs < epochs {
        let name = format!("{}, epoch {}", stage.method.name(), training.progress.epochs + 1);
        let step = Step::new(name, steps(images.len(), stage.batch));
        let residual;
        (training, residual) = epoch(lab, stage, &images, training, &step)?;
        check_finite(lab, stage, &training)?;
        let score = accuracy(stage, &training.model, judges, device)?;
        best.judge(&training, score, input.validation.is_empty())?;
        step.done(&format!(": {score:.2} %, residual {residual:.1e}"));
        lab.setting.clock.tick()?;
    }
    best.blocks(fresh)
}

/// One epoch; and by how much the states of its last batch still moved.
fn epoch(
    lab: &Lab,
    stage: &Settling,
    images: &Labeled,
    mut training: Training<Chain>,
    step: &Step,
) -> Result<(Training<Chain>, f64)> {
    let Progress { seed, epochs } = training.progress;
    let (protocol, classes, device) = (stage.method.protocol()?, lab.sizes()?.classes, &lab.setting.device);
    // weights are drawn when they are first used
    device.seed(seed.wrapping_add(1 + epochs as u64));
    let mut residual = 0.0;
    let order = shuffled(images.len(), seed, epochs);
    let last = steps(images.len(), stage.batch) - 1;
    for (number, batch) in batches(&order, stage.batch).enumerate() {
        let (input, targets) = (images.images(batch, device), images.targets(batch, device));
        let targets = targets.one_hot::<2>(classes).float();
        let (settled, updates) = learn(stage, &protocol, &training.optim, &training.model, input, targets)?;
        training.model = training.optim.step(REST, training.model, updates)?;
        if number == last {
            residual = settled.residual();
        }
        step.bar.inc(1);
    }
    training.progress.epochs += 1;
    Ok((training, residual))
}

fn learn(
    stage: &Settling,
    protocol: &Protocol,
    optim: &LocalOptimizer,
    model: &Chain,
    input: Tensor<4>,
    targets: Tensor<2>,
) -> Result<(burn_hebbian_feedback::Settled, burn_hebbian_optim::Updates)> {
    let [_, channels, height, width] = input.dims();
    let image = [channels, height, width];
    Ok(protocol.learn(optim, model, |model| states(stage, model, image), input, targets)?)
}

/// The blocks as a chain of states.
fn states<'m>(stage: &Settling, model: &'m Chain, image: [usize; 3]) -> States<'m> {
    let chain = States::new(image).with_activation(stage.activation);
    model.blocks.iter().fold(chain, |chain, block| {
        let pool = block.pool().of_states().expect("checked: pooling between states");
        match &block.layer {
            Layer::Conv(conv) => chain.pooled(conv, pool),
            Layer::Linear(linear) => chain.pooled(linear, pool),
        }
    })
}

/// The percentage of images for which the settled network answers with their class.
pub(super) fn accuracy(stage: &Settling, model: &Chain, images: &Labeled, device: &Device) -> Result<f64> {
    let protocol = stage.method.protocol()?;
    let states = states(stage, model, images.dims);
    states.shapes()?;
    let answer = |x| protocol.predict(&states, x).expect("shapes meet, and no bound is asked for");
    Ok(evaluation::accuracy(images, device, answer))
}

/// Refuses weights that are not finite, before they become a checkpoint.
fn check_finite(lab: &Lab, stage: &Settling, training: &Training<Chain>) -> Result<()> {
    let Some(index) = training.model.not_finite() else { return Ok(()) };
    let blocks = lab.names(&stage.blocks)?;
    let (epoch, method) = (training.progress.epochs, stage.method.name());
    anyhow::bail!("{}: weights are not finite after epoch {epoch} of {method}", blocks[index])
}

/// Refuses what cannot settle on these images.
pub(super) fn check(lab: &Lab, stage: &Settling) -> Result<()> {
    let shown = lab.setting.export || lab.setting.pictures;
    ensure!(!shown, "states that settle belong to their images: there are no features to export or draw");
    let chain = lab.fresh(Trainer::Settling, &lab.setting.device)?;
    let shapes = states(stage, &chain, lab.sizes()?.dims).shapes()?;
    let (scores, classes) = (shapes[shapes.len() - 1].iter().product::<usize>(), lab.sizes()?.classes);
    ensure!(scores == classes, "the last state has {scores} neurons, the data have {classes} classes");
    plan(lab, stage, 1)?.bind(chain).map(drop).context("plan")
}

/// Every block learns from its states, at its own rate.
fn plan(lab: &Lab, stage: &Settling, steps: usize) -> Result<Plan> {
    let blocks = &lab.net.blocks[lab.range(&stage.blocks)?];
    let entries = blocks.iter().enumerate().map(|(index, block)| {
        Entry::local(format!("blocks.{index}.layer"), LocalTraining::from_given_states()).at_rate(rates(
            stage.rates,
            block.rate,
            steps,
        ))
    });
    Ok(entries.fold(Plan::new().with_rest(Rest::Frozen).with_finite_check_every(0), Plan::with))
}

fn optimizer(stage: &Settling) -> SgdConfig {
    let momentum = MomentumConfig::new().with_momentum(stage.momentum).with_dampening(0.0);
    SgdConfig::new().with_momentum((stage.momentum > 0.0).then_some(momentum))
}
