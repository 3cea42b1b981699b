//! Layer-parallel training against the same schedule on one thread, with all cores in both: the six-layer net, all
//! layers Hebbian.
//!
//! `cargo bench -p burn-hebbian-benches --bench pipeline`; four batches of 64 images each.

use burn::{
    optim::SgdConfig,
    tensor::{Device, Distribution, Int, Tensor},
};
use burn_hebbian::{
    lab::models::{SixLayer, SixLayerConfig},
    optim::{
        Rest,
        checkpoint::{Progress, Training},
    },
    prelude::*,
    train::{Batch, pipeline::Pipeline},
};
use divan::Bencher;

const BATCH: usize = 64;
const BATCHES: usize = 4;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("flex (rayon, simd), {threads} threads, {BATCHES} batches of {BATCH}");
    divan::main();
}

fn plan() -> Plan {
    Plan::new()
        .local("conv.*", Rule::swta())
        .local("fc5", Rule::swta())
        .local("fc6", Rule::teacher())
        .with_rest(Rest::Frozen)
}

fn training() -> Training<SixLayer> {
    let device = Device::flex();
    let net = SixLayerConfig::thesis(10).with_hebbian([true; 6]).init(&device);
    let (model, optim) = plan().init(net, SgdConfig::new()).expect("the plan fits");
    Training { progress: Progress { seed: 0, epochs: 0 }, model, optim }
}

fn pipeline(delay: usize) -> Pipeline {
    Pipeline::at_rate(0.01).with_delay(delay)
}

fn batches() -> Vec<Batch<Tensor<4>>> {
    let device = Device::flex();
    let batch = |_| Batch {
        input: Tensor::random([BATCH, 3, 32, 32], Distribution::Normal(0.0, 1.0), &device),
        targets: Tensor::<1, Int>::arange(0..BATCH as i64, &device).remainder_scalar(10),
    };
    (0..BATCHES).map(batch).collect()
}

#[divan::bench(args = [0, 1], sample_count = 20)]
fn in_turn(bencher: Bencher, delay: usize) {
    let (pipeline, batches, mut training) = (pipeline(delay), batches(), training());
    bencher.bench_local(|| {
        pipeline.train_in_turn(&mut training, batches.clone(), drop).expect("finite updates");
    });
}

#[divan::bench(args = [0, 1], sample_count = 20)]
fn parallel(bencher: Bencher, delay: usize) {
    let (pipeline, batches, mut training) = (pipeline(delay), batches(), training());
    bencher.bench_local(|| {
        pipeline.train(&mut training, batches.clone(), drop).expect("finite updates");
    });
}
