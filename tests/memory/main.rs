//! What a fully local network keeps in memory: nothing for a backward pass.
//!
//! A binary of its own: it counts what the whole process allocates.

use std::process::ExitCode;

use burn::{
    module::Module,
    nn::{
        LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{optim::Updates, prelude::*};
use libtest_mimic::{Arguments, Failed, Trial};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Channels of every layer, and height and width of its images: an output is 14 times the size of a weight.
const CHANNELS: usize = 8;
const SIDE: usize = 16;
const IMAGES: usize = 4;

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("memory_of_local_layers_does_not_grow_with_depth", does_not_grow_with_depth),
        Trial::test(
            "memory_of_a_fused_pass_is_that_of_weights_and_tiles",
            fused_pass_keeps_weights_and_tiles,
        ),
        Trial::test("memory_of_a_linear_layer_has_no_sums", linear_layer_has_no_sums),
    ];
    // one at a time: they count the same bytes
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
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

    /// Nothing between the layers, which would keep something for itself.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

/// Bytes of one layer's output.
const OUTPUT: f64 = (IMAGES * CHANNELS * SIDE * SIDE * 4) as f64;

/// Bytes of one layer's weight.
const WEIGHT: f64 = (CHANNELS * CHANNELS * 9 * 4) as f64;

/// The bytes by which one forward pass's peak is above what was there before.
fn peak(plan: &Plan, depth: usize, device: &Device) -> Result<f64, Failed> {
    let (net, plan) = plan.bind(Chain::new(depth, device))?;
    let x = Tensor::ones([IMAGES, CHANNELS, SIDE, SIDE], device).require_grad();
    // threads and their scratch are there after a first pass
    drop(plan.observe(&net, Signals::none(), |net| net.forward(x.clone()))?);
    let before = MEMORY.current_usage() as f64;
    MEMORY.reset_peak_usage();
    let pass = plan.observe(&net, Signals::none(), |net| net.forward(x.clone()))?;
    let peak = MEMORY.peak_usage() as f64 - before;
    drop(pass);
    Ok(peak)
}

/// What each of 90 more layers adds to the peak, in bytes.
fn each_layer_adds(plan: &Plan) -> Result<f64, Failed> {
    let device = Device::flex().autodiff();
    Ok((peak(plan, 100, &device)? - peak(plan, 10, &device)?) / 90.0)
}

/// On an autodiff device and with an input that requires gradients, a local layer adds the sums that it learns from,
/// about the size of its weight, and nothing of the size of an output: not where it blocks gradients, and not where it
/// passes them on. The layer that backprop trains keeps its input.
fn does_not_grow_with_depth() -> Result<(), Failed> {
    let local = |training| Plan::new().local(".*", training);
    let swta = || LocalTraining::new(Rule::swta());
    let blocked = each_layer_adds(&local(swta()))?;
    let passing = each_layer_adds(&local(swta().passing_gradients()))?;
    let backprop = each_layer_adds(&Plan::new())?;
    for (name, bytes) in [("blocked", blocked), ("passing", passing), ("backprop", backprop)] {
        println!("{name}: each layer adds {:.2} weights, {:.3} outputs", bytes / WEIGHT, bytes / OUTPUT);
    }
    assert!(blocked < 3.0 * WEIGHT, "{blocked} bytes, a weight has {WEIGHT}");
    assert!(passing < 3.0 * WEIGHT + 0.1 * OUTPUT, "{passing} bytes, a weight has {WEIGHT}");
    assert!(backprop > 0.8 * OUTPUT, "{backprop} bytes, an output has {OUTPUT}");
    Ok(())
}

/// Beyond its output, a fused pass needs reordered weights and, for every thread, sums and a tile: nothing that grows with
/// the images.
fn fused_pass_keeps_weights_and_tiles() -> Result<(), Failed> {
    const NEURONS: usize = 96;
    const SIDE: usize = 24;
    let device = Device::flex();
    let conv = Conv2dConfig::new([CHANNELS, NEURONS], [3, 3]).with_bias(false).init(&device);
    let (layer, plan) = Plan::new().bind(Local::new(conv).with_rule(Rule::swta()))?;
    let beyond_output = |images: usize| -> Result<f64, Failed> {
        let x: Tensor<4> = Tensor::ones([images, CHANNELS, SIDE, SIDE], &device);
        drop(plan.observe(&layer, Signals::none(), |layer| layer.forward(x.clone()))?);
        let before = MEMORY.current_usage() as f64;
        MEMORY.reset_peak_usage();
        let pass = plan.observe(&layer, Signals::none(), |layer| layer.forward(x.clone()))?;
        let output = pass.0.dims().iter().product::<usize>() as f64 * 4.0;
        Ok(MEMORY.peak_usage() as f64 - before - output)
    };
    let threads = std::thread::available_parallelism()?.get() as f64;
    let weight = (NEURONS * CHANNELS * 9 * 4) as f64;
    let (few, many) = (beyond_output(8)?, beyond_output(64)?);
    println!("beyond the output: {:.2} MB for 8 images, {:.2} MB for 64", few / 1e6, many / 1e6);
    let bound = (2.0 + threads) * weight + threads * 1e6;
    assert!(many < bound, "{many} bytes beyond the output, {bound} allowed");
    // a slice of the output for every neuron of every image
    assert!(many - few < 56.0 * NEURONS as f64 * 40.0, "{few} bytes for 8 images, {many} for 64");
    Ok(())
}

/// On few images, a linear layer keeps what its sums are made from, and the step makes them while it changes the weights:
/// nothing of their size is there beside them, be it one batch or several.
fn linear_layer_has_no_sums() -> Result<(), Failed> {
    const SIZE: usize = 1024;
    let device = Device::flex();
    let weight = (SIZE * SIZE * 4) as f64;
    for rule in [Rule::swta(), Rule::sanger()] {
        let linear = LinearConfig::new(SIZE, SIZE).with_bias(false).init(&device);
        let plan = Plan::new().local(".*", rule.clone());
        let (mut layer, mut optim) = plan.init(Local::new(linear), SgdConfig::new())?;
        let x: Tensor<2> = Tensor::ones([8, SIZE], &device);
        for batches in [1, 1, 3] {
            let before = MEMORY.current_usage() as f64;
            MEMORY.reset_peak_usage();
            let batch = || -> Result<Updates, Failed> {
                let seen = optim.observe(&layer, Signals::none(), |layer| layer.forward(x.clone()))?.1;
                Ok(seen.local_only())
            };
            let mut updates = batch()?;
            for _ in 1..batches {
                updates = updates.merge(batch()?)?;
            }
            layer = optim.step(1e-6, layer, updates)?;
            let peak = MEMORY.peak_usage() as f64 - before;
            println!("{rule:?}, {batches} batches: {:.3} weights", peak / weight);
            assert!(peak < 0.3 * weight, "{peak} bytes, a weight has {weight}");
        }
    }
    Ok(())
}
