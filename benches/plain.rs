//! Convolutions that no rule trains, against Burn's own: the forward pass, and forward and backward pass by backprop.
//!
//! `cargo bench -p burn-hebbian-benches --bench plain [-- ROUNDS [NAME]]`: medians of so many rounds (15), for the shapes
//! whose name contains NAME.

use burn::{
    nn::conv::Conv2d,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    nn::forms::{CorrelationForm, Forms},
    prelude::*,
};
use burn_hebbian_benches::{
    alternatives::{asked, median, medians},
    grid::{CASES, Case},
};

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (rounds, name) = asked();
    println!(
        "flex (rayon, simd), {threads} threads, medians of {rounds} rounds, in multiples of Burn's convolution"
    );
    println!("\n| | Burn's forward, ms | fused forward | chosen forward | Burn's backprop, ms | backprop |");
    println!("|---|---|---|---|---|---|");
    let mut chosen = [vec![], vec![]];
    for case in CASES.iter().filter(|case| case.to_string().contains(&name)) {
        let [burn, fused, layer] = forward(case, rounds);
        let [burn_backprop, backprop] = backward(case, rounds);
        println!(
            "| {case} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            1e3 * burn,
            fused / burn,
            layer / burn,
            1e3 * burn_backprop,
            backprop / burn_backprop,
        );
        chosen[0].push(layer / burn);
        chosen[1].push(backprop / burn_backprop);
    }
    if !chosen[0].is_empty() {
        let [forward, backprop] = chosen.map(median);
        println!("\nmedians: forward {forward:.2}, backprop {backprop:.2}");
    }
}

/// Seconds: Burn's convolution, the fused pass without a rule, and what the layer chooses.
fn forward(case: &Case, rounds: usize) -> [f64; 3] {
    let device = Device::flex();
    let (conv, x) = (case.conv(&device), case.input(&device));
    let forced = Forms { correlation: Some(CorrelationForm::Fused), ..Forms::default() };
    let fused = Local::new(conv.clone()).with_forms(forced);
    let local = Local::new(conv.clone());
    let [x1, x2, x3] = [(); 3].map(|()| x.clone());
    let alternatives: [Box<dyn Fn()>; 3] = [
        Box::new(move || drop(conv.forward(x1.clone()))),
        Box::new(move || drop(fused.forward(x2.clone()))),
        Box::new(move || drop(local.forward(x3.clone()))),
    ];
    let times = medians(rounds, &alternatives);
    [times[0], times[1], times[2]]
}

/// Seconds: forward and backward pass of Burn's convolution, and of the layer.
fn backward(case: &Case, rounds: usize) -> [f64; 2] {
    let device = Device::flex().autodiff();
    let (conv, x) = (case.conv(&device), case.input(&device).require_grad());
    let local = Local::new(conv.clone());
    let step = |forward: &dyn Fn(Tensor<4>) -> Tensor<4>, conv: &Conv2d| {
        let grads = forward(x.clone()).sum().backward();
        drop((conv.weight.val().grad(&grads), x.grad(&grads)));
    };
    let alternatives: [&dyn Fn(); 2] =
        [&|| step(&|x| conv.forward(x), &conv), &|| step(&|x| local.forward(x), local.layer())];
    let times = medians(rounds, &alternatives);
    [times[0], times[1]]
}
