//! The optimizer of a probe and its state.

use burn::{
    optim::{
        Adam, AdamConfig, Optimizer, Sgd, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig,
    },
    tensor::Tensor,
};

use super::{
    ProbeOptimizer,
    softmax::{Gradient, Softmax},
};

/// An optimizer with a state for the weights and one for the biases.
pub(super) enum Descent {
    Sgd(Box<Follower<Sgd>>),
    Adam(Box<Follower<Adam>>),
}

pub(super) struct Follower<O: Optimizer> {
    optimizer: O,
    weights: Option<O::State<2>>,
    biases: Option<O::State<2>>,
}

impl Descent {
    pub(super) fn new(optimizer: &ProbeOptimizer) -> Self {
        match *optimizer {
            ProbeOptimizer::Sgd { momentum, penalty } => {
                Self::Sgd(Box::new(Follower::new(sgd(momentum, penalty))))
            }
            ProbeOptimizer::Adam { penalty } => Self::Adam(Box::new(Follower::new(adam(penalty)))),
        }
    }

    pub(super) fn step(&mut self, rate: f64, softmax: Softmax, gradient: Gradient) -> Softmax {
        match self {
            Self::Sgd(follower) => follower.step(rate, softmax, gradient),
            Self::Adam(follower) => follower.step(rate, softmax, gradient),
        }
    }
}

impl<O: Optimizer> Follower<O> {
    fn new(optimizer: O) -> Self {
        Self { optimizer, weights: None, biases: None }
    }

    fn step(&mut self, rate: f64, softmax: Softmax, gradient: Gradient) -> Softmax {
        let optimizer = &self.optimizer;
        let follow = |state: &mut Option<O::State<2>>, tensor: Tensor<2>, gradient: Tensor<2>| {
            let (tensor, next) = optimizer.step(rate, tensor, gradient, state.take());
            *state = next;
            tensor
        };
        Softmax {
            weights: follow(&mut self.weights, softmax.weights, gradient.weights),
            biases: follow(&mut self.biases, softmax.biases, gradient.biases),
        }
    }
}

fn sgd(momentum: f64, penalty: f32) -> Sgd {
    let momentum = MomentumConfig::new().with_momentum(momentum).with_dampening(0.0).with_nesterov(true);
    SgdConfig::new()
        .with_momentum(Some(momentum))
        .with_weight_decay((penalty > 0.0).then(|| WeightDecayConfig::new(penalty)))
        .build()
}

fn adam(penalty: f32) -> Adam {
    AdamConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay((penalty > 0.0).then(|| WeightDecayConfig::new(penalty)))
        .build()
}
