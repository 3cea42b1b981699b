//! Checkpoints: nothing is lost, and nothing broken or foreign is taken.

use std::{fs, path::Path};

use burn::{
    lr_scheduler::exponential::ExponentialLrSchedulerConfig,
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::{
        Entry,
        checkpoint::{Checkpoints, Progress, Training},
    },
    prelude::*,
};
use burn_hebbian_tests::{
    course::{bits, epoch, fresh, plan, train},
    net::{Net, PlainNet},
};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_flex("checkpoints::resume_at_any_epoch_ends_alike", resume_at_any_epoch),
        on_flex("checkpoints::the_last_two_are_kept", the_last_two_are_kept),
        on_flex("checkpoints::what_was_never_finished_is_ignored", unfinished),
        on_flex("checkpoints::damage_is_refused_by_name", damage),
        on_flex("checkpoints::foreign_ones_are_refused", foreign),
        on_flex("checkpoints::nan_is_not_saved", nan_is_not_saved),
    ]
}

/// Saved after every epoch and loaded before the next, against one run in memory.
fn resume_at_any_epoch(_: &Device) {
    let (plan, folder) = (plan(), tempfile::tempdir().unwrap());
    let mut whole = fresh(&plan, 3);
    for epochs in 1..=4 {
        whole = epoch(whole);
        let resumed = train(folder.path(), 3, epochs).unwrap();
        assert!(bits(&resumed.model) == bits(&whole.model), "after epoch {epochs}");
    }
    assert!(bits(&whole.model) != bits(&fresh(&plan, 3).model), "it learned");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn the_last_two_are_kept(_: &Device) {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 1, 4).unwrap();
    assert_eq!(names(folder.path()), ["epoch-3", "epoch-4"]);
    let (plan, one) = (plan(), Checkpoints::new(folder.path()).keeping(1));
    let training = one.resume(fresh(&plan, 1)).unwrap();
    // over itself
    one.save(&training).unwrap();
    assert_eq!(names(folder.path()), ["epoch-4"]);
}

/// What a kill while saving or removing leaves behind.
fn unfinished(_: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let expected = train(folder.path(), 1, 2).unwrap();
    for name in ["epoch-3.partial", "epoch-1.removed", "epoch-x"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("model.bpk"), "half of it").unwrap();
    }
    let resumed = Checkpoints::new(folder.path()).resume(fresh(&plan(), 1)).unwrap();
    assert_eq!(resumed.progress.epochs, 2);
    assert!(bits(&resumed.model) == bits(&expected.model));
    train(folder.path(), 1, 3).unwrap();
    assert!(!names(folder.path()).contains(&"epoch-3.partial".to_string()));
}

fn refused(folder: &Path, fresh: Training<Net>) -> String {
    match Checkpoints::new(folder).resume(fresh) {
        Ok(_) => panic!("this checkpoint must be refused"),
        Err(error) => error.to_string(),
    }
}

fn damage(_: &Device) {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 1, 2).unwrap();
    let (plan, last) = (plan(), folder.path().join("epoch-2"));
    let refused = || refused(folder.path(), fresh(&plan, 1));
    let file = |name: &str| last.join(name);
    for name in ["model.bpk", "optimizer.bpk", "rates.bpk"] {
        let whole = fs::read(file(name)).unwrap();
        fs::write(file(name), &whole[..whole.len() / 2]).unwrap();
        assert!(
            refused().contains(&format!("{name} is damaged or of another checkpoint: expected")),
            "{}",
            refused()
        );
        fs::remove_file(file(name)).unwrap();
        assert!(refused().contains(name));
        // mixed: the file of another epoch
        fs::copy(folder.path().join("epoch-1").join(name), file(name)).unwrap();
        assert!(refused().contains(&format!("{name} is damaged or of another checkpoint")), "{}", refused());
        fs::write(file(name), whole).unwrap();
    }
    fs::write(file("manifest.json"), "{").unwrap();
    assert!(refused().contains("manifest.json is not a manifest"));
    fs::remove_file(file("manifest.json")).unwrap();
    assert!(refused().contains("manifest.json"));
    // removed by hand, the one before it is taken
    fs::remove_dir_all(&last).unwrap();
    let resumed = Checkpoints::new(folder.path()).resume(fresh(&plan, 1)).unwrap();
    assert_eq!(resumed.progress.epochs, 1);
}

fn foreign(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 1, 1).unwrap();
    let (ours, autodiff) = (plan(), device.clone().autodiff());
    let text = refused(folder.path(), fresh(&ours, 2));
    assert!(text.ends_with("of another training: the seed is 1 there and 2 here"), "{text}");
    let other = Plan::new().local("conv2", Rule::swta());
    let text = refused(folder.path(), fresh(&other, 1));
    assert!(text.contains("the parameter conv2.rule_state is [21] there and missing here"), "{text}");
    let [rule] = ours
        .entries()
        .iter()
        .map(|entry| entry.training().unwrap().clone())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let faster =
        Plan::new().with(Entry::local("conv2", rule).at_rate(ExponentialLrSchedulerConfig::new(0.5, 0.99)));
    let text = refused(folder.path(), fresh(&faster, 1));
    assert!(
        text.ends_with("the plan's entries [0] rate Exponential initial_lr is 0.05 there and 0.5 here"),
        "{text}"
    );
    let mut wider = fresh(&ours, 1);
    wider.model.conv1 = burn::nn::conv::Conv2dConfig::new([2, 4], [1, 3]).init(&autodiff);
    let text = refused(folder.path(), wider);
    assert!(text.ends_with("the parameter conv1.weight is [4,2,3,3] there and [4,2,1,3] here"), "{text}");
}

/// With looks that are rare, the checkpoint looks.
fn nan_is_not_saved(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new().local("conv2", Rule::hebb()).with_finite_check_every(1000);
    let (net, mut optim) = plan.init(Net::from(PlainNet::new(device)), SgdConfig::new()).unwrap();
    let x = Tensor::full([2, 2, 6, 5], f32::INFINITY, device);
    let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x)).unwrap();
    let model = optim.step(0.1, net, seen.local_only()).unwrap();
    let training = Training { progress: Progress { seed: 1, epochs: 1 }, model, optim };
    let error = Checkpoints::new(folder.path()).save(&training).unwrap_err().to_string();
    assert!(error.starts_with("update of `conv2` is not finite"), "{error}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}
