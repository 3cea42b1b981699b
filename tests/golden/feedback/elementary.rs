//! The elementary operations: the transpose of a layer, and learning by a signal with positions.

use burn::{optim::SgdConfig, tensor::Tensor};
use burn_hebbian::{
    nn::PaddingMode,
    prelude::*,
    rules::{Apical, Reduction},
};
use serde::Deserialize;

use super::{case::Case, chain::Layer, compare::Comparison, hyper};

/// One layer: an edge by its own fields, a convolution if it has a kernel.
#[derive(Deserialize)]
struct OneLayer {
    input: Vec<usize>,
    kernel: Option<[usize; 2]>,
    padding_mode: Option<String>,
}

impl OneLayer {
    fn of(case: &Case, comparison: &Comparison) -> Result<(Self, Layer), String> {
        let one: Self = case.hyper()?;
        let mode = match one.padding_mode.as_deref() {
            None | Some("zeros") => PaddingMode::Zeros,
            Some("reflect") => PaddingMode::Reflect,
            Some(other) => return Err(format!("no padding mode `{other}`")),
        };
        let kind = if one.kernel.is_some() { "conv" } else { "dense" };
        let edge = hyper::Edge { kind: kind.to_string(), ..case.hyper()? };
        ["w", "b"].into_iter().for_each(|name| comparison.given(name));
        let layer = Layer::of(case, &edge, ["w", "b"], mode, comparison.dtype)?;
        Ok((one, layer))
    }
}

pub(super) fn feedback(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (one, layer) = OneLayer::of(case, comparison)?;
    comparison.given("y");
    let images = case.data("y").ok_or("tensor `y` is missing")?.shape()[0];
    match (&layer, one.input.as_slice()) {
        (Layer::Dense(layer), [inputs]) => {
            let y = case.tensor::<2>("y", comparison.dtype)?;
            comparison.check("feedback", layer.feedback(y, [images, *inputs]));
        }
        (Layer::Convolution(layer), [channels, height, width]) => {
            let y = case.tensor::<4>("y", comparison.dtype)?;
            comparison.check("feedback", layer.feedback(y, [images, *channels, *height, *width]));
        }
        (_, input) => return Err(format!("no layer with an input of {input:?}")),
    }
    Ok(())
}

#[derive(Deserialize)]
struct ApicalHyper {
    activation: String,
    reduction: String,
    groups: Option<usize>,
}

pub(super) fn apical(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (_, layer) = OneLayer::of(case, comparison)?;
    let hyper: ApicalHyper = case.hyper()?;
    let reduction = match hyper.reduction.as_str() {
        "sum" => Reduction::Sum,
        "mean" => Reduction::Mean,
        other => return Err(format!("no reduction `{other}`")),
    };
    let rule = Apical::new(hyper::activation(&hyper.activation)?).with_reduction(reduction);
    ["x", "apical"].into_iter().for_each(|name| comparison.given(name));
    let groups = hyper.groups.unwrap_or(1);
    let signal = by_group(case, "apical", groups, comparison)?;
    let dims = match &layer {
        Layer::Dense(layer) => {
            let a = layer.drive(case.tensor::<2>("x", comparison.dtype)?);
            comparison.check("a", a.clone());
            a.dims().to_vec()
        }
        Layer::Convolution(layer) => {
            let a = layer.drive(case.tensor::<4>("x", comparison.dtype)?);
            comparison.check("a", a.clone());
            a.dims().to_vec()
        }
    };
    let drive = by_group(case, "a", groups, comparison)?;
    let coefficients = rule.coefficients(drive, signal.clone());
    match dims[..] {
        [n, k] => comparison.check("coefficient", coefficients.reshape([n, k])),
        [n, k, h, w] => comparison.check("coefficient", coefficients.reshape([n, k, h, w])),
        _ => return Err(format!("no drive of {dims:?}")),
    }
    let plan = Plan::new().local(".*", LocalTraining::custom(rule));
    let (layer, optim) = plan.init(layer, SgdConfig::new()).map_err(|error| error.to_string())?;
    let signals = Signals::none().with_apical(signal);
    let seen = optim.observe(&layer, signals, |layer| -> Result<(), String> {
        match layer {
            Layer::Dense(layer) => drop(layer.forward(case.tensor::<2>("x", comparison.dtype)?)),
            Layer::Convolution(layer) => drop(layer.forward(case.tensor::<4>("x", comparison.dtype)?)),
        }
        Ok(())
    });
    let (ran, seen) = seen.map_err(|error| error.to_string())?;
    ran?;
    let finished = optim.plan().finish(layer, seen.local_only()).map_err(|error| error.to_string())?;
    finished.0.check("delta_w", Some("delta_b"), &finished.1, comparison)
}

/// A tensor `[n, K, positions…]` as rules see it, `[n, groups, neurons, positions]`.
fn by_group(case: &Case, name: &str, groups: usize, comparison: &Comparison) -> Result<Tensor<4>, String> {
    let shape = case.data(name).ok_or_else(|| format!("tensor `{name}` is missing"))?.shape().to_vec();
    let positions = shape[2..].iter().product();
    Ok(case.rows(name, comparison.dtype)?.reshape([shape[0], groups, shape[1] / groups, positions]))
}
