//! The layers of cases, whatever their geometry.

use burn::{
    module::{Module, Param},
    nn::Linear,
    nn::{
        LinearConfig, PaddingConfig1d, PaddingConfig2d, PaddingConfig3d,
        conv::{
            Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Conv3d, Conv3dConfig, ConvTranspose1d,
            ConvTranspose1dConfig, ConvTranspose2d, ConvTranspose2dConfig, ConvTranspose3d,
            ConvTranspose3dConfig,
        },
    },
    optim::{GradientsParams, SgdConfig},
    tensor::{Tensor, TensorData},
};
use burn_hebbian::{nn::Synapses, prelude::*};

use super::case::{Case, device};

/// A layer with its weight in the layout of the cases, and what it learns.
pub(super) trait Subject<const X: usize>: Module + Synapses<X> {
    fn weight(&self) -> TensorData;
    fn delta(&self, grads: &GradientsParams) -> Option<TensorData>;
}

/// Something to do with a layer of any geometry.
pub(super) trait Task {
    fn on<const X: usize>(self, layer: impl Subject<X>) -> Result<(), String>;
}

macro_rules! subject {
    ($layer:ty, $rank:literal) => {
        impl Subject<$rank> for Local<$layer> {
            fn weight(&self) -> TensorData {
                self.layer().weight.val().into_data()
            }

            fn delta(&self, grads: &GradientsParams) -> Option<TensorData> {
                Some(grads.get::<$rank>(self.layer().weight.id)?.neg().into_data())
            }
        }
    };
}

subject!(Conv1d, 3);
subject!(Conv2d, 4);
subject!(Conv3d, 5);
subject!(ConvTranspose1d, 3);
subject!(ConvTranspose2d, 4);
subject!(ConvTranspose3d, 5);

impl Subject<2> for Local<Linear> {
    fn weight(&self) -> TensorData {
        self.layer().weight.val().transpose().into_data()
    }

    fn delta(&self, grads: &GradientsParams) -> Option<TensorData> {
        Some(grads.get::<2>(self.layer().weight.id)?.neg().transpose().into_data())
    }
}

/// What a layer of `rule` would learn while `teach` runs.
pub(super) fn delta<const X: usize>(
    layer: &impl Subject<X>,
    rule: &Rule,
    signals: Signals,
    teach: impl FnOnce(&dyn Synapses<X>),
) -> Result<TensorData, String> {
    let plan = Plan::new().local(".*", rule.clone());
    let (bound, plan) = plan.bind(layer.clone()).map_err(|error| error.to_string())?;
    let observed = plan.observe(&bound, signals, |layer| teach(layer));
    let (_, seen) = observed.map_err(|error| error.to_string())?;
    let finished = plan.finish(bound, seen.local_only());
    let (_, grads) = finished.map_err(|error| error.to_string())?;
    layer.delta(&grads).ok_or_else(|| "no update".to_string())
}

/// The layer after a step of `rule`, and what `teach` answers.
pub(super) fn step<const X: usize, L: Subject<X>, R>(
    layer: L,
    rule: &Rule,
    rate: f64,
    signals: Signals,
    teach: impl FnOnce(&L) -> R,
) -> Result<(L, R), String> {
    let plan = Plan::new().local(".*", rule.clone());
    let initialized = plan.init(layer, SgdConfig::new());
    let (layer, mut optim) = initialized.map_err(|error| error.to_string())?;
    let (answer, seen) = optim.observe(&layer, signals, teach).map_err(|error| error.to_string())?;
    let layer = optim.step(rate, layer, seen.local_only()).map_err(|error| error.to_string())?;
    Ok((layer, answer))
}

/// Does a task on the layer of the case, with the weights of tensor `w`; zeros where there is none.
pub(super) fn with_layer(case: &Case, task: impl Task) -> Result<(), String> {
    match case.text("layer")? {
        "linear" => task.on(linear(case)?),
        "conv1d" => {
            let ([kernel], [stride], [padding], [dilation]) = sizes(case)?;
            let config = Conv1dConfig::new(case.integer("c_in")?, case.integer("c_out")?, kernel)
                .with_stride(stride)
                .with_dilation(dilation)
                .with_padding(PaddingConfig1d::Explicit(padding, padding));
            let mut conv = config.with_groups(groups(case)?).with_bias(false).init(&device());
            conv.weight = weight(case, conv.weight)?;
            task.on(Local::new(conv))
        }
        "conv2d" => {
            let (kernel, stride, [y, x], dilation) = sizes(case)?;
            let config = Conv2dConfig::new([case.integer("c_in")?, case.integer("c_out")?], kernel)
                .with_stride(stride)
                .with_dilation(dilation)
                .with_padding(PaddingConfig2d::Explicit(y, x, y, x));
            let mut conv = config.with_groups(groups(case)?).with_bias(false).init(&device());
            conv.weight = weight(case, conv.weight)?;
            task.on(Local::new(conv))
        }
        "conv3d" => {
            let (kernel, stride, [z, y, x], dilation) = sizes(case)?;
            let config = Conv3dConfig::new([case.integer("c_in")?, case.integer("c_out")?], kernel)
                .with_stride(stride)
                .with_dilation(dilation)
                .with_padding(PaddingConfig3d::Explicit(z, y, x));
            let mut conv = config.with_groups(groups(case)?).with_bias(false).init(&device());
            conv.weight = weight(case, conv.weight)?;
            task.on(Local::new(conv))
        }
        "conv_transpose1d" => {
            let ([kernel], [stride], [padding], [dilation]) = sizes(case)?;
            let config = ConvTranspose1dConfig::new([case.integer("c_in")?, case.integer("c_out")?], kernel)
                .with_stride(stride)
                .with_dilation(dilation)
                .with_padding(padding);
            let mut conv = config.with_groups(groups(case)?).with_bias(false).init(&device());
            conv.weight = weight(case, conv.weight)?;
            task.on(Local::new(conv))
        }
        "conv_transpose2d" => {
            let (kernel, stride, padding, dilation) = sizes(case)?;
            let config = ConvTranspose2dConfig::new([case.integer("c_in")?, case.integer("c_out")?], kernel)
                .with_stride(stride)
                .with_dilation(dilation)
                .with_padding(padding);
            let mut conv = config.with_groups(groups(case)?).with_bias(false).init(&device());
            conv.weight = weight(case, conv.weight)?;
            task.on(Local::new(conv))
        }
        "conv_transpose3d" => {
            let (kernel, stride, padding, dilation) = sizes(case)?;
            let config = ConvTranspose3dConfig::new([case.integer("c_in")?, case.integer("c_out")?], kernel)
                .with_stride(stride)
                .with_dilation(dilation)
                .with_padding(padding);
            let mut conv = config.with_groups(groups(case)?).with_bias(false).init(&device());
            conv.weight = weight(case, conv.weight)?;
            task.on(Local::new(conv))
        }
        other => Err(format!("hyper.layer: {other}")),
    }
}

fn linear(case: &Case) -> Result<HebbianLinear, String> {
    let [inputs, neurons] = [case.integer("c_in")?, case.integer("c_out")?];
    let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(&device());
    let weight = match case.has("w") {
        true => case.tensor("w")?,
        false => Tensor::<2>::zeros([neurons, inputs], &device()),
    };
    linear.weight = Param::from_tensor(weight.transpose());
    Ok(Local::new(linear))
}

/// The weight of the case in the place of the one that the layer was made with.
fn weight<const W: usize>(case: &Case, made: Param<Tensor<W>>) -> Result<Param<Tensor<W>>, String> {
    if !case.has("w") {
        return Ok(made.map(|weight| weight.zeros_like()));
    }
    let weight: Tensor<W> = case.tensor("w")?;
    let (expected, got) = (made.val().dims(), weight.dims());
    if expected == got {
        return Ok(Param::from_tensor(weight));
    }
    Err(format!("tensor `w`: the layer has weights of {expected:?}, the case of {got:?}"))
}

fn groups(case: &Case) -> Result<usize, String> {
    case.integer("groups")
}

/// Kernel, stride, padding and dilation.
#[allow(clippy::type_complexity)]
fn sizes<const A: usize>(case: &Case) -> Result<([usize; A], [usize; A], [usize; A], [usize; A]), String> {
    let axes = |key: &str| {
        let sizes = case.integers(key)?;
        <[usize; A]>::try_from(sizes).map_err(|sizes| format!("hyper.{key}: {sizes:?} for {A} axes"))
    };
    Ok((axes("kernel")?, axes("stride")?, axes("padding")?, axes("dilation")?))
}

/// A first-spike layer: a convolution over two axes without a bias.
pub(super) fn first_spike_layer(weight: Tensor<4>, padding: [usize; 2]) -> HebbianConv2d {
    let [neurons, channels, height, width] = weight.dims();
    let [y, x] = padding;
    let mut conv = Conv2dConfig::new([channels, neurons], [height, width])
        .with_padding(PaddingConfig2d::Explicit(y, x, y, x))
        .with_bias(false)
        .init(&device());
    conv.weight = Param::from_tensor(weight);
    Local::new(conv)
}
