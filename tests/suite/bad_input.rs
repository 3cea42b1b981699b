//! Bad input: a clear error that states the value, or a stated behavior.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::{
    module::Param,
    nn::conv::Conv2dConfig,
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::Output,
    optim::{BoundPlan, Rest, Updates},
    prelude::*,
    rules::{
        Abstention, Activation, Bias, Competition, Gate, GroupOrder, Homeostasis, Reduction, Similarity,
        Surround, Teacher, Variance,
    },
};
use burn_hebbian_tests::{
    backends::backends,
    layers::{hebbian_conv, input, learn},
    net::{Net, PlainNet},
    oracle::Layer,
    values::{bits, one_hot, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, rules::rules};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        on_flex("bad_input::configurations_are_refused", configurations_are_refused),
        on_flex("bad_input::channels_not_divisible_by_groups", channels_not_divisible_by_groups),
        on_flex("bad_input::competition_wider_than_its_group", competition_wider_than_its_group),
        on_flex("bad_input::teacher_of_the_wrong_shape", teacher_of_the_wrong_shape),
        on_flex("bad_input::nan_is_caught_with_the_layers_name", nan_is_caught),
        on_flex("bad_input::finite_checks_can_wait", finite_checks_can_wait),
        on_flex("bad_input::empty_batch", empty_batch),
        on_flex("bad_input::finished_gradients_are_refused", finished_gradients_are_refused),
        on_flex("bad_input::stepping_unfinished_sums_panics", stepping_unfinished_sums_panics),
    ];
    trials
        .extend(on_every_backend("bad_input::zero_and_constant_images_are_finite", zero_and_constant_images));
    trials.extend(on_every_backend(
        "bad_input::looks_as_often_as_the_device_can_bear",
        looks_as_often_as_the_device_can_bear,
    ));
    trials
}

fn layer() -> Layer {
    Layer::dense([3, 2, 4, 3], [6, 2, 2, 2])
}

fn message(body: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).expect_err("this must panic");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

fn configurations_are_refused(device: &Device) {
    let refused = |rule: Rule| {
        let config = HebbianConv2dConfig::new([3, 16], [3, 3], rule);
        config.try_init(device).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refused(Rule::k_wta(40)), "k-winners: k must be in 1..=16, got 40");
    assert_eq!(refused(Rule::k_wta(0)), "k-winners: k must be in 1..=16, got 0");
    let soft = |temperature| Rule::swta().with_competition(Competition::Softmax { temperature });
    assert_eq!(refused(soft(0.0)), "softmax temperature: must be positive and finite, got 0");
    assert_eq!(refused(soft(-0.5)), "softmax temperature: must be positive and finite, got -0.5");
    assert_eq!(refused(soft(f64::NAN)), "softmax temperature: must be positive and finite, got NaN");
    let power = |power| Rule::swta().with_competition(Competition::PowerSoftmax { power });
    assert_eq!(refused(power(0.0)), "power softmax power: must be positive and finite, got 0");
    let raised = |power| Rule::swta().with_similarity(Similarity::RaisedCosine { power });
    assert_eq!(refused(raised(-1.0)), "raised cosine power: must be positive and finite, got -1");
    let losers = Rule::k_wta(1).with_competition(Competition::KWinners { k: 1, losers: f64::INFINITY });
    assert_eq!(refused(losers), "k-winners loser value: must be finite, got inf");
    let everyone = Rule::instar().with_gate(Gate::Competition);
    assert!(refused(everyone).contains("without a competition or a teacher"));
    assert!(
        refused(Rule::hebb().with_abstention(Abstention::Random { seed: 1 })).contains("abstention needs a")
    );
    assert!(refused(Rule::k_wta(2).with_bias(Bias::LogPrior)).contains("that of a softmax"));
    let weighted = Rule::outstar().with_reduction(Reduction::Weighted);
    assert!(refused(weighted).contains("cannot be weighted by neuron"));
    let around = |size, center_sigma, surround_sigma| {
        let surround = Surround::DifferenceOfGaussians { size, center_sigma, surround_sigma };
        refused(Rule::hebb().with_surround(surround))
    };
    assert_eq!(around(4, 1.0, 2.0), "surround modulation: the size must be odd, got 4");
    assert_eq!(
        around(5, 1.5, 1.2),
        "surround modulation: the surround must be wider than the center, got 1.2 and 1.5"
    );
    let sparse = |target| Rule::foldiak(target);
    assert_eq!(refused(sparse(1.5)), "anti-Hebbian target activity: must be in 0..=1, got 1.5");
    let bcm = Rule::bcm().with_gate(Gate::Bcm { momentum: -0.1 });
    assert_eq!(refused(bcm), "BCM threshold momentum: must be in 0..=1, got -0.1");
    let scaling = Homeostasis::Scaling { target: 0.1, rate: 0.0 };
    assert_eq!(
        refused(Rule::hebb().with_homeostasis(scaling)),
        "homeostasis rate: must be positive and finite, got 0"
    );
    let running = Variance::Running { momentum: 0.1, epsilon: 0.0 };
    assert_eq!(
        refused(Rule::oja().with_variance(running)),
        "running variance epsilon: must be positive and finite, got 0"
    );
    let output = Output::default().with_variance(Variance::running());
    let other = HebbianConv2dConfig::new([3, 16], [3, 3], Rule::oja()).with_output(output);
    assert!(other.try_init(device).unwrap_err().to_string().contains("that of the layer's rule"));
    let groups = Teacher::ClassGroups { classes: 0, per_class: 2, order: GroupOrder::FreeFirst };
    assert!(refused(Rule::swta().with_teacher(groups)).contains("got 0 and 2"));
    let panic = message(|| drop(HebbianConv2dConfig::new([3, 16], [3, 3], Rule::k_wta(40)).init(device)));
    assert_eq!(panic, "HebbianConv2d: k-winners: k must be in 1..=16, got 40");
}

fn channels_not_divisible_by_groups(device: &Device) {
    let config = HebbianConv2dConfig::new([3, 16], [3, 3], Rule::swta()).with_groups(2);
    let panic = message(|| drop(config.init(device)));
    assert!(panic.contains("divisible") && panic.contains('3') && panic.contains('2'), "{panic}");
}

/// A depthwise layer with one neuron a group has nobody to compete with.
fn competition_wider_than_its_group(device: &Device) {
    let config = |rule| HebbianConv2dConfig::new([8, 8], [3, 3], rule).with_groups(8);
    let error = config(Rule::swta()).try_init(device).unwrap_err().to_string();
    assert_eq!(
        error,
        "softmax: competition acts within a group and needs at least 2 neurons there, got 1 (neurons / groups = 8 / 8)"
    );
    assert!(config(Rule::oja()).try_init(device).is_ok(), "no competition, no need for company");
}

fn teacher_of_the_wrong_shape(device: &Device) {
    let conv = hebbian_conv(&layer(), &Rule::teacher(), device);
    let (conv, plan) = Plan::new().bind(conv).unwrap();
    let with = |signals| {
        let x = input(&layer(), device);
        plan.observe(&conv, signals, |conv| conv.forward(x)).unwrap_err().to_string()
    };
    let taught = |images, classes| with(Signals::none().with_teacher(one_hot(images, classes, device)));
    assert_eq!(
        taught(3, 5),
        "layer `weight`: teacher: expected [images, 6] for a layer of 6 neurons, got [3, 5]"
    );
    assert!(taught(2, 6).starts_with("layer `weight`: teacher: 2 rows for 3 images"), "{}", taught(2, 6));
    assert!(with(Signals::none()).contains("this rule learns from a teacher"));
}

/// NaN in the input of any rule reaches neither weight nor state; the error names the layer and gives the model back.
fn nan_is_caught(device: &Device) {
    for (name, rule) in rules(5) {
        let plan = Plan::new().local("conv2", rule).with_rest(Rest::Frozen);
        let (net, mut optim) = plan.init(Net::from(PlainNet::new(device)), SgdConfig::new()).unwrap();
        let before = bits(&net);
        let mut x: Tensor<4> = tensor(5, [4, 2, 6, 5], device);
        x = x.slice_fill([0..1, 0..1, 0..1, 0..1], f32::NAN);
        let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x)).unwrap();
        let (net, error) = optim.step(0.1, net, seen.local_only()).unwrap_err().into_parts();
        let text = error.to_string();
        assert!(text.starts_with("update of `conv2` is not finite"), "{name}: {text}");
        assert!(vec(net.conv2.layer().weight.val()).iter().all(|w| w.is_finite()), "{name}");
        assert!(bits(&net) == before, "{name}");
    }
}

/// With a look every third step the error comes at the third, or when asked for.
fn finite_checks_can_wait(device: &Device) {
    let conv = hebbian_conv(&layer(), &Rule::hebb(), device);
    let step = |(conv, plan): &(HebbianConv2d, BoundPlan), x| {
        let (_, seen) = plan.observe(conv, Signals::none(), |conv| conv.forward(x)).unwrap();
        plan.finish(conv.clone(), seen.local_only()).map(drop)
    };
    let checked = |every| Plan::new().with_finite_check_every(every).bind(conv.clone()).unwrap();
    let good = || input(&layer(), device);
    let bad = || input(&layer(), device).mul_scalar(f32::INFINITY);
    let third = checked(3);
    assert!(step(&third, good()).is_ok() && step(&third, bad()).is_ok());
    let error = step(&third, good()).unwrap_err().to_string();
    assert!(error.contains("within the last 3 step(s)"), "{error}");
    assert!(step(&third, bad()).is_ok());
    assert!(third.1.check_finite().is_err());
    assert!(third.1.check_finite().is_ok(), "the count starts anew");
    let never = checked(0);
    assert!(step(&never, bad()).is_ok() && never.1.check_finite().is_ok());
}

/// A CPU looks at every step, a GPU not before it is asked to (or the hundredth step).
fn looks_as_often_as_the_device_can_bear(device: &Device) {
    let backend = backends().iter().find(|backend| backend.device.as_ref() == Some(device)).unwrap();
    let (conv, plan) = Plan::new().bind(hebbian_conv(&layer(), &Rule::hebb(), device)).unwrap();
    let x = input(&layer(), device).mul_scalar(f32::INFINITY);
    let (_, seen) = plan.observe(&conv, Signals::none(), |conv| conv.forward(x)).unwrap();
    let at_once = plan.finish(conv, seen.local_only()).is_err();
    assert_eq!(at_once, ["flex", "ndarray"].contains(&backend.name));
    assert_eq!(plan.check_finite().is_err(), !at_once);
}

fn empty_batch(device: &Device) {
    let (conv, plan) = Plan::new().bind(hebbian_conv(&layer(), &Rule::swta(), device)).unwrap();
    let empty = Tensor::zeros([0, 2, 4, 3], device);
    let error = plan.observe(&conv, Signals::none(), |conv| conv.forward(empty)).unwrap_err().to_string();
    assert_eq!(
        error,
        "layer `weight`: nothing can be learned from an empty batch, got an input of [0, 2, 4, 3]"
    );
}

fn seen(conv: &HebbianConv2d, plan: &BoundPlan, device: &Device) -> Updates {
    let x = input(&layer(), device);
    plan.observe(conv, Signals::none(), |conv| conv.forward(x)).unwrap().1.local_only()
}

/// What was divided already holds no sums.
fn finished_gradients_are_refused(device: &Device) {
    let (conv, plan) = Plan::new().bind(hebbian_conv(&layer(), &Rule::swta(), device)).unwrap();
    let (conv, once) = plan.finish(conv.clone(), seen(&conv, &plan, device)).unwrap();
    let error = plan.optimize(&mut SgdConfig::new().init(), 0.1, conv, once).unwrap_err().to_string();
    assert!(error.contains("expected sums of shape [54, 1, 1, 1], got [6, 2, 2, 2]"), "{error}");
}

/// Sums that nobody finished do not have the weight's shape: Burn's optimizer cannot step them.
fn stepping_unfinished_sums_panics(device: &Device) {
    let device = device.clone().autodiff();
    let (conv, plan) = Plan::new().bind(hebbian_conv(&layer(), &Rule::swta(), &device)).unwrap();
    let sums = seen(&conv, &plan, &device).into_grads();
    let panicked = catch_unwind(AssertUnwindSafe(|| SgdConfig::new().init().step(0.1, conv, sums)));
    assert!(panicked.is_err());
}

/// All-zero patches have no direction: cosine 0, exactly k winners that move towards zero. All is finite.
fn zero_and_constant_images(device: &Device) {
    let images = [Tensor::zeros([3, 2, 4, 3], device), Tensor::full([3, 2, 4, 3], 0.7, device)];
    for (name, rule) in
        [("hpca", Rule::hpca(Activation::Tanh)), ("swta", Rule::swta()), ("wta", Rule::hard_wta())]
    {
        for image in &images {
            let delta = vec(learn(&hebbian_conv(&layer(), &rule, device), image.clone(), None));
            assert!(delta.iter().all(|value| value.is_finite()), "{name}: {delta:?}");
        }
    }
    let mut conv = Conv2dConfig::new([2, 6], [2, 2]).with_bias(false).init(device);
    conv.weight = Param::from_tensor(Tensor::zeros([6, 2, 2, 2], device));
    let delta = vec(learn(&Local::new(conv).with_rule(Rule::swta()), images[1].clone(), None));
    assert!(delta.iter().all(|value| value.is_finite()), "zero weights: {delta:?}");
}
