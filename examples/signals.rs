//! One network, three ways to hear of the output's error: backprop, direct feedback alignment, Mono-Forward.
//!
//! ```text
//! cargo run --release --example signals
//! ```
//!
//! A network of 64 – 96 – 96 – 10 neurons learns the UCI digits. Both local ways make one forward pass and no backward pass:
//! signals say what the neurons of each layer were worth.

use anyhow::Result;
use burn::{
    module::Module,
    nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig},
    optim::SgdConfig,
    tensor::{Device, Distribution, Tensor, activation::softmax},
};
use burn_hebbian::{
    lab::{
        data::{Labeled, shuffled},
        digits::{CLASSES, Digits, SIDE},
    },
    optim::{Entry, Rest},
    prelude::*,
    rules::{Activation, Apical},
};
use burn_hebbian_examples as _;

const EPOCHS: usize = 30;
const BATCH: usize = 16;
const HIDDEN: usize = 96;
const RATE: f64 = 0.2;

#[derive(Module, Debug)]
struct Net {
    first: Local<Linear>,
    second: Local<Linear>,
    output: Local<Linear>,
    /// From the first hidden layer to the classes: what Mono-Forward teaches it by.
    aside: Local<Linear>,
}

/// What the layers of a network answer.
struct Answers {
    first: Tensor<2>,
    second: Tensor<2>,
    output: Tensor<2>,
    aside: Tensor<2>,
}

impl Net {
    fn new(device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device).into();
        Self {
            first: linear(SIDE * SIDE, HIDDEN),
            second: linear(HIDDEN, HIDDEN),
            output: linear(HIDDEN, CLASSES),
            aside: linear(HIDDEN, CLASSES),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Answers {
        let first = self.first.forward(images.flatten::<2>(1, 3)).tanh();
        let second = self.second.forward(first.clone()).tanh();
        let (output, aside) = (self.output.forward(second.clone()), self.aside.forward(first.clone()));
        Answers { first, second, output, aside }
    }
}

/// How hidden layers hear of an error.
enum Way {
    Backprop,
    /// By random matrices from the output's error, one a hidden layer.
    Direct(Box<[Tensor<2>; 2]>),
    /// By the transposes of projections to the classes, which learn too, each from its own error.
    MonoForward,
}

impl Way {
    fn plan(&self) -> Plan {
        let hidden = LocalTraining::custom(Apical::new(Activation::Tanh));
        let linear = LocalTraining::custom(Apical::new(Activation::Linear));
        let local = |outputs: &str| {
            let plan = Plan::new().local("first|second", hidden).local(outputs, linear);
            plan.with_rest(Rest::Frozen)
        };
        match self {
            Self::Backprop => {
                Plan::new().with(Entry::backprop("first|second|output")).with_rest(Rest::Frozen)
            }
            Self::Direct(_) => local("output"),
            Self::MonoForward => local("output|aside"),
        }
    }

    /// What each layer is told of a batch.
    fn signals(&self, net: &Net, images: Tensor<4>, targets: Tensor<2>) -> Signals {
        let answers = net.forward(images);
        let error = |answer| targets.clone() - softmax(answer, 1);
        let output = error(answers.output);
        let signals = Signals::none().with_third_factor_for("output", output.clone());
        match self {
            Self::Backprop => Signals::none(),
            Self::Direct(random) => {
                let [first, second] = random.each_ref().map(|random| output.clone().matmul(random.clone()));
                signals.with_third_factor_for("first", first).with_third_factor_for("second", second)
            }
            Self::MonoForward => {
                let aside = error(answers.aside);
                let to_first = net.aside.feedback(aside.clone(), answers.first.dims());
                let to_second = net.output.feedback(output, answers.second.dims());
                signals
                    .with_third_factor_for("aside", aside)
                    .with_third_factor_for("first", to_first)
                    .with_third_factor_for("second", to_second)
            }
        }
    }
}

/// What a network that learns in this way gets right of the test part, in percent.
fn train(digits: &Digits, way: &Way, seed: u64) -> Result<f64> {
    let device = Device::flex();
    device.seed(seed);
    let backprop = matches!(way, Way::Backprop);
    let training_device = if backprop { device.clone().autodiff() } else { device.clone() };
    let (mut net, mut optim) = way.plan().init(Net::new(&training_device), SgdConfig::new())?;
    for epoch in 0..EPOCHS {
        for batch in shuffled(digits.training.len(), seed, epoch).chunks(BATCH) {
            let images = digits.training.images(batch, &training_device);
            let labels = digits.training.targets(batch, &training_device);
            let updates = if backprop {
                let loss = CrossEntropyLossConfig::new().init(&training_device);
                let pass = |net: &Net| loss.forward(net.forward(images).output, labels);
                let (loss, seen) = optim.observe(&net, Signals::none(), pass)?;
                seen.backward(loss)?
            } else {
                let signals = way.signals(&net, images.clone(), labels.one_hot::<2>(CLASSES).float());
                optim.observe(&net, signals, |net| net.forward(images))?.1.local_only()
            };
            net = optim.step(RATE, net, updates)?;
        }
    }
    Ok(accuracy(&net.valid(), &digits.test, &device))
}

fn accuracy(net: &Net, test: &Labeled, device: &Device) -> f64 {
    let all: Vec<usize> = (0..test.len()).collect();
    let right = net.forward(test.images(&all, device)).output.argmax(1);
    let labels = test.targets(&all, device).unsqueeze_dim(1);
    100.0 * right.equal(labels).float().mean().into_scalar::<f64>()
}

fn main() -> Result<()> {
    let digits = Digits::load()?;
    let random = |inputs: usize| {
        let spread = Distribution::Normal(0.0, (1.0 / inputs as f64).sqrt());
        Tensor::<2>::random([inputs, HIDDEN], spread, &Device::flex())
    };
    Device::flex().seed(0);
    let ways = [
        ("backprop", Way::Backprop),
        ("direct feedback alignment", Way::Direct(Box::new([random(CLASSES), random(CLASSES)]))),
        ("Mono-Forward", Way::MonoForward),
    ];
    println!("accuracy on the test part, percent, seeds 0, 1, 2");
    for (name, way) in &ways {
        let accuracies: Vec<f64> = (0..3).map(|seed| train(&digits, way, seed)).collect::<Result<_>>()?;
        let shown: Vec<String> = accuracies.iter().map(|accuracy| format!("{accuracy:.1}")).collect();
        println!("{name:<27}{}", shown.join("  "));
    }
    Ok(())
}
