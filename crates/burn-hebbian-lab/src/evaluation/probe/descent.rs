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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{features::matrix, fixtures::close};
    use burn::tensor::Device;

    /// The weight and the bias after three steps along gradients of 1, −2 and 0.5, from 3 and −4.
    fn three_steps(optimizer: ProbeOptimizer) -> [f64; 2] {
        let one = |value: f32| matrix(vec![value], 1, &Device::flex());
        let mut descent = Descent::new(&optimizer);
        let mut softmax = Softmax { weights: one(3.0), biases: one(-4.0) };
        for gradient in [1.0, -2.0, 0.5] {
            let loss = one(0.0).flatten(0, 1);
            softmax =
                descent.step(0.1, softmax, Gradient { loss, weights: one(gradient), biases: one(gradient) });
        }
        [softmax.weights, softmax.biases].map(|tensor| tensor.into_scalar::<f32>().into())
    }

    /// As PyTorch's: `v ← μ v + g`, `w ← w − η (g + μ v)`, `g` with the penalty.
    #[test]
    fn sgd_by_hand() {
        let by_hand = |mut w: f64| {
            let mut v = 0.0;
            for gradient in [1.0, -2.0, 0.5] {
                let g = gradient + 0.25 * w;
                v = 0.5 * v + g;
                w -= 0.1 * (g + 0.5 * v);
            }
            w
        };
        let got = three_steps(ProbeOptimizer::Sgd { momentum: 0.5, penalty: 0.25 });
        close(got, [3.0, -4.0].map(by_hand), 1e-6);
    }

    #[test]
    fn adam_by_hand() {
        let by_hand = |mut w: f64| {
            let (mut m, mut v) = (0.0, 0.0);
            for (gradient, t) in [1.0, -2.0, 0.5].into_iter().zip(1..) {
                let g: f64 = gradient + 0.25 * w;
                (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
                let (m_hat, v_hat) = (m / (1.0 - 0.9f64.powi(t)), v / (1.0 - 0.999f64.powi(t)));
                w -= 0.1 * m_hat / (v_hat.sqrt() + 1e-8);
            }
            w
        };
        close(three_steps(ProbeOptimizer::Adam { penalty: 0.25 }), [3.0, -4.0].map(by_hand), 1e-5);
    }
}
