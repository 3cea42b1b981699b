//! A small hybrid training with everything that has state: rules, a random stream, momentum, a schedule.

use std::path::Path;

use burn::{
    lr_scheduler::exponential::ExponentialLrSchedulerConfig,
    module::{Module, ModuleMapper, Param},
    nn::loss::CrossEntropyLossConfig,
    optim::AdamConfig,
    tensor::{Device, Int, Tensor},
};
use burn_hebbian::{
    optim::{
        Entry,
        checkpoint::{CheckpointError, Checkpoints, Progress, Training},
    },
    prelude::*,
    rules::Similarity,
};

use crate::{
    net::{Net, PlainNet},
    values::{numbers, tensor, vec},
};

/// Images of an epoch, and of a step.
const IMAGES: usize = 24;
const BATCH: usize = 6;

/// conv2 by winners that abstain at random, the rest by Adam, below it too.
pub fn plan() -> Plan {
    let rule = Rule::abstaining_wta(11).with_similarity(Similarity::Dot);
    let training = LocalTraining::new(rule).passing_gradients();
    Plan::new().with(Entry::local("conv2", training).at_rate(ExponentialLrSchedulerConfig::new(0.05, 0.99)))
}

/// A training at its start.
///
/// # Panics
///
/// If the plan does not fit the network.
pub fn fresh(plan: &Plan, seed: u64) -> Training<Net> {
    let net = PlainNet::new(&Device::flex().autodiff()).map(&mut Drawn { seed, parameters: 0 });
    let (model, optim) = plan.init(Net::from(net), AdamConfig::new()).expect("the plan fits");
    Training { progress: Progress { seed, epochs: 0 }, model, optim }
}

/// Draws parameters from a seed alone; the device's generator is the whole process's.
struct Drawn {
    seed: u64,
    parameters: u64,
}

impl ModuleMapper for Drawn {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.parameters += 1;
        let seed = self.seed * 100 + self.parameters;
        param.map(|old| tensor::<D>(seed, old.dims(), &old.device()).mul_scalar(0.3).detach().require_grad())
    }
}

/// One epoch, its order of images a function of seed and epoch alone.
///
/// # Panics
///
/// If the plan does not fit the network.
pub fn epoch(training: Training<Net>) -> Training<Net> {
    let Training { mut progress, mut model, mut optim } = training;
    model = optim.begin_epoch(progress.epochs + 1, model).expect("the plan fits");
    let keys = numbers(progress.seed * 1_000_003 + progress.epochs as u64, IMAGES);
    let mut order: Vec<usize> = (0..IMAGES).collect();
    order.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
    for batch in order.chunks(BATCH) {
        let device = model.conv1.weight.device();
        let images = batch.iter().map(|image| tensor::<4>(*image as u64, [1, 2, 6, 5], &device)).collect();
        let labels: Vec<i64> = batch.iter().map(|image| (image % 3) as i64).collect();
        let forward = |model: &Net| {
            let logits = model.forward(Tensor::cat(images, 0));
            let labels = Tensor::<1, Int>::from_ints(labels.as_slice(), &logits.device());
            CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, labels)
        };
        let (loss, seen) = optim.observe(&model, Signals::none(), forward).expect("the plan fits");
        let updates = seen.backward(loss).expect("a loss of the model");
        model = optim.step(0.01, model, updates).expect("finite updates");
    }
    progress.epochs += 1;
    Training { progress, model, optim }
}

/// Trains to the end from the last checkpoint in `folder`, saving one after every epoch.
///
/// # Errors
///
/// If a checkpoint cannot be written or read.
pub fn train(folder: &Path, seed: u64, epochs: usize) -> Result<Training<Net>, CheckpointError> {
    let (plan, checkpoints) = (plan(), Checkpoints::new(folder));
    let mut training = checkpoints.resume(fresh(&plan, seed))?;
    while training.progress.epochs < epochs {
        training = epoch(training);
        checkpoints.save(&training)?;
    }
    Ok(training)
}

/// All that a model consists of, the state of its rules included, to the bit.
pub fn bits(net: &Net) -> Vec<u64> {
    let state = net.conv2.rule_state().map(vec).unwrap_or_default();
    let Net { conv1, conv2, fc } = net.clone().valid();
    [vec(conv1.weight.val()), vec(conv2.layer().weight.val()), vec(fc.layer().weight.val()), state]
        .concat()
        .into_iter()
        .map(f64::to_bits)
        .collect()
}
