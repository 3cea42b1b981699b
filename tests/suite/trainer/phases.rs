//! Phases one after the other: what learns, what stands still, on several devices too.

use burn::{
    data::{dataloader::DataLoaderBuilder, dataset::InMemDataset},
    tensor::Device,
    train::{ExecutionStrategy, MultiDeviceOptim},
};
use burn_hebbian::{optim::Entry, prelude::*, train::EpochCounter};
use burn_hebbian_tests::{
    net::Net,
    values::{bits, vec},
};
use libtest_mimic::Trial;

use super::{BATCH, IMAGES, Run, ToBatch, Trained, epoch_by_epoch, fresh, hybrid, three_phases};
use crate::on_flex;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("trainer::a_course_is_its_phases_one_after_the_other", course_is_its_phases),
        on_flex("trainer::labels_reach_teacher_neurons", labels_reach_teacher_neurons),
        on_flex("trainer::what_a_phase_freezes_is_untracked_and_stays", frozen_is_untracked_and_stays),
        on_flex("trainer::loaders_of_burn_are_counted", loaders_of_burn_are_counted),
        on_flex("trainer::phases_hold_on_several_devices", phases_on_several_devices),
    ]
}

fn course_is_its_phases(device: &Device) {
    let (net, plan) = (fresh(device), three_phases());
    assert_eq!(plan.phases(5), [1..=2, 3..=3, 4..=5]);
    let trained = Run::new(&net, &plan, 5).train();
    assert_eq!((trained.epochs, trained.steps.len()), (5, 20));
    // the schedule of a phase knows its length: compared where a phase ends
    for epochs in [2, 3, 5] {
        let there = trained.steps.get(4 * epochs).unwrap_or(&trained.net);
        assert!(bits(there) == bits(&epoch_by_epoch(&net, &plan, epochs)), "after epoch {epochs}");
    }
}

fn labels_reach_teacher_neurons(device: &Device) {
    let net = fresh(device);
    let plan = Plan::new().local("net.fc", Rule::teacher()).frozen("net.conv.*");
    let trained = Run::new(&net, &plan, 2).train().net;
    assert!(bits(&trained) != bits(&net));
    assert!(bits(&trained) == bits(&epoch_by_epoch(&net, &plan, 2)));
}

fn frozen_is_untracked_and_stays(device: &Device) {
    let net = fresh(device);
    let Trained { mut steps, net, .. } = Run::new(&net, &three_phases(), 5).train();
    let tracked = |net: &Net| {
        let Net { conv1, conv2, fc } = net;
        [
            &conv1.weight.is_require_grad(),
            &conv2.layer().weight.is_require_grad(),
            &fc.layer().weight.is_require_grad(),
        ]
        .map(|tracked| *tracked)
    };
    let expected = |step: usize| match step / 4 + 1 {
        // conv2 learns by its rule: the layer itself keeps its weight out of the graph
        ..=2 => [false, true, false],
        3 => [true, true, true],
        _ => [false, false, true],
    };
    for (step, net) in steps.iter().enumerate() {
        assert_eq!(tracked(net), expected(step), "conv1, conv2 and fc in step {step}");
    }
    steps.push(net);
    for (step, pair) in steps.windows(2).enumerate() {
        let weights = |net: &Net| {
            [
                vec(net.conv1.weight.val()),
                vec(net.conv2.layer().weight.val()),
                vec(net.fc.layer().weight.val()),
            ]
        };
        let (before, after) = (weights(&pair[0]), weights(&pair[1]));
        let moved = [0, 1, 2].map(|layer| before[layer] != after[layer]);
        assert_eq!(moved, expected(step), "conv1, conv2 and fc by step {step}");
    }
}

/// burn-train's own loader, which tells nobody of its passes.
fn loaders_of_burn_are_counted(device: &Device) {
    let net = fresh(device);
    let folder = tempfile::tempdir().unwrap();
    let data = InMemDataset::new((0..IMAGES).collect());
    let on = device.clone().autodiff();
    let loader =
        |_: &EpochCounter| DataLoaderBuilder::new(ToBatch).batch_size(BATCH).set_device(on).build(data);
    let trained = Run::new(&net, &three_phases(), 5).launch_on(folder.path(), loader, |training| training);
    assert_eq!((trained.interrupted, trained.epochs, trained.steps.len()), (None, 5, 20));
    let conv1 = |step: usize| vec(trained.steps[step].conv1.weight.val());
    assert_eq!(conv1(0), conv1(8), "it learns in epoch 3 alone");
    assert_ne!(conv1(8), conv1(12));
    assert_eq!(conv1(12), conv1(19));
}

fn phases_on_several_devices(device: &Device) {
    let plan = hybrid(Entry::local("net.conv2", Rule::swta()).at_rate(0.1).in_epochs(..=1));
    let net = fresh(device);
    for placement in [MultiDeviceOptim::OptimMainDevice, MultiDeviceOptim::OptimSharded] {
        let folder = tempfile::tempdir().unwrap();
        let two = vec![device.clone().autodiff(); 2];
        let trained = Run::new(&net, &plan, 3).launch(folder.path(), |training| {
            training.with_training_strategy(ExecutionStrategy::MultiDevice(two, placement).into())
        });
        assert_eq!((trained.epochs, trained.steps.len()), (3, 12));
        let conv2 = |net: &Net| vec(net.conv2.layer().weight.val());
        assert_ne!(conv2(&trained.steps[0]), conv2(&trained.steps[2]), "{placement:?}: it learned");
        assert_eq!(
            conv2(&trained.steps[4]),
            conv2(&trained.net),
            "{placement:?}: it learned in epoch 1 alone"
        );
        let fc = |net: &Net| vec(net.fc.layer().weight.val());
        assert_ne!(fc(&trained.steps[4]), fc(&trained.net));
    }
}
