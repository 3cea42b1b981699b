//! Forward pass, local steps and backprop of single layers, and the per-patch update.
//!
//! `cargo bench -p burn-hebbian-benches --bench layers`: the six-layer net with the rules most used.
//!
//! `cargo bench -p burn-hebbian-benches --bench layers -- --ignored NAME`: every rule on the six-layer net, SoftHebb's,
//! VGG-11 and DenseNet-121; NAME is a part of what divan prints, `every_rule::oja` or `VGG`. Without it, half an hour.

use burn::tensor::{Device, Tensor};
use burn_hebbian::{prelude::*, rules::Activation};
use burn_hebbian_benches::{
    grid::{CASES, Case},
    strategies::{BenchRule, local, per_patch, setting::Setting},
};
use divan::Bencher;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("flex (rayon, simd), {threads} threads");
    divan::main();
}

/// The convolutions of the six-layer net, with so many images.
fn six_layer(batch: usize) -> Vec<Case> {
    of_nets(&["six-layer"]).into_iter().filter(|case| case.batch == batch).collect()
}

/// The convolutions of these networks.
fn of_nets(nets: &[&str]) -> Vec<Case> {
    CASES.into_iter().filter(|case| nets.contains(&case.net)).collect()
}

#[divan::bench(args = six_layer(64))]
fn forward(bencher: Bencher, case: &Case) {
    let device = Device::flex();
    let (conv, x) = (case.conv(&device), case.input(&device));
    bencher.bench_local(|| conv.forward(x.clone()));
}

/// Forward pass, update and `finish`, up to the gradient that the optimizer takes.
fn local_step(bencher: Bencher, case: &Case, rule: Rule) {
    let device = Device::flex();
    let bound = Plan::new().bind(Local::new(case.conv(&device)).with_rule(rule));
    let ((layer, plan), x) = (bound.expect("the rule fits"), case.input(&device));
    bencher.bench_local(|| local::step(&layer, &plan, x.clone()));
}

#[divan::bench(args = six_layer(64))]
fn forward_and_hebb(bencher: Bencher, case: &Case) {
    local_step(bencher, case, Rule::hebb());
}

#[divan::bench(args = six_layer(64))]
fn forward_and_swta(bencher: Bencher, case: &Case) {
    local_step(bencher, case, Rule::swta());
}

#[divan::bench(args = six_layer(64))]
fn forward_and_hard_wta(bencher: Bencher, case: &Case) {
    local_step(bencher, case, Rule::hard_wta());
}

#[divan::bench(args = six_layer(64))]
fn forward_and_hpca(bencher: Bencher, case: &Case) {
    local_step(bencher, case, Rule::hpca(Activation::Relu));
}

/// Forward and backward pass with gradients of weight and input, as inside a network.
#[divan::bench(args = six_layer(64))]
fn forward_and_backprop(bencher: Bencher, case: &Case) {
    let device = Device::flex().autodiff();
    let (conv, x) = (case.conv(&device), case.input(&device).require_grad());
    let seed: Tensor<4> = conv.forward(x.clone()).inner();
    bencher.bench_local(|| {
        let y = conv.forward(x.clone());
        let grads = (y * seed.clone()).sum().backward();
        (conv.weight.val().grad(&grads), x.grad(&grads))
    });
}

#[divan::bench(args = six_layer(1))]
fn forward_and_swta_of_one_image(bencher: Bencher, case: &Case) {
    local_step(bencher, case, Rule::swta());
}

/// Forward pass and update with one difference per patch and neuron.
#[divan::bench(args = six_layer(1), sample_count = 10)]
fn forward_and_swta_per_patch_of_one_image(bencher: Bencher, case: &Case) {
    let setting = Setting::new(*case, BenchRule::Swta);
    bencher.bench_local(|| {
        let dot = setting.chosen.forward(setting.x.clone());
        let patches = setting.patches();
        let teaching = setting.teach(&patches);
        (dot, teaching.finish(per_patch(&patches, &teaching, &setting.w, patches.count())))
    });
}

/// A bench for each preset that any convolution can learn by.
macro_rules! every_rule {
    ($($name:ident: $rule:expr;)*) => {
        mod every_rule {
            use super::*;

            /// SoftHebb's net has ten images, VGG-11 two and DenseNet-121 four of 224 × 224 pixels.
            fn cases() -> Vec<Case> {
                of_nets(&["six-layer", "SoftHebb", "VGG-11", "DenseNet-121"])
            }

            $(
                #[divan::bench(args = cases(), sample_count = 10, ignore)]
                fn $name(bencher: Bencher, case: &Case) {
                    local_step(bencher, case, $rule);
                }
            )*
        }
    };
}

every_rule! {
    hebb: Rule::hebb();
    oja: Rule::oja();
    subspace: Rule::subspace();
    hpca: Rule::hpca(Activation::Relu);
    hpca_adaptive: Rule::hpca_adaptive();
    instar: Rule::instar();
    outstar: Rule::outstar();
    hard_wta: Rule::hard_wta();
    k_wta: Rule::k_wta(5);
    abstaining_wta: Rule::abstaining_wta(0);
    surround_wta: Rule::surround_wta();
    swta: Rule::swta();
    soft_hebb: Rule::soft_hebb(1.0);
    krotov: Rule::krotov(2.0, 2, 0.1);
    bcm: Rule::bcm();
}
