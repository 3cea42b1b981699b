//! STDP by traces.

use burn::tensor::{Tensor, TensorData};
use burn_hebbian::{
    prelude::*,
    rules::{Bounds, Dependence, Jump, Pairs, Reduction, Span, Timing, Trace},
    spikes::{
        Train,
        stdp::{self, Traces, fold, learn_step},
    },
};

use super::{
    case::Case,
    layers::{Subject, Task, delta, step, with_layer},
};

/// How a case is taught.
pub(super) struct Teaching {
    pub(super) pairs: Pairs,
    pub(super) bounds: Bounds,
    /// What steps are multiplied by.
    pub(super) rate: f64,
    /// What is taken off the input's traces.
    pub(super) target: f64,
}

impl Teaching {
    fn new(pairs: Pairs) -> Self {
        Self { pairs, bounds: Bounds::None, rate: 1.0, target: 0.0 }
    }

    pub(super) fn rule(&self) -> Rule {
        Rule::stdp(1.0, 1.0, 0.0, 0.0).with_timing(Timing::Pairs(self.pairs)).with_bounds(self.bounds)
    }
}

pub(super) fn stdp_trace(case: &Case) -> Result<(), String> {
    with_layer(case, Fixed(case, Teaching::new(trace_pairs(case, Trace::linear)?)))
}

/// Rates, and how they depend on weights, as snnTorch and SpikingJelly have them.
pub(super) fn trace_pairs(case: &Case, trace: fn(f64) -> Trace) -> Result<Pairs, String> {
    let f = case.setting("f")?;
    let number = |key: &str| f[key].as_f64().ok_or_else(|| format!("hyper.f.{key}: no number"));
    let (rates, dependence) = match f["kind"].as_str() {
        Some("weight") => ([1.0, 1.0], Dependence::Weight),
        Some("constant") => ([number("a_post")?, number("a_pre")?], Dependence::None),
        Some("soft") => {
            let (min, max, exponent) = (number("w_min")?, number("w_max")?, number("mu")?);
            ([number("a_post")?, number("a_pre")?], Dependence::Soft { min, max, exponent })
        }
        _ => return Err(format!("hyper.f: {f}")),
    };
    let [plus, minus] = rates;
    let [pre, post] = [trace(case.number("tau_pre")?), trace(case.number("tau_post")?)];
    Ok(Pairs::new(1.0, 1.0, plus, minus).with_traces(pre, post).with_dependence(dependence))
}

pub(super) fn norse(case: &Case) -> Result<(), String> {
    let (dt, min, max) = (case.number("dt")?, case.number("w_min")?, case.number("w_max")?);
    let trace = |tau: &str, jump: &str| -> Result<Trace, String> {
        let steps = case.number(tau)? / dt;
        Ok(Trace::linear(steps).with_jump(Jump::Add(case.number(jump)? / steps)))
    };
    let dependence = match case.text("algorithm")? {
        "additive" => Dependence::None,
        "multiplicative_pow" => Dependence::Soft { min, max, exponent: case.number("mu")? },
        other => return Err(format!("hyper.algorithm: {other}")),
    };
    let pairs = Pairs::new(1.0, 1.0, case.number("eta_plus")?, case.number("eta_minus")?)
        .with_traces(trace("tau_pre", "a_pre")?, trace("tau_post", "a_post")?)
        .with_dependence(dependence);
    let bounds = if case.flag("hardbound")? { Bounds::Hard { min, max } } else { Bounds::None };
    with_layer(case, Stepped(case, Teaching { bounds, ..Teaching::new(pairs) }))
}

pub(super) fn ngclearn_dense(case: &Case) -> Result<(), String> {
    let max = case.number("w_bound")?;
    let dependence = Dependence::Soft { min: 0.0, max, exponent: case.number("mu")? };
    ngclearn(case, dependence, Bounds::Hard { min: 0.0, max })
}

pub(super) fn ngclearn_convolution(case: &Case) -> Result<(), String> {
    const MARGIN: f64 = 0.01;
    let max = case.number("w_bound")? - MARGIN;
    ngclearn(case, Dependence::None, Bounds::Hard { min: MARGIN, max })
}

fn ngclearn(case: &Case, dependence: Dependence, bounds: Bounds) -> Result<(), String> {
    let trace = |tau: &str| -> Result<Trace, String> {
        let tau = case.number(tau)?;
        Ok(match case.text("trace")? {
            "lin" => Trace::linear(tau),
            "exp" => Trace::exponential(tau),
            "gated" => Trace::exponential(tau).with_jump(Jump::Set),
            other => return Err(format!("hyper.trace: {other}")),
        })
    };
    let pairs = Pairs::new(1.0, 1.0, case.number("A_plus")?, case.number("A_minus")?)
        .with_traces(trace("tau_pre")?, trace("tau_post")?)
        .with_dependence(dependence);
    let (rate, target) = (case.number("lr")?, case.number("x_tar")?);
    with_layer(case, Stepped(case, Teaching { pairs, bounds, rate, target }))
}

pub(super) fn bindsnet(case: &Case) -> Result<(), String> {
    let (dt, min, max) = (case.number("dt")?, case.number("w_min")?, case.number("w_max")?);
    let jump = match case.text("trace")? {
        "set" => Jump::Set,
        "add" => Jump::Add(1.0),
        other => return Err(format!("hyper.trace: {other}")),
    };
    let trace = |tau: &str| -> Result<Trace, String> {
        Ok(Trace::exponential(case.number(tau)? / dt).with_jump(jump))
    };
    let pairs = Pairs::new(1.0, 1.0, case.number("nu_post")?, case.number("nu_pre")?)
        .with_traces(trace("tau_pre")?, trace("tau_post")?);
    with_layer(case, Stepped(case, Teaching { bounds: Bounds::Hard { min, max }, ..Teaching::new(pairs) }))
}

pub(super) fn fold_identity(case: &Case) -> Result<(), String> {
    let trace = match case.text("trace")? {
        "linear" => Trace::linear,
        "exp" => Trace::exponential,
        other => return Err(format!("hyper.trace: {other}")),
    };
    let pairs = Pairs::new(1.0, 1.0, case.number("a_plus")?, case.number("a_minus")?)
        .with_traces(trace(case.number("tau_pre")?), trace(case.number("tau_post")?));
    with_layer(case, Fixed(case, Teaching::new(pairs)))
}

/// Both trains of a case, with their traces compared.
fn trains<const X: usize>(case: &Case, pairs: &Pairs) -> Result<[Train<X>; 2], String> {
    let [pre, post] = [case.train::<X>("s_pre")?, case.train::<X>("s_post")?];
    let along = Traces::along(pairs, &pre, &post).map_err(|error| error.to_string())?;
    case.compare("trace_pre", along.pre.into_data())?;
    case.compare("trace_post", along.post.into_data())?;
    let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
    let mut steps = [vec![], vec![]];
    for t in 0..pre.steps() {
        traces = traces.step(pairs, pre.at(t), post.at(t));
        steps[0].push(traces.pre.clone());
        steps[1].push(traces.post.clone());
    }
    let [before, after] = steps;
    case.compare_stacked("trace_pre", before)?;
    case.compare_stacked("trace_post", after)?;
    Ok([pre, post])
}

/// Weights that are fixed over the stimulus.
struct Fixed<'a>(&'a Case, Teaching);

impl Task for Fixed<'_> {
    fn on<const X: usize>(self, layer: impl Subject<X>) -> Result<(), String> {
        let Self(case, teaching) = self;
        let [pre, post] = trains::<X>(case, &teaching.pairs)?;
        let rule = teaching.rule();
        let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
        let mut steps = Vec::new();
        for t in 0..pre.steps() {
            traces = traces.step(&teaching.pairs, pre.at(t), post.at(t));
            steps.push(delta(&layer, &rule, Signals::none(), |layer| {
                layer.learn_from(traces.pre.clone(), post.at(t), Span::potentiation(1));
                layer.learn_from(pre.at(t), traces.post.clone(), Span::depression(1));
            })?);
        }
        case.compare("dw_t", end_to_end(steps))?;
        let whole = delta(&layer, &rule, Signals::none(), |layer| {
            layer.learn_from(pre.values(), post.values(), pre.span());
        })?;
        case.compare("dw", whole)?;
        if !case.has("dw_folded") {
            return Ok(());
        }
        let folded = fold(&teaching.pairs, &pre, &post).map_err(|error| error.to_string())?;
        case.compare("fold_input", folded.input.clone().into_data())?;
        case.compare("fold_coef", folded.coefficients.clone().into_data())?;
        let sum = Rule::hebb().with_reduction(Reduction::Sum);
        let folded = delta(&layer, &sum, Signals::none(), |layer| {
            layer.learn_from(folded.input, folded.coefficients, Span::trains(1));
        })?;
        case.compare("dw_folded", folded)
    }
}

/// Weights that change at every step.
struct Stepped<'a>(&'a Case, Teaching);

impl Task for Stepped<'_> {
    fn on<const X: usize>(self, mut layer: impl Subject<X>) -> Result<(), String> {
        let Self(case, teaching) = self;
        let Teaching { pairs, rate, target, .. } = &teaching;
        let [pre, post] = trains::<X>(case, pairs)?;
        let rule = teaching.rule();
        let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
        let (mut deltas, mut weights) = (Vec::new(), Vec::new());
        for t in 0..pre.steps() {
            let next = traces.clone().step(pairs, pre.at(t), post.at(t));
            deltas.push(delta(&layer, &rule, Signals::none(), |layer| {
                layer.learn_from(next.pre.clone().sub_scalar(*target), post.at(t), Span::potentiation(1));
                layer.learn_from(pre.at(t), next.post.clone(), Span::depression(1));
            })?);
            (layer, traces) = step(layer, &rule, *rate, Signals::none(), |layer| {
                learn_step(layer, pairs, traces.clone(), pre.at(t), post.at(t), *target)
            })?;
            weights.push(layer.weight());
        }
        if case.has("dw_t") {
            case.compare("dw_t", end_to_end(deltas))?;
        }
        if case.has("w_normalized") {
            let last: Vec<f32> = weights.last().into_iter().flat_map(|w| w.iter::<f32>()).collect();
            let dims: [usize; 2] = case.shape("w")?.try_into().map_err(|_| "w: no matrix".to_string())?;
            let last = Tensor::<2>::from_data(TensorData::new(last, dims), &super::case::device());
            case.compare("w_normalized", stdp::normalized(last, case.number("norm")?).into_data())?;
        }
        case.compare("w_t", end_to_end(weights))
    }
}

/// Tensors one after the other.
pub(super) fn end_to_end(parts: Vec<TensorData>) -> TensorData {
    let values: Vec<f64> = parts.iter().flat_map(|part| part.iter::<f64>()).collect();
    let len = values.len();
    TensorData::new(values, [len])
}
