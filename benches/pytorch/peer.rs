//! The Rust side of the comparison with PyTorch: layers that stay loaded, and a line protocol.
//!
//! `cargo run --release -p burn-hebbian-benches --bin peer [-- cuda]`; one request a line, one answer a line:
//!
//! | request | answer |
//! |---|---|
//! | `info` | what computes here |
//! | `load FILE STRIDE PADDING` | `ok`; FILE holds `x` and `weight`, both of rank 4, or of rank 2 for a linear layer |
//! | `delta WORK FILE` | `ok`; FILE now holds `delta`, an ascent step in the weight's shape |
//! | `time WORK REPEATS` | seconds of the last of these steps; the others warm up |
//! | `net NAME WEIGHTS BATCH` | `ok`; a network of torchvision's with the weights of a state dict; BATCH holds `x` and `y` |
//! | `apart RULE RATE WEIGHTS` | how far its weights after a step are from these, of a layer's largest, and of which layer |
//! | `peak RULE` | bytes of a step at its peak, beyond weights and images |
//! | `whiten FOLDER` | seconds of the fit; FOLDER now holds the whitening of its training images |
//! | `protocol NAME FOLDER WEIGHTS` | seconds by phase; from a state dict of PyTorch's, on `FOLDER/train` and `FOLDER/test` |
//! | `outcome FILE` | `ok`; FILE now holds what the protocol learned, and features of all images |
//!
//! `time` is of whichever was loaded last. WORK is `forward`, `gradient` (the weight gradient alone), `backprop`, or a rule: `hebb`, `swta`, `hpca`. A request
//! that fails is answered by `error` and the reason.

mod net;
mod protocol;
mod weights;

use std::{
    fs,
    io::{self, BufRead, Write},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use burn::{
    module::{Module, Param},
    nn::{
        Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{nn::Trainable, prelude::*, rules::Activation};
use net::Training;
use protocol::Outcome;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// The learning rate of backprop's descent: small, so that no value leaves the range of numbers.
const RATE: f64 = 1e-6;

fn main() -> Result<()> {
    let device = device(std::env::args().nth(1).as_deref().unwrap_or("cpu"))?;
    let mut loaded = Loaded::Nothing;
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?, &device, &mut loaded);
        println!("{}", answer.unwrap_or_else(|error| format!("error {error:#}")));
        io::stdout().flush()?;
    }
    Ok(())
}

fn device(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(0)),
        _ => bail!("no device `{name}` in this build"),
    }
}

/// What a request is about.
enum Loaded {
    Nothing,
    Layer(Box<dyn Work>),
    Net(Box<dyn Training>),
    Outcome(Outcome),
}

fn answer(line: &str, device: &Device, loaded: &mut Loaded) -> Result<String> {
    match (&line.split_whitespace().collect::<Vec<_>>()[..], &*loaded) {
        (["info"], _) => return Ok(info(device)),
        (["load", file, stride, padding], _) => {
            let layer = load(Path::new(file), stride.parse()?, padding.parse()?, device)?;
            *loaded = Loaded::Layer(layer);
        }
        (["net", name, weights, batch], _) => *loaded = Loaded::Net(network(name, weights, batch, device)?),
        (["whiten", folder], _) => return Ok(protocol::whiten(Path::new(folder))?.to_string()),
        (["protocol", name, folder, weights], _) => {
            *loaded = Loaded::Nothing; // frees what the last one left
            let outcome = protocol::run(name, Path::new(folder), Path::new(weights))?;
            let phases = outcome.phases.to_string();
            *loaded = Loaded::Outcome(outcome);
            return Ok(phases);
        }
        (["outcome", file], Loaded::Outcome(outcome)) => outcome.save(Path::new(file))?,
        (["delta", work, file], Loaded::Layer(layer)) => save(Path::new(file), &layer.delta(work)?)?,
        (["time", work, repeats], Loaded::Layer(layer)) => {
            return Ok(layer.seconds(work, repeats.parse()?)?.to_string());
        }
        (["time", work, repeats], Loaded::Net(net)) => {
            return Ok(net.seconds(work, repeats.parse()?)?.to_string());
        }
        (["peak", work], Loaded::Net(net)) => return Ok(net.peak(work)?.to_string()),
        (["apart", work, rate, weights], Loaded::Net(net)) => {
            let (apart, layer) = net.apart(work, rate.parse()?, Path::new(weights))?;
            return Ok(format!("{apart} {layer}"));
        }
        _ => bail!("unknown request `{line}`, or nothing is loaded for it"),
    }
    Ok("ok".into())
}

fn network(name: &str, weights: &str, batch: &str, device: &Device) -> Result<Box<dyn Training>> {
    let bytes = fs::read(batch).with_context(|| batch.to_string())?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let labels: Tensor<1> = tensor(&tensors.tensor("y")?, device)?;
    net::load(name, Path::new(weights), tensor(&tensors.tensor("x")?, device)?, labels.int())
}

fn info(device: &Device) -> String {
    format!("burn-hebbian {}, {device:?}, {} threads", env!("CARGO_PKG_VERSION"), threads())
}

fn threads() -> usize {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|threads| threads.parse().ok());
    threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1)
}

/// A layer with its batch, whatever its rank.
trait Work {
    /// The ascent step of a rule or of backprop, row by row.
    fn delta(&self, work: &str) -> Result<TensorData>;

    /// The seconds of the last of some steps; the others warm up.
    fn seconds(&self, work: &str, repeats: usize) -> Result<f64>;
}

/// How a layer type computes what its name does not say.
struct Calls<L, const D: usize> {
    forward: fn(&Local<L>, Tensor<D>) -> Tensor<D>,
    gradient: fn(&Local<L>, Tensor<D>, Tensor<D>) -> Tensor<D>,
    weight: fn(&L) -> &Param<Tensor<D>>,
}

/// A layer, its batch, and its responses, which stand for the gradient that comes from above.
struct Layer<L, const D: usize> {
    local: Local<L>,
    x: Tensor<D>,
    responses: Tensor<D>,
    calls: Calls<L, D>,
    device: Device,
}

/// What a step leaves: the output, and an ascent step if there is one.
type Step<'a, const D: usize> = Box<dyn Fn() -> (Tensor<D>, Option<Tensor<D>>) + 'a>;

impl<L: Trainable + 'static, const D: usize> Layer<L, D> {
    fn new(layer: L, x: Tensor<D>, calls: Calls<L, D>, device: &Device) -> Self {
        let local = Local::new(layer);
        let responses = (calls.forward)(&local, x.clone());
        Self { local, x, responses, calls, device: device.clone() }
    }

    fn step(&self, work: &str) -> Result<Step<'_, D>> {
        Ok(match work {
            "forward" => Box::new(|| ((self.calls.forward)(&self.local, self.x.clone()), None)),
            "gradient" => Box::new(|| {
                let delta = (self.calls.gradient)(&self.local, self.x.clone(), self.responses.clone());
                (self.responses.clone(), Some(delta))
            }),
            "backprop" => self.backprop(),
            "hebb" => self.learning(Rule::hebb()),
            "swta" => self.learning(Rule::swta()),
            "hpca" => self.learning(Rule::hpca(Activation::Relu)),
            _ => bail!("unknown work `{work}`"),
        })
    }

    /// Forward pass, update and `finish`, up to the gradient that an optimizer takes.
    fn learning(&self, rule: Rule) -> Step<'_, D> {
        let (layer, plan) = Plan::new().bind(self.local.clone().with_rule(rule)).expect("the rule fits");
        Box::new(move || {
            let forward = |layer: &Local<L>| (self.calls.forward)(layer, self.x.clone());
            let (output, seen) = plan.observe(&layer, Signals::none(), forward).expect("the layer is bound");
            let (_, mut grads) = plan.finish(layer.clone(), seen.local_only()).expect("finite sums");
            let descent = grads.remove::<D>((self.calls.weight)(layer.layer()).id);
            (output, descent.map(Tensor::neg))
        })
    }

    /// Forward and backward pass with gradients of weight and input, and a descent of the weight.
    fn backprop(&self) -> Step<'_, D> {
        let local = self.local.clone().train();
        let x = Tensor::from_inner(self.x.clone()).require_grad();
        Box::new(move || {
            let output = (self.calls.forward)(&local, x.clone());
            let loss = output.clone() * Tensor::from_inner(self.responses.clone());
            let grads = loss.sum().backward();
            let weight = (self.calls.weight)(local.layer()).val();
            let gradient = weight.grad(&grads).expect("the weight is in the graph");
            let _descended = weight.inner() - gradient.clone().mul_scalar(RATE);
            let _passed_on = x.grad(&grads).expect("the input is in the graph");
            (output.inner(), Some(gradient))
        })
    }

    fn synchronized(&self) -> Result<Instant> {
        self.device.sync().context("the device does not answer")?;
        Ok(Instant::now())
    }
}

impl<L: Trainable + 'static, const D: usize> Work for Layer<L, D> {
    fn delta(&self, work: &str) -> Result<TensorData> {
        let (_, delta) = self.step(work)?();
        let delta = delta.with_context(|| format!("`{work}` changes no weight"))?;
        Ok(delta.into_data())
    }

    fn seconds(&self, work: &str, repeats: usize) -> Result<f64> {
        let step = self.step(work)?;
        (1..repeats).for_each(|_| drop(step()));
        let start = self.synchronized()?;
        drop(step());
        Ok((self.synchronized()? - start).as_secs_f64())
    }
}

/// A convolution, or a linear layer if its tensors are matrices.
fn load(file: &Path, stride: usize, padding: usize, device: &Device) -> Result<Box<dyn Work>> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let (x, weight) = (tensors.tensor("x")?, tensors.tensor("weight")?);
    Ok(match weight.shape().len() {
        2 => Box::new(linear(tensor(&x, device)?, tensor(&weight, device)?, device)),
        4 => Box::new(convolution(tensor(&x, device)?, tensor(&weight, device)?, stride, padding, device)),
        rank => bail!("a weight of rank {rank}"),
    })
}

fn convolution(
    x: Tensor<4>,
    weight: Tensor<4>,
    stride: usize,
    padding: usize,
    device: &Device,
) -> Layer<Conv2d, 4> {
    let [neurons, channels, height, width] = weight.dims();
    let mut conv = Conv2dConfig::new([channels, neurons], [height, width])
        .with_stride([stride; 2])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_bias(false)
        .init(device);
    conv.weight = Param::from_tensor(weight);
    let calls = Calls {
        forward: Local::<Conv2d>::forward,
        gradient: Local::<Conv2d>::correlate,
        weight: |conv| &conv.weight,
    };
    Layer::new(conv, x, calls, device)
}

/// The weight is `[fan-in, neurons]`.
fn linear(x: Tensor<2>, weight: Tensor<2>, device: &Device) -> Layer<Linear, 2> {
    let [fan_in, neurons] = weight.dims();
    let mut linear = LinearConfig::new(fan_in, neurons).with_bias(false).init(device);
    linear.weight = Param::from_tensor(weight);
    let calls = Calls {
        forward: Local::<Linear>::forward,
        gradient: |_, x, coefficients| x.transpose().matmul(coefficients),
        weight: |linear| &linear.weight,
    };
    Layer::new(linear, x, calls, device)
}

fn tensor<const D: usize>(view: &TensorView<'_>, device: &Device) -> Result<Tensor<D>> {
    ensure!(view.dtype() == Dtype::F32, "expected f32, got {:?}", view.dtype());
    ensure!(view.shape().len() == D, "expected rank {D}, got the shape {:?}", view.shape());
    let numbers =
        view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let data = TensorData::new(numbers.collect::<Vec<f32>>(), view.shape().to_vec());
    Ok(Tensor::from_data(data, device))
}

fn save(file: &Path, delta: &TensorData) -> Result<()> {
    let numbers: Vec<u8> = delta.iter::<f32>().flat_map(f32::to_le_bytes).collect();
    let view = TensorView::new(Dtype::F32, delta.shape().to_vec(), &numbers)?;
    safetensors::serialize_to_file([("delta", view)], None, file)?;
    Ok(())
}
