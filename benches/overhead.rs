//! What observer, plan and optimizer cost beyond the arithmetic of a step.
//!
//! `cargo bench -p burn-hebbian-benches --bench overhead [-- ROUNDS]`: medians of so many rounds (31).
//!
//! Two parts, each the difference between the step of a plan and the same arithmetic called by hand on bare tensors:
//!
//! - a layer so small that there is next to nothing to compute: what is done once a layer, whatever its size;
//! - from sums to weights in the six-layer net: what grows with the weights (packing, the check for finite values).

use std::{cell::RefCell, time::Instant};

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    optim::SgdConfig,
    tensor::{Device, Distribution, Tensor},
};
use burn_hebbian::{lab::models::SixLayer, prelude::*};
use burn_hebbian_benches::{
    alternatives::{median, medians},
    networks::{Hebbian, Network},
};

/// Layers of the chain, inputs and neurons of each, and images.
const LAYERS: usize = 32;
const SIZE: usize = 8;
const IMAGES: usize = 8;

const RATE: f64 = 1e-6;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let rounds = arguments.next().map_or(31, |rounds| rounds.parse().expect("a number of rounds"));
    println!("flex (rayon, simd), {threads} threads, medians of {rounds} rounds");
    let layer = tiny_layer(rounds);
    six_layer_net(rounds.min(15), layer);
}

/// A chain of linear layers.
#[derive(Module, Debug)]
struct Chain {
    layers: Vec<Local<Linear>>,
}

impl Chain {
    fn new(device: &Device) -> Self {
        let linear = LinearConfig::new(SIZE, SIZE).with_bias(false);
        let layer = |_| Local::new(linear.init(device)).with_rule(Rule::hebb());
        Self { layers: (0..LAYERS).map(layer).collect() }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }

    /// A step of plain Hebb with nothing but tensors: the new weights.
    fn step_by_hand(&self, x: Tensor<2>) -> Vec<Tensor<2>> {
        let mut x = x;
        let step = |layer: &Local<Linear>| {
            let w = layer.layer().weight.val();
            let y = x.clone().matmul(w.clone());
            let sum = x.clone().transpose().matmul(y.clone());
            x = y;
            w + sum.div_scalar(IMAGES as f64).mul_scalar(RATE)
        };
        self.layers.iter().map(step).collect()
    }
}

fn step(optim: &mut LocalOptimizer, chain: Chain, x: Tensor<2>) -> Chain {
    let observed = optim.observe(&chain, Signals::none(), |chain| chain.forward(x));
    let (_, seen) = observed.expect("the chain is bound");
    optim.step(RATE, chain, seen.local_only()).expect("finite")
}

/// Seconds a layer costs beyond its arithmetic.
fn tiny_layer(rounds: usize) -> f64 {
    let device = Device::flex();
    let chain = Chain::new(&device);
    let x = Tensor::random([IMAGES, SIZE], Distribution::Normal(0.0, 1.0), &device);
    let (bound, optim) = Plan::new().init(chain.clone(), SgdConfig::new()).expect("the rules fit");
    let state = RefCell::new((Some(bound), optim));
    let steps: [Box<dyn Fn()>; 3] = [
        Box::new(|| drop(chain.forward(x.clone()))),
        Box::new(|| drop(chain.step_by_hand(x.clone()))),
        Box::new(|| {
            let (chain, optim) = &mut *state.borrow_mut();
            *chain = chain.take().map(|chain| step(optim, chain, x.clone()));
        }),
    ];
    let times = medians(rounds, &steps);
    let [forward, by_hand, by_plan] = [0, 1, 2].map(|step| times[step] / LAYERS as f64);
    println!("\nLinear {SIZE} → {SIZE}, {IMAGES} images, Hebb, a chain of {LAYERS}; microseconds a layer\n");
    println!("| forward pass alone | step by hand | step of a plan | overhead |");
    println!("|---|---|---|---|");
    let [forward_us, by_hand_us, by_plan_us] = [forward, by_hand, by_plan].map(|time| time * 1e6);
    println!("| {forward_us:.1} | {by_hand_us:.1} | {by_plan_us:.1} | {:.1} |", by_plan_us - by_hand_us);
    by_plan - by_hand
}

/// The share of a step of the six-layer net that is no arithmetic, if each layer costs `layer` seconds beside what grows
/// with its weights.
fn six_layer_net(rounds: usize, layer: f64) {
    let mut training = Hebbian::<SixLayer>::new(&SixLayer::plan(Rule::swta()));
    training.step();
    let weights = weights();
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let start = Instant::now();
        let updates = training.learn();
        let learned = start.elapsed().as_secs_f64();
        training.apply(updates, RATE);
        let applied = start.elapsed().as_secs_f64() - learned;
        let start = Instant::now();
        drop(apply_by_hand(&weights));
        let by_hand = start.elapsed().as_secs_f64();
        for (times, time) in times.iter_mut().zip([learned, applied, by_hand]) {
            times.push(time);
        }
    }
    let [learned, applied, by_hand] = times.map(median);
    let step = learned + applied;
    // what is done once a layer is in `applied` too, in part: counted twice rather than not at all
    let overhead = (applied - by_hand).max(0.0) + weights.len() as f64 * layer;
    println!("\nSix-layer net, 64 images, SWTA; milliseconds\n");
    println!(
        "| step | forward pass and sums | sums to weights | the same by hand | overhead | of the step |"
    );
    println!("|---|---|---|---|---|---|");
    let [step_ms, learned_ms, applied_ms, by_hand_ms, overhead_ms] =
        [step, learned, applied, by_hand, overhead].map(|time| time * 1e3);
    println!(
        "| {step_ms:.1} | {learned_ms:.1} | {applied_ms:.2} | {by_hand_ms:.2} | {overhead_ms:.2} | {:.2} % |",
        100.0 * overhead / step
    );
}

/// A weight, its sums and their mass.
type Summed = [Tensor<2>; 3];

/// Random numbers in the sizes of the six-layer net.
fn weights() -> Vec<Summed> {
    let device = Device::flex();
    let sizes = [[96, 75], [128, 864], [192, 1152], [256, 1728], [300, 2304], [10, 300]];
    let random = |size: [usize; 2]| Tensor::random(size, Distribution::Uniform(1.0, 2.0), &device);
    sizes
        .map(|[neurons, fan_in]| [random([neurons, fan_in]), random([neurons, fan_in]), random([neurons, 1])])
        .to_vec()
}

/// `w + η Σ / m` for every layer.
fn apply_by_hand(weights: &[Summed]) -> Vec<Tensor<2>> {
    let apply = |[w, sum, mass]: &Summed| w.clone() + (sum.clone() / mass.clone()).mul_scalar(RATE);
    weights.iter().map(apply).collect()
}
