//! Single steps: each layer by its own gradient, and what is refused.

use std::sync::Arc;

use burn::{
    data::dataloader::DataLoader,
    grad_clipping::GradientClippingConfig,
    lr_scheduler::{LrSchedulerConfig, linear::LinearLrSchedulerConfig},
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, SgdConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    optim::Entry,
    prelude::*,
    train::{Batch, Classifier, EpochCounter, PhasedTraining},
};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, bits, vec},
};
use libtest_mimic::Trial;

use super::{RATE, Run, Watched, fresh, hybrid, loader, validation};
use crate::on_flex;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("trainer::a_refused_step_ends_the_training_and_says_why", refused_step_ends_it),
        on_flex("trainer::each_layer_moves_by_its_own_gradient_alone", each_by_its_own),
        on_flex("trainer::clipping_is_for_backprop_alone", clipping_is_for_backprop),
        on_flex("trainer::what_does_not_fit_is_refused", what_does_not_fit),
    ]
}

/// conv1 lies below a layer that passes nothing on.
fn refused_step_ends_it(device: &Device) {
    let net = fresh(device);
    let folder = tempfile::tempdir().unwrap();
    let blocking = Plan::new().local("net.conv2", Rule::swta());
    let trained = Run::new(&net, &blocking, 3).launch(folder.path(), |training| training);
    let reason = trained.interrupted.unwrap_or_default();
    assert!(reason.contains("`net.conv1.weight` was to learn by backprop"), "{reason}");
    assert_eq!(trained.steps.len(), 1);
    assert!(bits(&trained.net) == bits(&net), "nothing has changed");
}

/// The first batch of the first epoch.
fn first_batch(device: &Device) -> Batch<Tensor<4>> {
    loader(&EpochCounter::new(), device).iter().next().unwrap().unwrap()
}

/// The first step by SGD: backprop layers by what autodiff alone gives, the local layer by its rule alone, and what lies
/// below a blocking layer by nothing.
fn each_by_its_own(device: &Device) {
    let plain = PlainNet::new(&device.clone().autodiff());
    let net: Net = plain.clone().into();
    let Batch { input, targets } = first_batch(&device.clone().autodiff());
    let loss = CrossEntropyLossConfig::new().init(&input.device()).forward(plain.forward(input), targets);
    let backprop = GradientsParams::from_grads(loss.backward(), &plain);
    let rule = |flow: fn(LocalTraining) -> LocalTraining| {
        let local = flow(LocalTraining::new(Rule::swta()));
        Plan::new().local("net.conv2", local).with(Entry::backprop("net.conv1").optional())
    };
    for (passes, plan) in [(false, rule(|local| local)), (true, rule(LocalTraining::passing_gradients))] {
        let run = Run { optimizer: SgdConfig::new().init(), ..Run::new(&net, &plan, 1) };
        let steps = run.train().steps;
        let check = |what, layer: fn(&Net) -> Vec<f64>, gradient: Vec<f64>| {
            let (before, after) = (layer(&steps[0]), layer(&steps[1]));
            let expected: Vec<f64> = before.iter().zip(gradient).map(|(w, g)| w - RATE * g).collect();
            assert_close(what, &after, &expected, 1e-7);
            after != before
        };
        let fc = vec(backprop.get::<2>(plain.fc.weight.id).unwrap());
        assert!(check("fc", |net| vec(net.fc.layer().weight.val()), fc));
        let conv1 = vec(backprop.get::<4>(plain.conv1.weight.id).unwrap());
        let conv1 = if passes { conv1 } else { vec![0.0; conv1.len()] };
        assert_eq!(check("conv1", |net| vec(net.conv1.weight.val()), conv1), passes);
        assert!(check("conv2", |net| vec(net.conv2.layer().weight.val()), local_gradient(&plan, &net)));
    }
}

/// What conv2 learns of the first batch where nothing else does, on a plain device.
fn local_gradient(plan: &Plan, net: &Net) -> Vec<f64> {
    let plain = Net::from(PlainNet::new(&Device::flex())).load_record(net.clone().into_record());
    let watched = Watched { net: plain, steps: Arc::default() };
    let images = first_batch(&Device::flex()).input;
    let (watched, bound) = plan.bind(watched).unwrap();
    let (_, seen) = bound.observe(&watched, Signals::none(), |watched| watched.scores(images)).unwrap();
    let (watched, grads) = bound.finish(watched, seen.local_only()).unwrap();
    vec(grads.get::<4>(watched.net.conv2.layer().weight.id).unwrap())
}

fn clipping_is_for_backprop(device: &Device) {
    let net = fresh(device);
    let plan = hybrid(Entry::local("net.conv2", Rule::swta()).at_rate(0.1));
    let clipping = SgdConfig::new().with_gradient_clipping(Some(GradientClippingConfig::Value(1e-9)));
    let run = |optimizer: ModuleOptimizer| Run { optimizer, ..Run::new(&net, &plan, 1) }.train().steps;
    let (free, clipped) = (run(SgdConfig::new().init()), run(clipping.init()));
    let fc = |steps: &[Net], step: usize| vec(steps[step].fc.layer().weight.val());
    assert_ne!(fc(&free, 0), fc(&free, 1));
    assert_close("clipped", &fc(&clipped, 1), &fc(&clipped, 0), 1e-7);
    let conv2 = |net: &Net| vec(net.conv2.layer().weight.val());
    assert_ne!(conv2(&free[3]), conv2(&free[0]));
    assert_eq!(conv2(&free[3]), conv2(&clipped[3]));
}

fn what_does_not_fit(device: &Device) {
    let folder = tempfile::tempdir().unwrap();
    let refused = |plan: Plan, epochs: usize, rate: LrSchedulerConfig| {
        let watched = Watched { net: fresh(device), steps: Arc::default() };
        let learner = PhasedTraining::new(&plan, epochs, SgdConfig::new()).and_then(|course| {
            let loader = Arc::new(loader(course.epochs(), device));
            let training = course.training(folder.path(), loader, validation(device));
            course.learner(&training, watched, |_| rate.clone())
        });
        learner.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let later = Plan::new().with(Entry::local("net.conv2", Rule::k_wta(40)).in_epochs(2..));
    let text = refused(later, 3, 0.1.into());
    assert!(text.contains("got 40"), "{text}");
    assert_eq!(refused(Plan::new(), 0, 0.1.into()), "a course has at least 1 epoch, got 0");
    let rate = LinearLrSchedulerConfig::new(0.1, 0.0, 0).into();
    let text = refused(Plan::new().with(Entry::frozen("net.fc").in_epochs(3..)), 4, rate);
    assert!(text.starts_with("learning rate in epochs 1 to 2: "), "{text}");
    let after = |epoch| PhasedTraining::new(&Plan::new(), 3, SgdConfig::new()).unwrap().after(epoch);
    assert!(after(2).is_ok());
    assert_eq!(after(3).err().unwrap().to_string(), "a course of 3 epochs cannot go on after epoch 3");
}
