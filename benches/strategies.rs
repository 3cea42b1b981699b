//! Strategies for the weight update, on all convolutions of four networks.
//!
//! `cargo bench -p burn-hebbian-benches --bench strategies [-- ROUNDS [NAME [RULE]]]`: medians of so many rounds (3), for
//! the networks whose name contains NAME and the rule RULE.

use std::process::ExitCode;

use burn_hebbian::lab::models::{DenseNet, ResNet, SixLayer, Vgg};
use burn_hebbian_benches::{
    memory::megabytes,
    nets::{self, Layers},
    networks::Network,
    strategies::{
        BenchRule, CHUNK_BYTES,
        measure::{Costs, STRATEGIES, TIMED_PATCHES, measure},
        setting::Setting,
    },
};

/// What all tables are made with.
struct Bench {
    rounds: usize,
    name: String,
    rule: String,
}

fn main() -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let rounds = arguments.next().map_or(3, |rounds| rounds.parse().expect("a number of rounds"));
    let [name, rule] = [(); 2].map(|()| arguments.next().unwrap_or_default());
    println!("flex (rayon, simd), {threads} threads, medians of {rounds} rounds; float32");
    explain();
    match (Bench { rounds, name, rule }).run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(difference) => {
            eprintln!("{difference}");
            ExitCode::FAILURE
        }
    }
}

fn explain() {
    println!(
        "
per patch: one [neurons, fan-in] difference after the other; {TIMED_PATCHES} patches of a layer are timed and multiplied
broadcast: patches unfolded, [patches, neurons, fan-in] differences in chunks of at most {} MiB (at least one patch); one
    chunk of a layer is timed and multiplied
product: patches unfolded, C^T X, and for HPCA the Gram matrix times W (FastHebb)
mean: the batch averaged before the product of one image: another update, which no rule of the library makes; a lower bound
gradient: the library's layer with Burn's weight gradient and the Gram matrix forced
chosen: the library's layer as it chooses by itself
update: given input and responses; of the last two the step without the forward pass
step: forward pass and update up to the gradient, no optimizer
two GEMMs: X W^T and C^T X on unfolded patches
memory: the peak of a step beyond input, weights and output, of the layer that needs most
Equal layers are timed once and multiplied. The fastest update is bold.
Before a net is timed all strategies are compared with chosen, to 1e-4 of the largest value of the update: product and
    gradient on up to 64 images with outputs of up to 56 x 56, the others on up to 2 with 4 x 4.",
        CHUNK_BYTES >> 20
    );
}

impl Bench {
    fn run(&self) -> Result<(), String> {
        self.net::<SixLayer>(&nets::six_layer())?;
        self.net::<ResNet>(&nets::resnet18())?;
        self.net::<DenseNet>(&nets::densenet121())?;
        self.net::<Vgg>(&nets::vgg11())
    }

    fn net<N: Network>(&self, layers: &Layers) -> Result<(), String> {
        if !N::NAME.contains(&self.name) {
            return Ok(());
        }
        nets::check::<N>(layers);
        let rules: Vec<_> =
            BenchRule::ALL.into_iter().filter(|rule| rule.to_string().contains(&self.rule)).collect();
        for rule in &rules {
            layers.iter().try_for_each(|(case, _)| Setting::check(*case, *rule))?;
        }
        let convolutions: usize = layers.iter().map(|(_, count)| count).sum();
        println!("\n{} {:?}, {convolutions} convolutions; all strategies agree\n", N::NAME, N::IMAGES);
        println!("| rule | strategy | update ms | / chosen | step ms | / chosen | / two GEMMs | memory MB |");
        println!("|---|---|---|---|---|---|---|---|");
        for rule in rules {
            let cost = |costs: Costs, (case, count): &_| {
                costs.with(measure(&Setting::new(*case, rule), self.rounds), *count)
            };
            rows(rule, &layers.iter().fold(Costs::default(), cost));
        }
        Ok(())
    }
}

/// One row for each strategy.
fn rows(rule: BenchRule, costs: &Costs) {
    let [.., chosen] = costs.strategies;
    let fastest = costs.strategies.iter().map(|cost| cost.update).fold(f64::INFINITY, f64::min);
    for (strategy, cost) in STRATEGIES.iter().zip(&costs.strategies) {
        let mark = if cost.update == fastest { "**" } else { "" };
        println!(
            "| {rule} | {strategy} | {mark}{:.1}{mark} | {:.2} | {:.1} | {:.2} | {:.2} | {:.1} |",
            cost.update * 1e3,
            cost.update / chosen.update,
            cost.step * 1e3,
            cost.step / chosen.step,
            cost.step / costs.products,
            megabytes(cost.memory),
        );
    }
}
