//! Rules that learn by signals, against autodiff.

use burn::{
    module::{Module, Param},
    nn::{LinearConfig, conv::Conv2dConfig},
    optim::{GradientsParams, SgdConfig},
    tensor::{Device, Tensor, TensorData, activation},
};
use burn_hebbian::{
    feedback::CostFunction,
    prelude::*,
    rules::{Activation, Apical, ClassCompetition, ForwardForward},
};
use burn_hebbian_tests::values::{assert_close, one_hot, tensor, vec};

use crate::net::gradients;

fn conv(device: &Device) -> HebbianConv2d {
    let mut conv = Conv2dConfig::new([2, 6], [3, 3]).init(device);
    conv.weight = Param::from_tensor(tensor(1, [6, 2, 3, 3], device));
    conv.bias = Some(Param::from_tensor(tensor(2, [6], device)));
    conv.into()
}

fn images(device: &Device) -> Tensor<4> {
    tensor(3, [6, 2, 5, 6], device)
}

/// The ascent of weight and bias that a rule learns.
fn learned(rule: impl LocalRule + 'static, signals: Signals) -> Vec<f64> {
    let device = Device::flex();
    let plan = Plan::new().local(".*", LocalTraining::custom(rule));
    let (layer, optim) = plan.init(conv(&device), SgdConfig::new()).unwrap();
    let (_, seen) = optim.observe(&layer, signals, |layer| layer.forward(images(&device))).unwrap();
    let (layer, grads) = optim.plan().finish(layer, seen.local_only()).unwrap();
    gradients(&layer, &grads).into_iter().map(|value| -value).collect()
}

/// The descent of a loss of the drive, by autodiff.
fn descent(loss: impl Fn(Tensor<4>) -> Tensor<1>) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let layer = conv(&device);
    let drive = layer.forward(images(&device));
    let grads = GradientsParams::from_grads(loss(drive).backward(), &layer);
    gradients(&layer, &grads).into_iter().map(|value| -value).collect()
}

/// Energies of each image and position, of drives in a convolution's shape.
fn energy(drive: Tensor<4>) -> Tensor<4> {
    activation::relu(drive).powi_scalar(2).mean_dim(1)
}

#[test]
fn forward_forward_descends_its_cost() {
    let mut rule = ForwardForward::new(1.5).with_lambda(0.03);
    rule.theta_negative = 2.5;
    // images 0 to 3 are positive, 4 and 5 negative: two of four, each counts for two
    let sign = [1.0, 1.0, 1.0, 1.0, -2.0, -2.0];
    let sign = Tensor::<2>::from_data(TensorData::new(sign.to_vec(), [6, 1]), &Device::flex());
    let expected = descent(|drive| {
        let energy = energy(drive);
        let (up, down) = (energy.clone().narrow(0, 0, 4), energy.narrow(0, 4, 2));
        let norm = up.clone().powi_scalar(2).sum_dims(&[2, 3]).sqrt().mean().mul_scalar(0.03);
        activation::softplus(up.neg().add_scalar(1.5), 1.0).mean()
            + activation::softplus(down.sub_scalar(2.5), 1.0).mean()
            + norm
    });
    assert_close("update", &learned(rule, Signals::none().with_third_factor(sign)), &expected, 1e-5);
}

#[test]
fn class_competition_descends_the_cross_entropy_of_its_groups() {
    let y = one_hot(6, 3, &Device::flex());
    let expected = descent(|drive| {
        let energies: Tensor<2> =
            activation::relu(drive).powi_scalar(2).reshape([6, 3, 24]).mean_dim(2).squeeze_dim(2);
        CostFunction::CrossEntropy.value(energies, y.clone().autodiff()).mean()
    });
    let taught = Signals::none().with_teacher(y);
    assert_close("update", &learned(ClassCompetition::new(3), taught), &expected, 1e-5);
}

#[test]
fn apical_signals_of_a_gradient_are_backprop() {
    let device = Device::flex();
    for f in [
        Activation::Tanh,
        Activation::Sigmoid { slope: 2.0, threshold: 0.1 },
        Activation::HardSigmoid { slope: 0.5 },
    ] {
        let signal = tensor::<4>(9, [6, 6, 3, 4], &device);
        let expected =
            descent(|drive| (f.apply(drive) * signal.clone().autodiff()).sum().div_scalar(72.0).neg());
        let apical = signal.clone().reshape([6, 1, 6, 12]);
        let learned = learned(Apical::new(f), Signals::none().with_apical(apical));
        assert_close(&format!("{f:?}"), &learned, &expected, 1e-5);
    }
}

#[derive(Module, Debug)]
struct Net {
    hidden: HebbianLinear,
    output: HebbianLinear,
}

fn net(device: &Device) -> Net {
    let linear = |seed, inputs, outputs| {
        let mut linear = LinearConfig::new(inputs, outputs).init(device);
        linear.weight = Param::from_tensor(tensor::<2>(seed, [inputs, outputs], device).mul_scalar(0.3));
        Local::from(linear)
    };
    Net { hidden: linear(1, 8, 20), output: linear(2, 20, 3) }
}

/// Images of three clusters.
fn clusters(device: &Device) -> (Tensor<2>, Tensor<2>) {
    let y = one_hot(30, 3, device);
    let x = y.clone().matmul(tensor(5, [3, 8], device)) + tensor::<2>(6, [30, 8], device).mul_scalar(0.3);
    (x, y)
}

/// The errors that output and, by `project`, hidden neurons hear of, as signals of a pass.
fn signals(net: &Net, x: Tensor<2>, y: Tensor<2>, project: impl Fn(Tensor<2>) -> Tensor<2>) -> Signals {
    let error = y - activation::softmax(net.output.forward(net.hidden.forward(x).tanh()), 1);
    let hidden = project(error.clone());
    Signals::none().with_third_factor_for("output", error).with_third_factor_for("hidden", hidden)
}

fn plan() -> Plan {
    let hidden = LocalTraining::custom(Apical::new(Activation::Tanh));
    Plan::new()
        .local("hidden", hidden)
        .local("output", LocalTraining::custom(Apical::new(Activation::Linear)))
}

#[test]
fn direct_feedback_alignment_turns_towards_the_gradient() {
    let device = Device::flex();
    let (x, y) = clusters(&device);
    let random = tensor::<2>(11, [3, 20], &device);
    let (mut net, mut optim) = plan().init(net(&device), SgdConfig::new()).unwrap();
    let mut angles = Vec::new();
    for step in 0..60 {
        let signals = signals(&net, x.clone(), y.clone(), |error| error.matmul(random.clone()));
        let pass = |net: &Net| net.output.forward(net.hidden.forward(x.clone()).tanh());
        let (_, seen) = optim.observe(&net, signals, pass).unwrap();
        let updates = seen.local_only();
        if step % 59 == 0 {
            angles.push(angle(&net, &random, &x, &y));
        }
        net = optim.step(0.5, net, updates).unwrap();
    }
    assert!(angles[1] < 80.0 && angles[1] < angles[0], "{angles:?}");
}

/// Between the projected error of hidden neurons and that of backprop, in degrees, over all images.
fn angle(net: &Net, random: &Tensor<2>, x: &Tensor<2>, y: &Tensor<2>) -> f64 {
    let hidden = net.hidden.forward(x.clone()).tanh();
    let error = y.clone() - activation::softmax(net.output.forward(hidden.clone()), 1);
    let slope = hidden.powi_scalar(2).neg().add_scalar(1.0);
    let update = |signal: Tensor<2>| vec(x.clone().transpose().matmul(signal * slope.clone()));
    let by_chance = update(error.clone().matmul(random.clone()));
    let by_backprop = update(net.output.feedback(error, [30, 20]));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(&by_chance, &by_chance) * dot(&by_backprop, &by_backprop)).sqrt();
    (dot(&by_chance, &by_backprop) / norms).acos().to_degrees()
}

/// Mono-Forward: each layer has a projection to the classes, which learns by the layer's own error, and whose transpose is what
/// the layer hears of it.
#[test]
fn projections_learn_and_teach_their_layers() {
    let device = Device::flex();
    let (x, y) = clusters(&device);
    let (mut net, mut optim) = plan().init(net(&device), SgdConfig::new()).unwrap();
    let cost = |net: &Net| {
        let answer = net.output.forward(net.hidden.forward(x.clone()).tanh());
        vec(CostFunction::CrossEntropy.value(answer, y.clone())).iter().sum::<f64>() / 30.0
    };
    let before = cost(&net);
    for _ in 0..40 {
        let signals = signals(&net, x.clone(), y.clone(), |error| net.output.feedback(error, [30, 20]));
        let pass = |net: &Net| net.output.forward(net.hidden.forward(x.clone()).tanh());
        let (_, seen) = optim.observe(&net, signals, pass).unwrap();
        net = optim.step(0.5, net, seen.local_only()).unwrap();
    }
    assert!(cost(&net) < 0.5 * before, "{before} → {}", cost(&net));
}
