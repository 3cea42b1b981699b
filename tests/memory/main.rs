//! What a fully local network keeps in memory: nothing for a backward pass.
//!
//! A binary of its own: it counts what the whole process allocates.

use std::process::ExitCode;

use burn::{
    module::Module,
    nn::{
        PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor, activation::relu},
};
use burn_hebbian::prelude::*;
use libtest_mimic::{Arguments, Failed, Trial};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Channels of every layer, and height and width of its images: an output is 14 times the size of a weight.
const CHANNELS: usize = 8;
const SIDE: usize = 16;
const IMAGES: usize = 4;

fn main() -> ExitCode {
    let trial = Trial::test("memory_of_local_layers_does_not_grow_with_depth", does_not_grow_with_depth);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// A chain of convolutions.
#[derive(Module, Debug)]
struct Chain {
    layers: Vec<Local<Conv2d>>,
}

impl Chain {
    fn new(depth: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([CHANNELS; 2], [3, 3])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_bias(false);
        Self { layers: (0..depth).map(|_| Local::new(conv.init(device))).collect() }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| relu(layer.forward(x)))
    }
}

/// Bytes of one layer's output.
const OUTPUT: f64 = (IMAGES * CHANNELS * SIDE * SIDE * 4) as f64;

/// Bytes of one layer's weight.
const WEIGHT: f64 = (CHANNELS * CHANNELS * 9 * 4) as f64;

/// The bytes by which one step's peak is above what was there before.
fn peak(depth: usize, flow: fn(LocalTraining) -> LocalTraining, device: &Device) -> Result<f64, Failed> {
    let plan = Plan::new().local(".*", flow(LocalTraining::new(Rule::swta())));
    let net = plan.apply(Chain::new(depth, device))?;
    let x = Tensor::ones([IMAGES, CHANNELS, SIDE, SIDE], device).require_grad();
    // threads and their scratch are there after a first pass
    drop(plan.observe(&net, Signals::none(), || net.forward(x.clone()))?);
    let before = MEMORY.current_usage() as f64;
    MEMORY.reset_peak_usage();
    let learnt = plan.observe(&net, Signals::none(), || net.forward(x.clone()))?;
    let peak = MEMORY.peak_usage() as f64 - before;
    drop(learnt);
    Ok(peak)
}

/// What each of 90 more layers adds to the peak, in bytes.
fn each_layer_adds(flow: fn(LocalTraining) -> LocalTraining) -> Result<f64, Failed> {
    let device = Device::flex().autodiff();
    Ok((peak(100, flow, &device)? - peak(10, flow, &device)?) / 90.0)
}

/// Blocked, on an autodiff device and with an input that requires gradients, a layer adds the sums that it learns from,
/// about the size of its weight, and nothing of the size of an output. Passed through, it keeps its share for the
/// backward pass: the measurement sees what there is.
fn does_not_grow_with_depth() -> Result<(), Failed> {
    let blocked = each_layer_adds(|training| training)?;
    let passing = each_layer_adds(LocalTraining::passing_gradients)?;
    println!("a blocked layer adds {:.2} weights, {:.3} outputs", blocked / WEIGHT, blocked / OUTPUT);
    println!("a layer that passes gradients adds {:.2} outputs", passing / OUTPUT);
    assert!(blocked < 3.0 * WEIGHT, "{blocked} bytes, a weight has {WEIGHT}");
    assert!(passing > 0.8 * OUTPUT, "{passing} bytes, an output has {OUTPUT}");
    Ok(())
}
