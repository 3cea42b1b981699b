//! Training steps of whole networks: all layers Hebbian, against backprop.
//!
//! `cargo bench -p burn-hebbian-benches --bench networks [-- ROUNDS [NAME [TRAINING]]]`: medians of so many rounds (5), for
//! the networks and the trainings whose names contain these. What is compared with backprop is compared with the first row.

use std::cell::RefCell;

use burn_hebbian::{
    lab::models::{DenseNet, ResNet, SixLayer, Vgg},
    prelude::*,
    rules::Activation,
};
use burn_hebbian_benches::{
    alternatives::medians,
    memory::{megabytes, peak_of},
    networks::{Backprop, Hebbian, Network},
};

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let rounds = arguments.first().map_or(5, |rounds| rounds.parse().expect("a number of rounds"));
    let [name, training] = [1, 2].map(|place| arguments.get(place).cloned().unwrap_or_default());
    println!("flex (rayon, simd), {threads} threads, medians of {rounds} rounds");
    println!(
        "backprop: all layers, γ and β; forward pass, cross-entropy, backward pass, SGD (autodiff, convolutions by their own gradients)"
    );
    println!(
        "Hebbian: every layer by the rule, the classifier as teacher neurons, γ, β and biases frozen, running"
    );
    println!("statistics of batch norm kept; forward pass, finish, SGD (plain device, no autodiff)");
    println!("Hebbian convolutions: the same with the hidden linear layers frozen");
    println!("forward pass alone: batch norm by its running statistics, as in inference");
    println!("memory: the peak of a step beyond weights and images, in MB");
    println!("\n| network, images | training | ms | backprop / it | memory | backprop / it |");
    println!("|---|---|---|---|---|---|");
    compare::<SixLayer>(rounds, &name, &training);
    compare::<ResNet>(rounds, &name, &training);
    compare::<DenseNet>(rounds, &name, &training);
    compare::<Vgg>(rounds, &name, &training);
}

/// What a row of the table measures.
type Step = Box<dyn Fn()>;

fn compare<N: Network + 'static>(rounds: usize, name: &str, training: &str) {
    if !N::NAME.contains(name) {
        return;
    }
    let steps = steps::<N>().into_iter().filter(|(what, _)| what.contains(training));
    let (names, steps): (Vec<_>, Vec<Step>) = steps.unzip();
    let times = medians(rounds, &steps);
    let peaks: Vec<_> = steps.iter().map(|step| megabytes(peak_of(step))).collect();
    let [n, channels, height, width] = N::IMAGES;
    for ((what, time), peak) in names.iter().zip(&times).zip(&peaks) {
        let ratios = [times[0] / time, peaks[0] / peak];
        println!(
            "| {} {n}×{channels}×{height}×{width} | {what} | {:.1} | {:.2} | {peak:.1} | {:.2} |",
            N::NAME,
            time * 1e3,
            ratios[0],
            ratios[1]
        );
    }
}

/// Backprop first; the others are compared with it.
fn steps<N: Network + 'static>() -> Vec<(String, Step)> {
    let backprop = RefCell::new(Backprop::<N>::new());
    let forward = Hebbian::<N>::new(&N::plan(Rule::swta()));
    let mut steps: Vec<(String, Step)> = vec![
        ("backprop".into(), Box::new(move || backprop.borrow_mut().step())),
        ("forward pass alone".into(), Box::new(move || drop(forward.forward()))),
    ];
    let rules = [("SWTA", Rule::swta()), ("HPCA", Rule::hpca(Activation::Relu)), ("Hebb", Rule::hebb())];
    for (name, rule) in rules {
        steps.push((format!("Hebbian, {name}"), hebbian::<N>(&N::plan(rule))));
    }
    if let Some(plan) = N::plan_of_convolutions(Rule::swta()) {
        steps.push(("Hebbian convolutions, SWTA".into(), hebbian::<N>(&plan)));
    }
    steps
}

fn hebbian<N: Network + 'static>(plan: &Plan) -> Step {
    let training = RefCell::new(Hebbian::<N>::new(plan));
    Box::new(move || training.borrow_mut().step())
}
