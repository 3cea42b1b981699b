//! Chains of blocks as Burn modules.

mod block;
mod dual;
mod parameters;
mod spikes;

use burn::{
    module::Module,
    nn::{Dropout, DropoutConfig, Linear, LinearConfig},
    tensor::{Device, Tensor},
};

pub(crate) use block::{Block, Layer, initializer};
pub(crate) use parameters::Values;
use parameters::parameters;
pub(crate) use spikes::encoded;

use crate::reproduce::config::BlockConfig;

/// Some blocks of a network, and a linear classifier on top if they need one.
#[derive(Module, Debug)]
pub(crate) struct Chain {
    pub(crate) blocks: Vec<Block>,
    head: Option<Head>,
}

/// A linear classifier.
#[derive(Module, Debug)]
struct Head {
    dropout: Dropout,
    linear: Linear,
}

/// Who trains blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trainer {
    /// Rules: layers hand on their own outputs.
    Rules,
    /// Backprop: layers hand on `relu(w·x + b)`, the last block of the network `w·x + b`.
    Backprop,
    /// Backprop from weights that rules learned: layers go on handing on their own outputs.
    FineTuning,
    /// States under feedback: layers have biases, and hand on `w·x + b`; activations belong to the states.
    Settling,
}

impl Trainer {
    fn is_backprop(self) -> bool {
        matches!(self, Self::Backprop | Self::FineTuning)
    }
}

/// Blocks to build, with the shapes in front of each and behind the last one.
pub(crate) struct Plans<'a> {
    pub(crate) blocks: &'a [BlockConfig],
    pub(crate) shapes: &'a [[usize; 3]],
    /// Whether the last of them is the network's.
    pub(crate) complete: bool,
    /// Share of its inputs that a classifier on top lets sit out while it learns.
    pub(crate) classifier_dropout: f64,
}

impl Plans<'_> {
    /// Blocks with random weights, drawn from `device`'s generator; with a classifier of so many classes on top if backprop
    /// trains them and the last is not the network's.
    pub(crate) fn build(&self, trainer: Trainer, classes: usize, device: &Device) -> Chain {
        let last = self.blocks.len() - 1;
        let block = |(index, config)| {
            let scores = self.complete && index == last;
            Block::new(config, self.shapes[index], trainer, scores, device)
        };
        let inputs = self.shapes[self.blocks.len()].iter().product();
        let head = || Head {
            dropout: DropoutConfig::new(self.classifier_dropout).init(),
            linear: LinearConfig::new(inputs, classes).init(device),
        };
        Chain {
            blocks: self.blocks.iter().enumerate().map(block).collect(),
            head: (trainer.is_backprop() && !self.complete).then(head),
        }
    }
}

impl Chain {
    /// One block alone.
    pub(crate) fn of(block: Block) -> Self {
        Self { blocks: vec![block], head: None }
    }

    /// What the first `count` blocks make of `[n, channels, height, width]`.
    pub(crate) fn features(&self, count: usize, x: Tensor<4>) -> Tensor<4> {
        self.blocks[..count].iter().fold(x, |x, block| block.forward(x))
    }

    /// Shows rules an input; the last block computes what its own layers learn from, and no more.
    pub(crate) fn learn(&self, x: Tensor<4>) {
        if let Some((last, below)) = self.blocks.split_last() {
            last.learn(below.iter().fold(x, |x, block| block.forward(x)));
        }
    }

    /// The same after each of these counts of blocks, which ascend, in one pass.
    pub(crate) fn outputs(&self, counts: &[usize], mut x: Tensor<4>) -> Vec<Tensor<4>> {
        let mut done = 0;
        let output = |&count: &usize| {
            x = self.blocks[done..count].iter().fold(x.clone(), |x, block| block.forward(x));
            done = count;
            x.clone()
        };
        counts.iter().map(output).collect()
    }

    /// `[n, classes]`.
    pub(crate) fn scores(&self, x: Tensor<4>) -> Tensor<2> {
        let features = self.features(self.blocks.len(), x).flatten(1, 3);
        match &self.head {
            Some(head) => head.linear.forward(head.dropout.forward(features)),
            None => features,
        }
    }
}

impl Chain {
    /// The first block of which a parameter is not finite, by its number; the number of blocks if it is the classifier.
    pub(crate) fn not_finite(&self) -> Option<usize> {
        let finite = |values: &Values| values.values.iter().all(|value| value.is_finite());
        let bad = |block: &Block| !parameters(block).iter().all(|(_, values)| finite(values));
        let head = || self.head.iter().any(|head| !parameters(head).iter().all(|(_, values)| finite(values)));
        self.blocks.iter().position(bad).or_else(|| head().then_some(self.blocks.len()))
    }

    /// All parameters, by the names of the blocks; those of a classifier on top as `classifier`.
    pub(crate) fn parameters(&self, names: &[String]) -> Vec<(String, Values)> {
        let named = |name: &str, found: Vec<(String, Values)>| {
            found.into_iter().map(|(path, values)| (format!("{name}.{path}"), values)).collect::<Vec<_>>()
        };
        let blocks = self.blocks.iter().zip(names).flat_map(|(block, name)| named(name, parameters(block)));
        let head = self.head.iter().flat_map(|head| named("classifier", parameters(&head.linear)));
        blocks.chain(head).collect()
    }
}
