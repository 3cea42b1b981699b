//! One network, three ways to learn by feedback: equilibrium propagation, contrastive Hebbian learning, dual propagation.
//!
//! ```text
//! cargo run --release --example feedback
//! ```
//!
//! A network of 64 – 96 – 10 neurons learns the UCI digits from states that settle, no gradient anywhere.

use anyhow::Result;
use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    feedback::{Chain, DualPropagation, Method, Settling},
    lab::{
        data::{Labeled, shuffled},
        digits::{CLASSES, Digits, SIDE},
    },
    prelude::*,
    rules::Activation,
};

const EPOCHS: usize = 15;
const BATCH: usize = 16;

#[derive(Module, Debug)]
struct Net {
    hidden: Local<Linear>,
    output: Local<Linear>,
}

impl Net {
    fn new(device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device).into();
        Self { hidden: linear(SIDE * SIDE, 96), output: linear(96, CLASSES) }
    }

    /// Hard sigmoids, and a linear output.
    fn chain(&self) -> Chain<'_> {
        Chain::new([1, SIDE, SIDE]).layer(&self.hidden).layer(&self.output)
    }

    fn rectified(&self) -> Chain<'_> {
        self.chain().with_activation(Activation::Relu)
    }

    /// What the chain answers without feedback.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let hidden = self.hidden.forward(images.flatten::<2>(1, 3));
        self.output.forward(burn::tensor::activation::relu(hidden))
    }
}

/// Trains a network; what it gets right of `test`, in percent, by what `answer` says.
fn train(
    digits: &Digits,
    rate: f64,
    method: &impl Method,
    chain: impl for<'m> Fn(&'m Net) -> Chain<'m>,
    answer: impl Fn(&Net, Tensor<4>) -> Result<Tensor<2>>,
) -> Result<f64> {
    let device = Device::flex();
    device.seed(1);
    let plan = Plan::new().local(".*", LocalTraining::from_given_states());
    let (mut net, mut optim) = plan.init(Net::new(&device), SgdConfig::new())?;
    for epoch in 0..EPOCHS {
        for batch in shuffled(digits.training.len(), 1, epoch).chunks(BATCH) {
            let (images, targets) = one_hot(&digits.training, batch, &device);
            let (_, updates) = method.learn(&optim, &net, &chain, images, targets)?;
            net = optim.step(rate, net, updates)?;
        }
    }
    let all: Vec<usize> = (0..digits.test.len()).collect();
    let right = answer(&net, digits.test.images(&all, &device))?.argmax(1);
    let labels = digits.test.targets(&all, &device).unsqueeze_dim(1);
    Ok(100.0 * right.equal(labels).float().mean().into_scalar::<f64>())
}

fn one_hot(data: &Labeled, batch: &[usize], device: &Device) -> (Tensor<4>, Tensor<2>) {
    (data.images(batch, device), data.targets(batch, device).one_hot::<2>(CLASSES).float())
}

fn main() -> Result<()> {
    let digits = Digits::load()?;
    let settled = |method: Settling, rate| {
        let answer = |net: &Net, images| Ok(method.predict(&net.chain(), images)?);
        train(&digits, rate, &method, Net::chain, answer)
    };
    println!("accuracy on the test part, percent");
    println!("equilibrium propagation, centered  {:.1}", settled(Settling::default(), 0.1)?);
    let weak = Settling::contrastive_hebbian(0.2, 30)?;
    println!("contrastive Hebbian learning       {:.1}", settled(weak, 0.1)?);
    let forward = |net: &Net, images| Ok(net.forward(images));
    let dual = train(&digits, 0.1, &DualPropagation::default(), Net::rectified, forward)?;
    println!("dual propagation                   {dual:.1}");
    Ok(())
}
