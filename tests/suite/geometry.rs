//! Responses equal the plain layer's, and the correlation term equals what autodiff gives.

use burn::{
    nn::{PaddingConfig2d, conv::Conv2dConfig},
    tensor::{Device, Tensor},
};
use burn_hebbian::prelude::*;
use burn_hebbian_tests::{
    layers::{conv, hebbian_conv, input, learn},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex, rules::layers};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("geometry::correlation_is_the_weight_gradient", |device| {
        correlation_is_the_weight_gradient(&device.clone(), &layers()[..1]);
    });
    trials.push(on_flex("geometry::correlation_on_every_convolution", |device| {
        correlation_is_the_weight_gradient(device, &layers());
    }));
    trials.push(on_flex("geometry::unobserved_is_the_plain_layer", unobserved_is_the_plain_layer));
    trials.push(on_flex("geometry::same_padding_is_the_plain_layers", same_padding_is_the_plain_layers));
    trials.push(on_flex("geometry::groups_are_separate_layers", groups_are_separate_layers));
    trials.push(on_flex("geometry::output_functions", output_functions));
    trials
}

/// A rule that answers with coefficients made elsewhere.
#[derive(Debug)]
struct Fixed(Tensor<4>);

impl LocalRule for Fixed {
    fn factors(&self, activity: &Activity) -> Factors {
        Factors::new(self.0.clone().reshape(activity.dot().dims()))
    }

    fn finish(&self) -> Finish {
        Finish::new(Reduction::Sum)
    }
}

/// `∂/∂W Σ c · conv(x, W) = corr(x, c)`.
fn correlation_is_the_weight_gradient(
    device: &Device,
    layers: &[(&'static str, burn_hebbian_tests::oracle::Layer)],
) {
    for (name, layer) in layers {
        let autodiff = device.clone().autodiff();
        let mode = if layer.reflect { PaddingMode::Reflect } else { PaddingMode::Zeros };
        let plain = Local::new(conv(layer, &autodiff)).with_padding_mode(mode);
        let y = plain.forward(input(layer, &autodiff));
        let c: Tensor<4> = tensor(3, y.dims(), &autodiff);
        let grads = (y * c.clone()).sum().backward();
        let expected = plain.layer().weight.val().grad(&grads).unwrap();

        let local = Local::new(conv(layer, device)).with_rule(Fixed(c.inner())).with_padding_mode(mode);
        let got = learn(&local, input(layer, device), None);
        assert_close(name, &vec(got), &vec(expected), 1e-6);
    }
}

fn unobserved_is_the_plain_layer(device: &Device) {
    for (name, layer) in layers().into_iter().filter(|(_, layer)| !layer.reflect) {
        let plain = conv(&layer, device);
        let expected = plain.forward(input(&layer, device));
        let got = Local::new(plain).with_rule(Rule::swta()).forward(input(&layer, device));
        assert_eq!(got.dims(), expected.dims(), "{name}");
        assert_close(name, &vec(got), &vec(expected), 1e-6);
    }
}

/// Odd and even kernels, strides, and a bias.
fn same_padding_is_the_plain_layers(device: &Device) {
    for (kernel, stride) in [([3, 2], [1, 1]), ([4, 5], [2, 3]), ([1, 3], [3, 2])] {
        let plain = Conv2dConfig::new([2, 5], kernel)
            .with_stride(stride)
            .with_padding(PaddingConfig2d::Same)
            .init(device);
        let x: Tensor<4> = tensor(4, [3, 2, 7, 8], device);
        let expected = plain.forward(x.clone());
        let local = Local::new(plain).with_rule(Rule::swta());
        let plan = Plan::new();
        let (got, updates) = plan.observe(&local, Signals::none(), || local.forward(x)).unwrap();
        assert_eq!(got.dims(), expected.dims());
        assert_close("observed, with bias", &vec(got), &vec(expected), 1e-6);
        assert!(updates.unreached().is_empty());
    }
}

/// Two groups learn exactly what two layers would.
fn groups_are_separate_layers(device: &Device) {
    let grouped = burn_hebbian_tests::oracle::Layer {
        input: [4, 4, 5, 6],
        groups: 2,
        ..burn_hebbian_tests::oracle::Layer::dense([4, 4, 5, 6], [6, 2, 3, 2])
    };
    let half = burn_hebbian_tests::oracle::Layer {
        input: [4, 2, 5, 6],
        weight: [3, 2, 3, 2],
        groups: 1,
        ..grouped.clone()
    };
    for (name, rule) in crate::rules::rules(3) {
        let whole = learn(&hebbian_conv(&grouped, &rule, device), input(&grouped, device), None);
        let mut parts = Vec::new();
        for group in 0..2 {
            let mut plain = conv(&half, device);
            let weight = burn_hebbian_tests::layers::weight(&grouped, device).narrow(0, group * 3, 3);
            plain.weight = burn::module::Param::from_tensor(weight);
            let x = input(&grouped, device).narrow(1, group * 2, 2);
            parts.push(learn(&Local::new(plain).with_rule(rule.clone()), x, None));
        }
        assert_close(name, &vec(whole), &vec(Tensor::cat(parts, 0)), 1e-6);
    }
}

/// Cosine outputs lie in 0..=1 after relu, projections are dot products over the norm.
fn output_functions(device: &Device) {
    let (_, layer) = &layers()[0];
    let x = input(layer, device);
    let dot = conv(layer, device).forward(x.clone());
    let norms = burn_hebbian_tests::layers::weight(layer, device).powi_scalar(2).sum_dims(&[1, 2, 3]).sqrt();
    let projection = dot / norms.reshape([1, 6, 1, 1]);
    let layer_with = |output| hebbian_conv(layer, &Rule::swta(), device).with_output(output);
    let got = layer_with(Output::projection()).forward(x.clone());
    assert_close("projection", &vec(got), &vec(projection.clone()), 1e-6);
    let got = layer_with(Output::relu_projection()).forward(x.clone());
    assert_close("relu projection", &vec(got), &vec(projection.clamp_min(0.0)), 1e-6);
    let cosines = vec(layer_with(Output::relu_cosine()).forward(x));
    assert!(cosines.iter().all(|cosine| (0.0..=1.0 + 1e-6).contains(cosine)));
    assert!(cosines.iter().any(|cosine| *cosine > 0.5));
}
