//! Responses equal the plain layer's, and the correlation term equals what autodiff gives, on every geometry.

use burn::{
    nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d, conv::Conv2dConfig},
    tensor::{Device, Slice, Tensor, ops::PadMode},
};
use burn_hebbian::{
    nn::{
        HebbianConvTranspose1dConfig, HebbianConvTranspose2dConfig, HebbianConvTranspose3dConfig, Output,
        PaddingMode,
        forms::{CorrelationForm, Forms},
    },
    prelude::*,
    rules::{Activity, Factors, Finish, Normalization, Reduction, Scale, Similarity},
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input, weight},
    forms::with_forced,
    layers::{self, hebbian_conv},
    oracle::{self, Layer},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{
    on_every_backend, on_flex,
    rules::{layers, rules},
};

/// f32 sums of a few hundred terms, in another order.
const TOLERANCE: f64 = 2e-6;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("geometry::correlation_on_small_layers", |device| {
        correlation_is_the_weight_gradient(device, small());
    });
    trials.extend(on_every_backend("geometry::rules_on_small_layers", rules_on_small_layers));
    trials.push(on_flex("geometry::correlation_on_every_layer", correlation_on_every_layer));
    trials.push(on_flex(
        "geometry::backprop_covers_strides_that_leave_a_rest",
        backprop_covers_strides_that_leave_a_rest,
    ));
    trials.push(on_flex("geometry::unobserved_is_the_plain_layer", unobserved_is_the_plain_layer));
    trials.push(on_flex("geometry::groups_are_separate_layers", groups_are_separate_layers));
    trials.push(on_flex("geometry::padding_is_padding_of_the_input", padding_is_padding_of_the_input));
    trials.push(on_flex("geometry::dilation_is_a_stuffed_kernel", dilation_is_a_stuffed_kernel));
    trials.push(on_flex("geometry::depthwise_neurons_alone", depthwise_neurons_alone));
    trials.push(on_flex("geometry::same_padding_is_the_plain_layers", same_padding_is_the_plain_layers));
    trials.push(on_flex("geometry::same_padding_of_even_volumes", same_padding_of_even_volumes));
    trials.push(on_flex("geometry::configured_layers_learn", configured_layers_learn));
    trials.push(on_flex("geometry::output_functions", output_functions));
    trials
}

/// One layer of each kind, dense or grouped, tiny.
pub(crate) fn small() -> Vec<(&'static str, Layer)> {
    let conv2d = Layer::dense([2, 3, 4, 5], [9, 1, 2, 3]);
    let conv3d = Layer::dense([2, 2, 3, 4, 2], [3, 2, 2, 2, 1]);
    let transposed2d = Layer::transposed([2, 4, 2, 3], [4, 3, 3, 2]);
    let transposed3d = Layer::transposed([2, 2, 2, 1, 3], [2, 3, 2, 3, 1]);
    vec![
        ("conv1d", Layer::dense([2, 4, 6], [6, 2, 2]).strided([2]).padded([(1, 1)]).grouped(2)),
        ("conv2d", conv2d.padded([(0, 0), (1, 1)]).dilated([2, 1]).grouped(3)),
        ("conv3d", conv3d.strided([1, 2, 1]).padded([(1, 1), (0, 0), (0, 0)])),
        ("conv_transpose1d", Layer::transposed([2, 2, 3], [2, 3, 2]).strided([2]).padded_out([1])),
        ("conv_transpose2d", transposed2d.strided([2, 1]).padded([(1, 1), (0, 0)]).grouped(2)),
        ("conv_transpose3d", transposed3d.strided([2, 1, 2]).dilated([1, 1, 2])),
    ]
}

/// A rule that answers with coefficients made elsewhere.
#[derive(Debug)]
struct Fixed(Tensor<5>);

impl LocalRule for Fixed {
    fn factors(&self, activity: &Activity) -> Factors {
        Factors::new(self.0.clone().reshape(activity.dot().dims()))
    }

    fn finish(&self) -> Finish {
        Finish::new(Reduction::Sum)
    }
}

/// A layer whose gradients are Burn's own.
pub(crate) fn by_burn(layer: &Layer, device: &Device) -> AnyLayer {
    let forms = Forms { correlation: Some(CorrelationForm::Gradient), recurrence: None };
    with_forced(forms, || AnyLayer::new(layer, device))
}

/// `∂/∂W Σ c · layer(x, W) = corr(x, c)`.
fn correlation_is_the_weight_gradient(device: &Device, layers: Vec<(&'static str, Layer)>) {
    for (name, layer) in layers {
        let autodiff = device.clone().autodiff();
        let plain = by_burn(&layer, &autodiff);
        let y = plain.forward(input(&layer, &autodiff));
        let c: Tensor<5> = tensor(3, y.dims(), &autodiff);
        let expected = plain.weight_grad(&(y * c.clone()).sum().backward());

        let local = AnyLayer::new(&layer, device).with_rule(Fixed(c.inner()));
        let got = local.learn(input(&layer, device), None);
        assert_eq!(got.dims(), layer.weight, "{name}");
        assert_close(name, &vec(got), &vec(expected), TOLERANCE);
    }
}

pub(crate) fn correlation_on_every_layer(device: &Device) {
    // Burn 0.22.1 does not cut its gradient of grouped 1-D layers to size when the stride leaves a rest
    let layers = layers().into_iter().filter(|(name, _)| *name != "conv1d_depthwise");
    correlation_is_the_weight_gradient(device, layers.collect());
}

/// What Burn 0.22.1 has no gradient for.
fn backprop_covers_strides_that_leave_a_rest(device: &Device) {
    let (name, layer) = layers().into_iter().find(|(name, _)| *name == "conv1d_depthwise").unwrap();
    let autodiff = device.clone().autodiff();
    let local = AnyLayer::new(&layer, &autodiff);
    let y = local.forward(input(&layer, &autodiff));
    let c: Tensor<5> = tensor(3, y.dims(), &autodiff);
    let got = local.weight_grad(&(y * c.clone()).sum().backward());
    let expected =
        AnyLayer::new(&layer, device).with_rule(Fixed(c.inner())).learn(input(&layer, device), None);
    assert_close(name, &vec(got), &vec(expected), TOLERANCE);
}

fn against_the_oracle(name: &str, rule: &Rule, layer: &Layer, device: &Device) {
    let x = input(layer, device);
    let expected = oracle::delta(rule, layer, &vec(x.clone()), &vec(weight(layer, device)), None);
    let got = AnyLayer::new(layer, device).with_rule(rule.clone()).learn(x, None);
    assert_close(name, &vec(got), &expected, 2e-5);
}

/// Every rule on every kind of layer, on every backend.
pub(crate) fn rules_on_small_layers(device: &Device) {
    for (name, layer) in small() {
        for (rule_name, rule) in rules(layer.neurons_per_group()) {
            against_the_oracle(&format!("{rule_name} on {name}"), &rule, &layer, device);
        }
    }
}

/// To the last bit: the same operator with the same options.
fn unobserved_is_the_plain_layer(device: &Device) {
    for (name, layer) in layers().into_iter().filter(|(_, layer)| !layer.reflect) {
        let local = AnyLayer::new(&layer, device).with_rule(Rule::swta());
        let expected = local.plain_forward(input(&layer, device));
        let got = local.forward(input(&layer, device));
        assert_eq!(got.dims(), expected.dims(), "{name}");
        assert_eq!(vec(got), vec(expected), "{name}");
    }
}

/// Groups learn exactly what so many layers would.
pub(crate) fn groups_are_separate_layers(device: &Device) {
    for (name, layer) in layers().into_iter().filter(|(_, layer)| layer.groups > 1) {
        let mut part = Layer { groups: 1, ..layer.clone() };
        part.input[1] /= layer.groups;
        part.weight[0] /= layer.groups;
        let (channels, rows) = (part.input[1], part.weight[0]);
        for (rule_name, rule) in rules(layer.neurons_per_group()) {
            let whole =
                AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(input(&layer, device), None);
            let parts = (0..layer.groups).map(|group| {
                let weight = weight(&layer, device).narrow(0, group * rows, rows);
                let x = input(&layer, device).narrow(1, group * channels, channels);
                AnyLayer::with_weight(&part, weight, device).with_rule(rule.clone()).learn(x, None)
            });
            let parts = Tensor::cat(parts.collect(), 0);
            assert_close(&format!("{rule_name} on {name}"), &vec(whole), &vec(parts), TOLERANCE);
        }
    }
}

fn padding_is_padding_of_the_input(device: &Device) {
    let padded = |layer: &Layer| !layer.transposed && layer.padding != [(0, 0); 3];
    for (name, layer) in layers().into_iter().filter(|(_, layer)| padded(layer)) {
        let mut bare = Layer { padding: [(0, 0); 3], reflect: false, ..layer.clone() };
        for (axis, (before, after)) in layer.padding.into_iter().enumerate() {
            bare.input[2 + axis] += before + after;
        }
        let mode = if layer.reflect { PadMode::Reflect } else { PadMode::Constant(0.0) };
        let x = input(&layer, device);
        for (rule_name, rule) in rules(layer.neurons_per_group()) {
            let inside = AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(x.clone(), None);
            let outside =
                AnyLayer::new(&bare, device).with_rule(rule).learn(x.clone().pad(layer.padding, mode), None);
            assert_close(&format!("{rule_name} on {name}"), &vec(inside), &vec(outside), TOLERANCE);
        }
    }
}

/// Whether a rule sees nothing of what lies between the taps: neither in the norm of a patch, nor in the fan-in, nor in
/// the largest value of the update.
fn is_blind_to_gaps((_, rule): &(&'static str, Rule)) -> bool {
    matches!(rule.similarity, Similarity::Dot | Similarity::Projection)
        && rule.finish.scale == Scale::None
        && rule.finish.normalization == Normalization::None
}

/// A dilated kernel is a wider one with zeros between its taps; the taps learn the same.
fn dilation_is_a_stuffed_kernel(device: &Device) {
    for (name, layer) in layers().into_iter().filter(|(_, layer)| layer.dilation != [1; 3]) {
        let mut stuffed = Layer { dilation: [1; 3], ..layer.clone() };
        let mut taps = [Slice::full(); 5];
        for axis in 0..3 {
            let dilation = layer.dilation[axis];
            stuffed.weight[2 + axis] = (layer.weight[2 + axis] - 1) * dilation + 1;
            taps[2 + axis] = Slice::with_step(0, None, dilation as isize);
        }
        let wide = Tensor::zeros(stuffed.weight, device).slice_assign(taps, weight(&layer, device));
        for (rule_name, rule) in rules(layer.neurons_per_group()).into_iter().filter(is_blind_to_gaps) {
            let x = input(&layer, device);
            let dilated = AnyLayer::new(&layer, device).with_rule(rule.clone()).learn(x.clone(), None);
            let free = AnyLayer::with_weight(&stuffed, wide.clone(), device).with_rule(rule).learn(x, None);
            let what = format!("{rule_name} on {name}");
            assert_close(&what, &vec(dilated), &vec(free.slice(taps)), TOLERANCE);
        }
    }
}

/// A depthwise layer has one neuron a group: nothing to compete with, but Oja's decay to learn with.
pub(crate) fn depthwise_neurons_alone(device: &Device) {
    let layers = [
        ("conv1d", Layer::dense([2, 3, 7], [3, 1, 4]).strided([2]).grouped(3)),
        (
            "conv2d",
            Layer::dense([2, 4, 5, 6], [4, 1, 3, 2]).padded([(1, 0), (2, 1)]).dilated([1, 2]).grouped(4),
        ),
        ("conv3d", Layer::dense([2, 3, 3, 4, 5], [3, 1, 2, 1, 3]).padded([(1, 1); 3]).grouped(3)),
        ("conv_transpose1d", Layer::transposed([2, 3, 4], [3, 1, 2]).strided([3]).grouped(3)),
        ("conv_transpose2d", Layer::transposed([2, 4, 3, 2], [4, 1, 2, 3]).strided([2, 2]).grouped(4)),
        (
            "conv_transpose3d",
            Layer::transposed([2, 3, 2, 3, 2], [3, 1, 2, 2, 3]).dilated([2, 1, 1]).grouped(3),
        ),
    ];
    for (name, layer) in layers {
        for rule in [Rule::hebb(), Rule::oja(), Rule::sanger()] {
            against_the_oracle(name, &rule, &layer, device);
        }
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
        let (local, plan) = Plan::new().bind(Local::new(plain).with_rule(Rule::swta())).unwrap();
        let (got, seen) = plan.observe(&local, Signals::none(), |local| local.forward(x)).unwrap();
        assert_eq!(got.dims(), expected.dims());
        assert_close("observed, with bias", &vec(got), &vec(expected), 1e-6);
        assert!(seen.unreached().is_empty());
    }
}

/// What Burn's own layer refuses: the extra element goes to the end of an axis.
fn same_padding_of_even_volumes(device: &Device) {
    let config = HebbianConv3dConfig::new([2, 4], [2, 4, 3], Rule::swta()).with_stride([1, 2, 1]);
    let same = config.clone().with_padding(PaddingConfig3d::Same).init(device);
    let mut valid = config.init(device).into_inner();
    valid.weight = same.layer().weight.clone();
    let x: Tensor<5> = tensor(5, [2, 2, 3, 5, 4], device);
    let padded = x.clone().pad([(0, 1), (1, 2), (1, 1)], PadMode::Constant(0.0));
    let got = same.forward(x);
    assert_eq!(got.dims(), [2, 4, 3, 3, 4]);
    assert_close("same", &vec(got), &vec(valid.forward(padded)), 1e-6);
}

/// A layer from its configuration, and from the configuration's JSON.
macro_rules! configured {
    ($type:ty, $config:expr, $input:expr, $output:expr, $device:expr) => {{
        let config: $type = $config;
        let json = serde_json::to_string(&config).unwrap();
        let read: $type = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        let (layer, plan) = Plan::new().bind(read.init($device)).unwrap();
        let x = tensor(6, $input, $device);
        let (y, seen) = plan.observe(&layer, Signals::none(), |layer| layer.forward(x)).unwrap();
        assert_eq!(y.dims(), $output, "{}", stringify!($type));
        assert!(seen.unreached().is_empty(), "{}", stringify!($type));
    }};
}

fn configured_layers_learn(device: &Device) {
    type C1 = HebbianConv1dConfig;
    type C3 = HebbianConv3dConfig;
    type T1 = HebbianConvTranspose1dConfig;
    type T2 = HebbianConvTranspose2dConfig;
    type T3 = HebbianConvTranspose3dConfig;
    let rule = Rule::swta;
    let reflect = PaddingMode::Reflect;
    let one = C1::new([2, 6], 3, rule()).with_padding(PaddingConfig1d::Same).with_padding_mode(reflect);
    configured!(C1, one.with_stride(2).with_groups(2), [2, 2, 9], [2, 6, 5], device);
    let three = C3::new([2, 3], [1, 2, 3], rule()).with_padding(PaddingConfig3d::Explicit(0, 1, 1));
    configured!(C3, three.with_dilation([1, 2, 1]), [2, 2, 2, 4, 3], [2, 3, 2, 4, 3], device);
    configured!(T1, T1::new([2, 3], 4, rule()).with_stride(2).with_padding(1), [2, 2, 5], [2, 3, 10], device);
    let two = T2::new([2, 6], [3, 2], rule()).with_stride([2, 2]).with_groups(2).with_padding([1, 0]);
    configured!(T2, two.with_padding_out([1, 0]), [2, 2, 4, 3], [2, 6, 8, 6], device);
    let three = T3::new([2, 3], [2, 1, 3], rule()).with_stride([2, 1, 1]).with_padding([0, 0, 1]);
    configured!(T3, three, [2, 2, 2, 3, 4], [2, 3, 4, 3, 4], device);
    let short: T2 = serde_json::from_str(r#"{"channels":[4,2],"kernel_size":[3,3],"rule":{}}"#).unwrap();
    assert_eq!((short.stride, short.padding, short.padding_out, short.groups), ([1; 2], [0; 2], [0; 2], 1));
}

/// Cosine outputs lie in 0..=1 after relu, projections are dot products over the norm.
fn output_functions(device: &Device) {
    let layer = Layer::dense([4, 2, 7, 6], [6, 2, 3, 2]);
    let x = layers::input(&layer, device);
    let dot = layers::conv(&layer, device).forward(x.clone());
    let norms = layers::weight(&layer, device).powi_scalar(2).sum_dims(&[1, 2, 3]).sqrt();
    let projection = dot / norms.reshape([1, 6, 1, 1]);
    let layer_with = |output| hebbian_conv(&layer, &Rule::swta(), device).with_output(output);
    let got = layer_with(Output::projection()).forward(x.clone());
    assert_close("projection", &vec(got), &vec(projection.clone()), 1e-6);
    let got = layer_with(Output::relu_projection()).forward(x.clone());
    assert_close("relu projection", &vec(got), &vec(projection.clamp_min(0.0)), 1e-6);
    let cosines = vec(layer_with(Output::relu_cosine()).forward(x));
    assert!(cosines.iter().all(|cosine| (0.0..=1.0 + 1e-6).contains(cosine)));
    assert!(cosines.iter().any(|cosine| *cosine > 0.5));
}
