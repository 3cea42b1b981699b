//! Checkpoints of burn-train: resuming, loading, the best epoch.

use std::sync::Arc;

use burn::{
    data::dataloader::DataLoader,
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::AdamConfig,
    tensor::Device,
    train::{
        checkpoint::KeepLastNCheckpoints,
        metric::{AccuracyMetric, LossMetric, store::Direction},
    },
};
use burn_hebbian::{
    prelude::*,
    train::{Batch, PhasedTraining, best_epoch},
};
use burn_hebbian_tests::{
    net::PlainNet,
    values::{bits, vec},
};
use libtest_mimic::Trial;

use super::{Run, Training, Watched, fresh, three_phases, validation};
use crate::on_flex;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("trainer::resumed_from_any_epoch_it_ends_alike", resumed_ends_alike),
        on_flex("trainer::checkpoints_are_those_of_the_plain_net", checkpoints_of_the_plain_net),
        on_flex("trainer::the_best_epoch_can_be_had", best_epoch_can_be_had),
    ]
}

/// By burn-train's own checkpoints of model, optimizer and rates; across changes of phase too.
fn resumed_ends_alike(device: &Device) {
    let net = fresh(device);
    let plan = three_phases();
    let whole = Run::new(&net, &plan, 5).train().net;
    for after in 1..=4 {
        let folder = tempfile::tempdir().unwrap();
        let kept = |training: Training| {
            training.with_default_checkpointers().with_checkpointing_strategy(KeepLastNCheckpoints::new(9))
        };
        // as long a course, stopped there
        let run = Run::new(&net, &plan, 5);
        let stopped = run.launch(folder.path(), |training| kept(training).num_epochs(after));
        assert_eq!(stopped.epochs, after);
        // other weights, so that they must come from the checkpoint
        let other = Run { after, ..Run::new(&fresh(device), &plan, 5) };
        let resumed = other.launch(folder.path(), kept);
        // Burn loads an optimizer's state to the default device, a GPU reads its file late, and a phase may not want it
        Device::default().sync().unwrap();
        assert_eq!((resumed.epochs, resumed.steps.len()), (5, 4 * (5 - after)));
        assert!(bits(&resumed.net) == bits(&whole), "resumed after epoch {after}");
    }
}

/// A net without a trainer around it, and without a plan.
#[derive(Module, Debug)]
struct Inner {
    net: PlainNet,
}

fn checkpoints_of_the_plain_net(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new().local("net.conv2", LocalTraining::new(Rule::swta()).passing_gradients());
    let trained = Run::new(&fresh(device), &plan, 2)
        .launch(folder.path(), |training| training.with_default_checkpointers());
    let file = folder.path().join("checkpoint/model-2.bpk");
    let plain = Inner { net: PlainNet::new(&device.clone().autodiff()) }.try_load_file(file).unwrap();
    assert!(bits(&plain.net) == bits(&trained.net));
}

/// The one of those kept whose loss on the validation images is the lowest; and the last is what the training gave.
fn best_epoch_can_be_had(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let plan = three_phases();
    let trained = Run::new(&fresh(device), &plan, 5).launch(folder.path(), |training| {
        let kept = KeepLastNCheckpoints::new(9);
        training
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .with_default_checkpointers()
            .with_checkpointing_strategy(kept)
    });
    let course = PhasedTraining::new(&plan, 5, AdamConfig::new()).unwrap();
    let load = |epoch| {
        let fresh = Watched { net: fresh(device), steps: Arc::default() };
        course.load(fresh, folder.path(), epoch).unwrap().net
    };
    assert!(bits(&load(5)) == bits(&trained.net));
    let loss = |epoch: &usize| {
        let net = load(*epoch).valid();
        let images = validation(&device.clone().inner());
        let losses = images.iter().map(|batch| {
            let Batch { input, targets } = batch.unwrap();
            let loss = CrossEntropyLossConfig::new().init(&targets.device());
            vec(loss.forward(net.forward(input), targets))[0]
        });
        losses.sum::<f64>()
    };
    let lowest = (1..=5).min_by(|a, b| loss(a).total_cmp(&loss(b)));
    assert_eq!(best_epoch(folder.path(), "Loss", Direction::Lowest).unwrap(), lowest);
}
