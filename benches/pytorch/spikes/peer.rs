//! The Rust side of the comparison of spiking layers: a layer that stays loaded, and a line protocol.
//!
//! `cargo run --release -p burn-hebbian-benches --bin spikes_peer`; one request a line, one answer a line:
//!
//! | request | answer |
//! |---|---|
//! | `info` | what computes here |
//! | `load FILE STEPS PADDING THRESHOLD TAU_PRE TAU_POST PLUS MINUS` | `ok`; FILE holds `x`, steps × images outermost, and `weight`, both of rank 4, or of rank 2 for a linear layer |
//! | `step FILE` | `ok`; FILE now holds the `spikes` of a step and the `weight` after it |
//! | `time` | seconds of one step, after another that warms up |
//! | `peak` | bytes of a step at its peak, beyond weight and input |
//!
//! A request that fails is answered by `error` and the reason.

use std::{
    fs,
    io::{self, BufRead, Write},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use burn::{
    module::{Module, Param},
    nn::{LinearConfig, PaddingConfig2d, conv::Conv2dConfig},
    optim::SgdConfig,
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{
    lab::measure::measured,
    nn::Synapses,
    prelude::*,
    rules::{Pairs, Timing, Trace},
    spikes::{
        Train,
        neuron::{Lif, LifConfig, ResetAt},
        stdp,
    },
};
use burn_hebbian_benches as _;
use safetensors::{Dtype, SafeTensors, serialize_to_file, tensor::TensorView};

fn main() -> Result<()> {
    let mut loaded: Option<Box<dyn Work>> = None;
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?, &mut loaded);
        println!("{}", answer.unwrap_or_else(|error| format!("error {error:#}")));
        io::stdout().flush()?;
    }
    Ok(())
}

fn answer(line: &str, loaded: &mut Option<Box<dyn Work>>) -> Result<String> {
    match (&line.split_whitespace().collect::<Vec<_>>()[..], loaded) {
        (["info"], _) => {
            let threads = std::env::var("RAYON_NUM_THREADS").unwrap_or_else(|_| "all".to_string());
            return Ok(format!("burn-hebbian {}, {threads} threads", env!("CARGO_PKG_VERSION")));
        }
        (["load", file, steps, padding, rest @ ..], loaded) => {
            let numbers = rest.iter().map(|number| number.parse()).collect::<Result<Vec<f64>, _>>()?;
            *loaded = Some(load(file, steps.parse()?, padding.parse()?, &numbers)?);
        }
        (["step", file], Some(work)) => {
            let [spikes, weight] = work.step()?;
            save(file, &[("spikes", spikes), ("weight", weight)])?;
        }
        (["time"], Some(work)) => return Ok(work.seconds()?.to_string()),
        (["peak"], Some(work)) => return Ok(work.peak()?.to_string()),
        _ => bail!("unknown request `{line}`, or nothing is loaded for it"),
    }
    Ok("ok".to_string())
}

/// A layer with the spikes of its input, whatever its rank.
trait Work {
    /// The spikes of one step, and the weight after it.
    fn step(&self) -> Result<[TensorData; 2]>;

    /// The seconds of one step, after another that warms up.
    fn seconds(&self) -> Result<f64>;

    /// The bytes of one step at its peak, after another that warms up.
    fn peak(&self) -> Result<usize>;
}

/// Forward pass of all steps, integrate-and-fire neurons, STDP, and the step of the optimizer.
struct Layer<L: Module, const X: usize> {
    layer: L,
    optim: LocalOptimizer,
    neuron: Lif,
    input: Train<X>,
    weight: fn(&L) -> Tensor<X>,
}

impl<L: Module + Synapses<X> + 'static, const X: usize> Layer<L, X> {
    fn once(&self) -> Result<(Train<X>, L)> {
        let (layer, mut optim) = (self.layer.clone(), self.optim.clone());
        let pass = |layer: &L| {
            let currents = self.input.map(|input| layer.currents(input));
            let (spikes, _) = self.neuron.run(&currents, None);
            stdp::learn(layer, &self.input, &spikes).map(|()| spikes)
        };
        let (spikes, seen) = optim.observe(&layer, Signals::none(), pass)?;
        Ok((spikes?, optim.step(1.0, layer, seen.local_only())?))
    }
}

impl<L: Module + Synapses<X> + 'static, const X: usize> Work for Layer<L, X> {
    fn step(&self) -> Result<[TensorData; 2]> {
        let (spikes, layer) = self.once()?;
        Ok([spikes.values().into_data(), (self.weight)(&layer).into_data()])
    }

    fn seconds(&self) -> Result<f64> {
        drop(self.once()?);
        let start = Instant::now();
        drop(self.once()?);
        Ok(start.elapsed().as_secs_f64())
    }

    fn peak(&self) -> Result<usize> {
        drop(self.once()?);
        let ((), held) = measured(|| ());
        let (_, cost) = measured(|| self.once().map(drop));
        Ok(cost.peak_bytes.saturating_sub(held.peak_bytes))
    }
}

fn load(file: &str, steps: usize, padding: usize, numbers: &[f64]) -> Result<Box<dyn Work>> {
    let &[threshold, tau_pre, tau_post, plus, minus] = numbers else {
        bail!("expected 5 numbers, got {}", numbers.len());
    };
    let bytes = fs::read(file).with_context(|| file.to_string())?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let (x, weight) = (tensors.tensor("x")?, tensors.tensor("weight")?);
    let pairs =
        Pairs::new(1.0, 1.0, plus, minus).with_traces(Trace::linear(tau_pre), Trace::linear(tau_post));
    let rule = Rule::stdp(1.0, 1.0, plus, minus).with_timing(Timing::Pairs(pairs));
    // a spike takes the threshold off at the next step, as snnTorch has it unless told otherwise
    let neuron = LifConfig::perfect().with_threshold(threshold).with_reset_at(ResetAt::NextStep).init()?;
    let device = Device::flex();
    Ok(match weight.shape() {
        &[neurons, inputs] => {
            let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(&device);
            linear.weight = Param::from_tensor(tensor::<2>(&weight)?.transpose());
            let (layer, optim) = Plan::new().init(Local::new(linear).with_rule(rule), SgdConfig::new())?;
            let weight = |layer: &HebbianLinear| layer.layer().weight.val().transpose();
            Box::new(Layer { layer, optim, neuron, input: Train::new(tensor(&x)?, steps)?, weight })
        }
        &[neurons, channels, height, width] => {
            let mut conv = Conv2dConfig::new([channels, neurons], [height, width])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .with_bias(false)
                .init(&device);
            conv.weight = Param::from_tensor(tensor::<4>(&weight)?);
            let (layer, optim) = Plan::new().init(Local::new(conv).with_rule(rule), SgdConfig::new())?;
            let weight = |layer: &HebbianConv2d| layer.layer().weight.val();
            Box::new(Layer { layer, optim, neuron, input: Train::new(tensor(&x)?, steps)?, weight })
        }
        shape => bail!("a weight of shape {shape:?}"),
    })
}

fn tensor<const D: usize>(view: &TensorView<'_>) -> Result<Tensor<D>> {
    let (dtype, shape) = (view.dtype(), view.shape());
    anyhow::ensure!(
        dtype == Dtype::F32 && shape.len() == D,
        "expected f32 of rank {D}, got {dtype:?} {shape:?}"
    );
    let numbers =
        view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    Ok(Tensor::from_data(TensorData::new(numbers.collect::<Vec<f32>>(), shape.to_vec()), &Device::flex()))
}

fn save(file: &str, tensors: &[(&str, TensorData)]) -> Result<()> {
    let bytes = |data: &TensorData| data.iter::<f32>().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, data)| bytes(data)).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, data), bytes)| Ok((*name, TensorView::new(Dtype::F32, data.shape().to_vec(), bytes)?)));
    Ok(serialize_to_file(views.collect::<Result<Vec<_>>>()?, None, file.as_ref())?)
}
