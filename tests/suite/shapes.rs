//! Shapes and types of what enters a layer: a message with the kind of layer and both numbers, or the right answer.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    nn::{
        Linear, LinearConfig, LinearLayout,
        conv::{Conv2dConfig, ConvTranspose2dConfig},
    },
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::{
        Output,
        forms::{CorrelationForm, Forms},
        observe::{GradientFlow, Ownership, Pass, Selection, collect, with_binding, with_seats},
    },
    prelude::*,
    rules::{Activation, Lateral, RuleError, Similarity, Sums, WeightLayout},
};
use burn_hebbian_tests::{
    any_layer::{AnyLayer, input, weight},
    forms::with_forced,
    oracle::{self, Layer},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{geometry::small, on_flex, rules::rules};

pub(crate) fn trials() -> Vec<Trial> {
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
        on_flex("shapes::outputs_in_half_precision", outputs_in_half_precision),
        on_flex("shapes::blank_patches_in_half_precision", blank_patches_in_half_precision),
        on_flex("shapes::many_positions_in_half_precision", many_positions_in_half_precision),
        on_flex("shapes::all_rules_in_f64", all_rules_in_f64),
        on_flex("shapes::outputs_in_f64", outputs_in_f64),
        on_flex("shapes::columns_first_forward", columns_first_forward),
        on_flex("shapes::columns_first_learn", columns_first_learn),
        on_flex("shapes::columns_first_records", columns_first_records),
    ]
}

const TYPES: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::BF16];

/// Changes the data type of all parameters.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.cast(self.0))
    }
}

/// Lets every layer learn, and takes what it sums.
struct Ear {
    selection: Selection,
    sums: Mutex<Vec<Sums>>,
    refusals: Mutex<Vec<RuleError>>,
}

impl Pass for Ear {
    fn selection(&self, _place: usize) -> Option<Selection> {
        Some(self.selection.clone())
    }

    fn signals(&self, _place: usize) -> Signals {
        Signals::none()
    }

    fn report(&self, _place: usize, sums: Sums) {
        self.sums.lock().unwrap().push(sums);
    }

    fn refuse(&self, _place: usize, reason: RuleError) {
        self.refusals.lock().unwrap().push(reason);
    }

    fn report_running(&self, _id: ParamId, _shift: Tensor<1>) {}
}

/// What `forward` gives, and what the layer in it learned.
fn observed<M: Module, R>(
    layer: &M,
    rule: impl LocalRule + 'static,
    flow: GradientFlow,
    forward: impl FnOnce(&M) -> R,
) -> (R, Sums) {
    let rule: Arc<dyn LocalRule> = Arc::new(rule);
    let ownership = Ownership { owner: 1, rules: BTreeMap::from([(0, rule.clone())]) };
    let selection = Selection { rule, flow, backprop: false };
    let ear = Arc::new(Ear { selection, sums: Mutex::default(), refusals: Mutex::default() });
    let bound = with_binding(ownership, || layer.clone().map(&mut Unchanged));
    let (copy, _) = with_seats(ear.clone(), || bound.map(&mut Unchanged));
    let output = forward(&copy);
    if let Some(reason) = ear.refusals.lock().unwrap().pop() {
        panic!("{reason}");
    }
    let sums = ear.sums.lock().unwrap().pop().expect("the layer learned");
    (output, sums)
}

struct Unchanged;

impl ModuleMapper for Unchanged {}

fn message<R>(body: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(body()))) else { return "no panic".to_string() };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
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

fn outputs() -> Vec<(&'static str, Output)> {
    let of = |similarity| Output::new(similarity, Activation::Linear);
    vec![
        ("plain", Output::default()),
        ("relu_projection", Output::relu_projection()),
        ("relu_cosine", Output::relu_cosine()),
        ("projection", Output::projection()),
        ("raised", of(Similarity::RaisedCosine { power: 1.0 })),
        ("raised_cubed", of(Similarity::RaisedCosine { power: 3.0 })),
        ("gaussian", of(Similarity::Gaussian { sigma: None })),
        ("krotov", of(Similarity::Lebesgue { p: 3.0 })),
        ("triangle", Output::new(Similarity::Projection, Activation::Triangle { power: 1.0 })),
        ("tanh", Output::new(Similarity::Cosine, Activation::Tanh)),
        ("score", Output::new(Similarity::Cosine, Activation::Score { sub_gaussian: 0.5 })),
    ]
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

/// How far half precision may be from `f32`.
fn rounding(dtype: DType) -> f64 {
    if dtype == DType::F16 { 4e-3 } else { 3e-2 }
}

/// Bright and faint patches, large and small weights: energies beyond 65,504 and below 6e-8.
fn outputs_in_half_precision(device: &Device) {
    let scales =
        [(300.0, 1.0), (2e4, 30.0), (1.0, 300.0), (1e-4, 1.0), (1.0, 1e-4), (1e-4, 1e-3), (1e-4, 1e4)];
    for (name, layer) in small() {
        for (output_name, output) in outputs().into_iter().skip(1) {
            for dtype in [DType::F16, DType::BF16] {
                for (bright, large) in scales {
                    let x = input(&layer, device).mul_scalar(bright).cast(dtype);
                    let w = weight(&layer, device).mul_scalar(large).cast(dtype);
                    let y = |dtype| {
                        let local = AnyLayer::with_weight(&layer, w.clone().cast(dtype), device);
                        local.with_output(output).forward(x.clone().cast(dtype))
                    };
                    let (half, expected) = (y(dtype), vec(y(DType::F32)));
                    assert_eq!(half.dtype(), dtype);
                    let largest = expected.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
                    // what the type cannot hold is the same for the plain layer
                    if !(1e-3..6e4).contains(&largest) {
                        continue;
                    }
                    let what = format!("{output_name} of {name} in {dtype:?}, {bright} and {large}");
                    assert_close(&what, &vec(half.cast(DType::F32)), &expected, rounding(dtype));
                    let local = AnyLayer::with_weight(&layer, w.clone(), device).with_output(output);
                    let seen = |local: &AnyLayer| local.forward(x.clone());
                    let (half, sums) = observed(&local, Rule::swta(), GradientFlow::Block, seen);
                    assert_close(&what, &vec(half.cast(DType::F32)), &expected, rounding(dtype));
                    assert!(vec(sums.numerator).iter().all(|sum| sum.is_finite()), "{what}");
                }
            }
        }
    }
}

/// They have no direction.
fn blank_patches_in_half_precision(device: &Device) {
    for (name, layer) in small() {
        for (output_name, output) in outputs() {
            for dtype in [DType::F16, DType::BF16] {
                let local = AnyLayer::new(&layer, device).with_output(output).map(&mut Cast(dtype));
                let blank = input(&layer, device).cast(dtype).mul_scalar(0.0);
                let y = vec(local.forward(blank.clone()).cast(DType::F32));
                let expected = match output_name {
                    "raised" => 0.5,
                    "raised_cubed" => 0.125,
                    "gaussian" => continue,
                    _ => 0.0,
                };
                assert!(y.iter().all(|y| *y == expected), "{output_name} of {name} in {dtype:?}: {y:?}");
                let (_, sums) =
                    observed(&local, Rule::swta(), GradientFlow::Block, |local| local.forward(blank));
                assert!(vec(sums.numerator).iter().all(|sum| sum.is_finite()), "{name} in {dtype:?}");
            }
        }
    }
}

/// More of them than `f16` can count.
fn many_positions_in_half_precision(device: &Device) {
    const MANY: usize = 70_000;
    for dtype in TYPES {
        let x = Tensor::<2>::ones([MANY, 2], (device, dtype));
        for rule in [Rule::hebb(), Rule::hpca_adaptive(), Rule::bcm()] {
            let layer =
                Local::new(LinearConfig::new(2, 3).with_bias(false).init(device)).with_rule(rule.clone());
            let layer = layer.map(&mut Cast(dtype));
            let (_, sums) =
                observed(&layer, rule.clone(), GradientFlow::Block, |layer| layer.forward(x.clone()));
            let mass = vec(sums.mass.expect("a mean has a mass"));
            assert_eq!(mass, [MANY as f64], "{rule:?} in {dtype:?}");
            if let Some(statistics) = sums.statistics {
                let statistics = vec(statistics);
                assert!(statistics.contains(&(MANY as f64)), "{rule:?} in {dtype:?}: {statistics:?}");
            }
        }
    }
}

/// In 64 bits from the input to the sums: against the oracle, which has them too.
fn all_rules_in_f64(device: &Device) {
    for (name, layer) in small() {
        for (rule_name, rule) in rules(layer.neurons_per_group()) {
            let (x, w) = (input(&layer, device), weight(&layer, device));
            let expected = oracle::delta(&rule, &layer, &vec(x.clone()), &vec(w.clone()), None);
            let local =
                AnyLayer::with_weight(&layer, w.clone().cast(DType::F64), device).with_rule(rule.clone());
            let forward = |local: &AnyLayer| local.forward(x.cast(DType::F64));
            let (_, sums) = observed(&local, rule.clone(), GradientFlow::Block, forward);
            let types = [Some(&sums.numerator), sums.mass.as_ref(), sums.statistics.as_ref()];
            let what = format!("{rule_name} on {name}");
            assert!(types.into_iter().flatten().all(|sum| sum.dtype() == DType::F64), "{what}");
            let layout = layout(&layer);
            let w = layout.view(w.cast(DType::F64));
            let delta = rule.finish().apply(sums.numerator.reshape(layout.dims()), sums.mass, &w, &layout);
            // distances on a map are held in f32
            let tolerance = if rule.lateral == Lateral::None { 1e-9 } else { 1e-6 };
            assert_close(&what, &vec(delta), &expected, tolerance);
            if let Some(state) = rule.initial_state(&layout) {
                let state = Tensor::<1>::from_data(state.as_slice(), (device, DType::F64));
                assert_eq!(rule.next_state(state, sums.statistics, &layout).dtype(), DType::F64, "{what}");
            }
        }
    }
}

fn layout(layer: &Layer) -> WeightLayout {
    let [first, second, kernel @ ..] = layer.weight;
    let (groups, kernel) = (layer.groups, kernel.iter().product::<usize>());
    match layer.transposed {
        true => WeightLayout { groups, before: first / groups, neurons: second, after: kernel },
        false => WeightLayout { groups, before: 1, neurons: first / groups, after: second * kernel },
    }
}

fn outputs_in_f64(device: &Device) {
    for (name, layer) in small() {
        for (output_name, output) in outputs() {
            let [x, w] = [input(&layer, device), weight(&layer, device)];
            let y = |dtype| {
                let local = AnyLayer::with_weight(&layer, w.clone().cast(dtype), device).with_output(output);
                local.forward(x.clone().cast(dtype))
            };
            let (double, single) = (y(DType::F64), y(DType::F32));
            assert_eq!(double.dtype(), DType::F64);
            assert_close(&format!("{output_name} of {name}"), &vec(double), &vec(single), 1e-5);
        }
    }
}

fn columns_first(bias: bool, device: &Device) -> Linear {
    LinearConfig::new(4, 3).with_bias(bias).with_layout(LinearLayout::Col).init(device)
}

fn columns_first_forward(device: &Device) {
    for bias in [true, false] {
        let plain = columns_first(bias, device);
        let local = Local::new(plain.clone());
        let x = tensor::<3>(1, [2, 5, 4], device);
        assert_close(
            "before the first use",
            &vec(local.forward(x.clone())),
            &vec(plain.forward(x.clone())),
            1e-6,
        );
        assert_close("after", &vec(local.forward(x.clone())), &vec(plain.forward(x)), 1e-6);
        let got = message(|| local.forward(Tensor::<2>::ones([5, 3], device)));
        assert_eq!(got, "linear: expected [.., 4], got [5, 3]");
    }
}

/// As a layer of rows does, whether its weight was used before or not.
fn columns_first_learn(device: &Device) {
    for (name, rule) in rules(3) {
        let local = Local::new(columns_first(false, device)).with_rule(rule.clone());
        let announced =
            || collect(|| local.visit(&mut Nothing)).1.layers.pop().expect("a local layer").layout;
        let expected = WeightLayout { groups: 1, before: 4, neurons: 3, after: 1 };
        assert_eq!(announced(), expected, "{name}, before the first use");
        let x = tensor::<2>(1, [6, 4], device);
        let (_, got) = observed(&local, rule.clone(), GradientFlow::Block, |local| local.forward(x.clone()));
        assert_eq!(announced(), expected, "{name}, after");
        let mut rows = LinearConfig::new(4, 3).with_bias(false).init(device);
        rows.weight = Param::from_data(local.layer().weight.val().into_data(), device);
        let rows = Local::new(rows).with_rule(rule.clone());
        let (_, rows) = observed(&rows, rule.clone(), GradientFlow::Block, |rows| rows.forward(x));
        assert_close(name, &vec(got.numerator), &vec(rows.numerator), 1e-6);
    }
}

struct Nothing;

impl burn::module::ModuleVisitor for Nothing {}

fn columns_first_records(device: &Device) {
    let x = || tensor::<2>(1, [5, 4], device);
    for bias in [true, false] {
        let plain = columns_first(bias, device);
        let expected = vec(plain.forward(x()));
        let record = || plain.clone().into_record();
        let local = Local::new(columns_first(bias, device)).with_rule(Rule::swta());
        drop(collect(|| local.visit(&mut Nothing)));
        let local = local.load_record(record());
        assert_close("plain into local", &vec(local.forward(x())), &expected, 1e-6);
        let back = columns_first(bias, device).load_record(local.into_record());
        assert_close("local into plain", &vec(back.forward(x())), &expected, 1e-6);
        let again = Local::new(columns_first(bias, device)).load_record(record());
        let again = again.map(&mut Cast(DType::F32));
        assert_close("mapped", &vec(again.forward(x())), &expected, 1e-6);
    }
}
