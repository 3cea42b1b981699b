//! Forward pass, local steps and backprop of single layers, and the per-patch update.
//!
//! `cargo bench -p burn-hebbian-benches --bench layers`; the batch is 64, but 1 for the per-patch form.

use burn::tensor::{Device, Tensor};
use burn_hebbian::prelude::*;
use burn_hebbian_benches::{
    per_patch,
    shapes::{SIX_LAYER_NET, Shape},
};
use divan::Bencher;

/// Images a step.
const BATCH: usize = 64;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("flex (rayon, simd), {threads} threads, batch {BATCH}");
    divan::main();
}

#[divan::bench(args = SIX_LAYER_NET)]
fn forward_batch64(bencher: Bencher, shape: Shape) {
    let device = Device::flex();
    let (conv, x) = (shape.conv(&device), shape.input(BATCH, &device));
    bencher.bench_local(|| conv.forward(x.clone()));
}

/// Forward pass, update and `finish`, up to the gradient that the optimizer takes.
fn local_step(bencher: Bencher, shape: Shape, batch: usize, rule: Rule) {
    let device = Device::flex();
    let layer = Local::new(shape.conv(&device)).with_rule(rule);
    let (plan, x) = (Plan::new(), shape.input(batch, &device));
    bencher.bench_local(|| {
        let observed = plan.observe(&layer, Signals::none(), || layer.forward(x.clone()));
        let (output, updates) = observed.expect("the rule fits");
        (output, plan.finish(layer.clone(), updates.into_grads(&layer)).expect("finite"))
    });
}

#[divan::bench(args = SIX_LAYER_NET)]
fn forward_and_hebb_batch64(bencher: Bencher, shape: Shape) {
    local_step(bencher, shape, BATCH, Rule::hebb());
}

#[divan::bench(args = SIX_LAYER_NET)]
fn forward_and_swta_batch64(bencher: Bencher, shape: Shape) {
    local_step(bencher, shape, BATCH, Rule::swta());
}

#[divan::bench(args = SIX_LAYER_NET)]
fn forward_and_hard_wta_batch64(bencher: Bencher, shape: Shape) {
    local_step(bencher, shape, BATCH, Rule::hard_wta());
}

#[divan::bench(args = SIX_LAYER_NET)]
fn forward_and_hpca_batch64(bencher: Bencher, shape: Shape) {
    local_step(bencher, shape, BATCH, Rule::hpca(Activation::Relu));
}

/// Forward and backward pass with gradients of weight and input, as inside a network.
#[divan::bench(args = SIX_LAYER_NET)]
fn forward_and_backprop_batch64(bencher: Bencher, shape: Shape) {
    let device = Device::flex().autodiff();
    let (conv, x) = (shape.conv(&device), shape.input(BATCH, &device).require_grad());
    let seed: Tensor<4> = conv.forward(x.clone()).inner();
    bencher.bench_local(|| {
        let y = conv.forward(x.clone());
        let grads = (y * seed.clone()).sum().backward();
        (conv.weight.val().grad(&grads), x.grad(&grads))
    });
}

#[divan::bench(args = SIX_LAYER_NET)]
fn forward_and_swta_batch1(bencher: Bencher, shape: Shape) {
    local_step(bencher, shape, 1, Rule::swta());
}

/// Forward pass and update with one difference per patch and neuron.
#[divan::bench(args = SIX_LAYER_NET)]
fn per_patch_swta_batch1(bencher: Bencher, shape: Shape) {
    let device = Device::flex();
    let (conv, x) = (shape.conv(&device), shape.input(1, &device));
    bencher.bench_local(|| (conv.forward(x.clone()), per_patch::swta(x.clone(), conv.weight.val())));
}
