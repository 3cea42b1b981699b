//! Channels, kernels and lengths that do not fit: a message with the kind of layer and both numbers.

use burn::{
    module::Module,
    nn::{
        LinearConfig,
        conv::{Conv2dConfig, ConvTranspose2dConfig},
    },
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::{
        Output,
        forms::{CorrelationForm, Forms},
        observe::GradientFlow,
    },
    prelude::*,
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input},
    forms::with_forced,
    oracle::Layer,
};
use libtest_mimic::Trial;

use super::{Cast, TYPES, message, observed, outputs};
use crate::{geometry::small, on_flex};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_flex("shapes::wrong_channels_are_refused", wrong_channels_are_refused),
        on_flex("shapes::wrong_widths_of_linear_layers_are_refused", wrong_widths_of_linear_layers),
        on_flex("shapes::wrong_channels_are_refused_by_correlations", wrong_channels_of_correlations),
        on_flex("shapes::kernels_larger_than_the_input_are_refused", kernels_larger_than_the_input),
        on_flex("shapes::inputs_without_positions_are_refused", inputs_without_positions),
        on_flex("shapes::reflections_larger_than_the_input_are_refused", reflections_larger_than_the_input),
        on_flex("shapes::layers_that_contradict_themselves_are_refused", layers_that_contradict_themselves),
        on_flex("shapes::mixed_types_are_refused", mixed_types_are_refused),
        on_flex("shapes::no_images_give_no_outputs", no_images_give_no_outputs),
    ]
}

/// What a message calls the spatial axes.
fn axes(layer: &Layer) -> &'static str {
    ["length", "height, width", "depth, height, width"][layer.axes - 1]
}

/// Dimensions without leading spatial axes.
fn short(dims: [usize; 5], layer: &Layer) -> Vec<usize> {
    [&dims[..2], &dims[5 - layer.axes..]].concat()
}

/// Every path that an input can take through a layer.
fn on_every_path(layer: &AnyLayer, x: &Tensor<5>, mut expect: impl FnMut(&str, String)) {
    let lifted = || x.clone().autodiff();
    expect("plain", message(|| layer.forward(x.clone())));
    expect("autodiff", message(|| layer.clone().train().forward(lifted())));
    for flow in [GradientFlow::Block, GradientFlow::Pass] {
        expect("observed", message(|| observed(layer, Rule::oja(), flow, |layer| layer.forward(x.clone()))));
        expect(
            "observed autodiff",
            message(|| observed(layer, Rule::oja(), flow, |layer| layer.forward(lifted()))),
        );
    }
}

fn wrong_channels_are_refused(device: &Device) {
    let fused = Forms { correlation: Some(CorrelationForm::Fused), recurrence: None };
    for (name, layer) in small() {
        let local = AnyLayer::new(&layer, device);
        for ((forms, dtype), images) in [Forms::default(), fused]
            .into_iter()
            .flat_map(|f| TYPES.map(|t| (f, t)))
            .flat_map(|f| [0, 1, 8].map(|n| (f, n)))
        {
            let local = with_forced(forms, || AnyLayer::new(&layer, device)).map(&mut Cast(dtype));
            for channels in [1, layer.input[1] + 1] {
                let mut dims = layer.input;
                (dims[0], dims[1]) = (images, channels);
                let x = Tensor::<5>::ones(dims, (device, dtype));
                let expected = format!(
                    "{name}: expected [n, {}, {}], got {:?}",
                    layer.input[1],
                    axes(&layer),
                    short(dims, &layer)
                );
                on_every_path(&local, &x, |path, got| assert_eq!(got, expected, "{path} in {dtype:?}"));
            }
        }
        let output = message(|| local.forward(input(&layer, device)));
        assert_eq!(output, "no panic", "{name}");
    }
}

fn wrong_widths_of_linear_layers(device: &Device) {
    for dtype in TYPES {
        let local = Local::new(LinearConfig::new(4, 3).init(device)).map(&mut Cast(dtype));
        let x = |dims| Tensor::<3>::ones(dims, (device, dtype));
        for dims in [[2, 5, 3], [0, 1, 12], [1, 1, 0]] {
            let expected = format!("linear: expected [.., 4], got {dims:?}");
            assert_eq!(message(|| local.forward(x(dims))), expected);
            assert_eq!(message(|| local.forward(x(dims).autodiff())), expected);
            let learn = || observed(&local, Rule::oja(), GradientFlow::Block, |local| local.forward(x(dims)));
            assert_eq!(message(learn), expected);
        }
    }
}

fn wrong_channels_of_correlations(device: &Device) {
    let local = Local::new(Conv2dConfig::new([3, 4], [3, 3]).init(device));
    let x = |channels| Tensor::<4>::ones([2, channels, 5, 6], device);
    let c = |dims| Tensor::<4>::ones(dims, device);
    let expected = "conv2d: expected [n, 3, height, width], got [2, 1, 5, 6]";
    assert_eq!(message(|| local.correlate(x(1), c([2, 4, 3, 4]))), expected);
    assert_eq!(message(|| local.correlation_form([2, 1, 5, 6])), expected);
    for wrong in [[2, 4, 4, 4], [1, 4, 3, 4], [2, 3, 3, 4]] {
        let expected = format!("conv2d: expected coefficients of [2, 4, 3, 4], got {wrong:?}");
        assert_eq!(message(|| local.correlate(x(3), c(wrong))), expected);
    }
    assert_eq!(local.correlate(x(3), c([2, 4, 3, 4])).dims(), [4, 3, 3, 3]);
}

/// With dilation and padding; of transposed layers, padding that leaves nothing.
fn kernels_larger_than_the_input(device: &Device) {
    let layers = [
        (
            Layer::dense([2, 2, 3], [4, 2, 5]),
            "conv1d: a kernel that spans [5] does not fit into the padded input of [3]",
        ),
        (
            Layer::dense([2, 2, 3, 3], [4, 2, 5, 3]).padded([(0, 1), (0, 0)]),
            "conv2d: a kernel that spans [5, 3] does not fit into the padded input of [4, 3]",
        ),
        (
            Layer::dense([2, 2, 3, 4], [4, 2, 3, 2]).dilated([1, 4]),
            "conv2d: a kernel that spans [3, 5] does not fit into the padded input of [3, 4]",
        ),
        (
            Layer::dense([2, 2, 3, 4, 2], [4, 2, 1, 1, 3]).strided([2, 2, 2]),
            "conv3d: a kernel that spans [1, 1, 3] does not fit into the padded input of [3, 4, 2]",
        ),
        (
            Layer::transposed([2, 2, 1], [2, 4, 2]).padded([(1, 1)]),
            "conv_transpose1d: padding of [1] leaves no output of an input of [1] under a kernel that spans [2]",
        ),
        (
            Layer::transposed([2, 2, 2, 2, 2], [2, 4, 2, 2, 2]).padded([(0, 0), (2, 2), (0, 0)]),
            "conv_transpose3d: padding of [0, 2, 0] leaves no output of an input of [2, 2, 2] under a kernel that spans \
             [2, 2, 2]",
        ),
    ];
    for (layer, expected) in layers {
        for dtype in TYPES {
            let local = AnyLayer::new(&layer, device).map(&mut Cast(dtype));
            let x = input(&layer, device).cast(dtype);
            on_every_path(&local, &x, |path, got| assert_eq!(got, expected, "{path} in {dtype:?}"));
        }
    }
}

fn inputs_without_positions(device: &Device) {
    let conv = Local::new(Conv2dConfig::new([2, 3], [2, 2]).init(device));
    let transposed = Local::new(ConvTranspose2dConfig::new([2, 3], [2, 2]).init(device));
    let x = || Tensor::<4>::ones([5, 2, 0, 4], device);
    let without = |kind: &str| format!("{kind}: an input without positions, [5, 2, 0, 4]");
    assert_eq!(message(|| conv.forward(x())), without("conv2d"));
    assert_eq!(message(|| transposed.forward(x())), without("conv_transpose2d"));
    let learn = || observed(&transposed, Rule::oja(), GradientFlow::Block, |layer| layer.forward(x()));
    assert_eq!(message(learn), without("conv_transpose2d"));
}

fn reflections_larger_than_the_input(device: &Device) {
    let layer = Layer::dense([2, 2, 3, 4], [4, 2, 3, 3]).reflecting([(0, 1), (4, 4)]);
    let local = AnyLayer::new(&layer, device);
    let expected = "conv2d: reflect padding must be smaller than the input, got [(0, 1), (4, 4)] for [3, 4]";
    on_every_path(&local, &input(&layer, device), |path, got| assert_eq!(got, expected, "{path}"));
}

/// The fields of Burn's layers are open to everybody.
fn layers_that_contradict_themselves(device: &Device) {
    let with = |change: fn(&mut burn::nn::conv::Conv2d)| {
        let mut conv = Conv2dConfig::new([4, 6], [3, 3]).with_groups(2).init(device);
        change(&mut conv);
        message(|| Local::new(conv).forward(Tensor::ones([2, 4, 6, 6], device)))
    };
    assert_eq!(with(|_| ()), "no panic");
    assert_eq!(
        with(|conv| conv.stride = [1, 0]),
        "conv2d: kernel, stride and dilation must be at least 1, got [3, 3], [1, 0] and [1, 1]"
    );
    assert_eq!(
        with(|conv| conv.kernel_size = [5, 5]),
        "conv2d: the layer has a kernel of [5, 5], its weight one of [3, 3]"
    );
    assert_eq!(with(|conv| conv.groups = 4), "conv2d: a weight of [6, 2, 3, 3] does not fall into 4 groups");
    assert_eq!(
        with(|conv| conv.dilation = [usize::MAX, 1]),
        format!(
            "conv2d: a kernel that spans [{}, 3] does not fit into the padded input of [6, 6]",
            usize::MAX
        )
    );
}

fn mixed_types_are_refused(device: &Device) {
    for (name, layer) in small() {
        let local = AnyLayer::new(&layer, device);
        for dtype in [DType::F64, DType::F16, DType::BF16] {
            let expected = format!("{name}: the weight is of F32, the input of {dtype:?}");
            let x = input(&layer, device).cast(dtype);
            on_every_path(&local, &x, |path, got| assert_eq!(got, expected, "{path}"));
        }
    }
    let local = Local::new(LinearConfig::new(4, 3).init(device));
    let got = message(|| local.forward(Tensor::<2>::ones([2, 4], (device, DType::F64))));
    assert_eq!(got, "linear: the weight is of F32, the input of F64");
}

/// Unobserved; a layer cannot learn from them.
fn no_images_give_no_outputs(device: &Device) {
    for (name, layer) in small() {
        for (output_name, output) in outputs() {
            for dtype in TYPES {
                let local = AnyLayer::new(&layer, device).with_output(output).map(&mut Cast(dtype));
                let mut expected = local.forward(input(&layer, device).cast(dtype)).dims();
                expected[0] = 0;
                let empty = || input(&layer, device).cast(dtype).slice_dim(0, 0..0);
                let name = format!("{output_name} of {name} in {dtype:?}");
                assert_eq!(local.forward(empty()).dims(), expected, "{name}");
                assert_eq!(local.forward(empty().autodiff()).dims(), expected, "{name}, autodiff");
                let learn =
                    || observed(&local, Rule::oja(), GradientFlow::Block, |local| local.forward(empty()));
                assert!(message(learn).contains("nothing can be learned from an empty batch"), "{name}");
            }
        }
    }
    let local = Local::new(LinearConfig::new(4, 3).init(device)).with_output(Output::relu_cosine());
    assert_eq!(local.forward(Tensor::<3>::ones([2, 0, 4], device)).dims(), [2, 0, 3]);
}
