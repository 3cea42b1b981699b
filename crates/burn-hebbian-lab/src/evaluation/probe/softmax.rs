//! Softmax regression and its gradient.

use burn::tensor::{Device, Tensor, TensorData, activation::log_softmax};

use super::{ProbeInit, SEEDS};
use burn_hebbian_train::SplitMix;

/// Scores `x Wᵀ + b`.
#[derive(Debug, Clone)]
pub(super) struct Softmax {
    /// `[classes, values]`.
    pub(super) weights: Tensor<2>,
    /// `[1, classes]`.
    pub(super) biases: Tensor<2>,
}

/// The mean loss of a batch and its gradient.
pub(super) struct Gradient {
    /// `[1]`.
    pub(super) loss: Tensor<1>,
    pub(super) weights: Tensor<2>,
    pub(super) biases: Tensor<2>,
}

impl Softmax {
    pub(super) fn new(init: &ProbeInit, [values, classes]: [usize; 2], seed: u64, device: &Device) -> Self {
        let mut random = SplitMix::new(seed).then(SEEDS.weights);
        let bound = (values as f32).sqrt().recip();
        let (low, width) = match *init {
            ProbeInit::Linear => (-bound, 2.0 * bound),
            ProbeInit::Positive { scale } => (0.0, scale),
        };
        let mut uniform = |[rows, columns]: [usize; 2], low: f32, width: f32| {
            let drawn = (0..rows * columns).map(|_| low + width * random.unit()).collect::<Vec<_>>();
            Tensor::from_data(TensorData::new(drawn, [rows, columns]), device)
        };
        let weights = uniform([classes, values], low, width);
        Self { weights, biases: uniform([1, classes], -bound, 2.0 * bound) }
    }

    /// `[n, values]` → `[n, classes]`.
    pub(super) fn scores(&self, features: Tensor<2>) -> Tensor<2> {
        features.matmul(self.weights.clone().transpose()) + self.biases.clone()
    }

    /// The mean cross-entropy of `features` `[n, values]` with `targets` `[n, classes]`, each a 1 among zeros:
    ///
    /// ```text
    /// p = softmax(x Wᵀ + b),   ∇W = (p − y)ᵀ x / n,   ∇b = Σ (p − y) / n
    /// ```
    pub(super) fn gradient(&self, features: Tensor<2>, targets: Tensor<2>) -> Gradient {
        let n = features.dims()[0] as f32;
        let logs = log_softmax(self.scores(features.clone()), 1);
        let loss = (logs.clone() * targets.clone()).sum() / -n;
        let errors = (logs.exp() - targets) / n; // [n, classes]
        Gradient { loss, weights: errors.clone().transpose().matmul(features), biases: errors.sum_dim(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::features::matrix;

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    /// 3 features of 2 values among 4 classes against autodiff.
    #[test]
    fn the_gradient_is_autodiffs() {
        let device = Device::flex();
        let softmax = Softmax::new(&ProbeInit::Linear, [2, 4], 3, &device);
        let features = matrix(vec![0.5, -1.0, 2.0, 0.25, -0.75, 1.5], 2, &device);
        let targets = matrix(vec![0., 1., 0., 0., 1., 0., 0., 0., 0., 0., 0., 1.], 4, &device);
        let Gradient { loss, weights, biases } = softmax.gradient(features.clone(), targets.clone());

        let tracked = device.clone().autodiff();
        let lift = |tensor: Tensor<2>| Tensor::<2>::from_data(tensor.into_data(), &tracked);
        let (w, b) = (lift(softmax.weights).require_grad(), lift(softmax.biases).require_grad());
        let scores = lift(features).matmul(w.clone().transpose()) + b.clone();
        let expected = (log_softmax(scores, 1) * lift(targets)).sum() / -3.0;
        let grads = expected.backward();
        assert!((loss.into_scalar::<f32>() - expected.into_scalar::<f32>()).abs() < 1e-6);
        for (got, tracked) in [(weights, w), (biases, b)] {
            let expected = values(tracked.grad(&grads).unwrap());
            assert!(values(got).iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-6));
        }
    }

    #[test]
    fn first_weights_are_in_their_range() {
        let range = |init| {
            let weights = values(Softmax::new(&init, [100, 7], 3, &Device::flex()).weights);
            weights.iter().fold((f32::MAX, f32::MIN), |(low, high), w| (low.min(*w), high.max(*w)))
        };
        let (low, high) = range(ProbeInit::Linear);
        assert!((-0.1..-0.098).contains(&low) && (0.098..0.1).contains(&high), "{low} {high}");
        let (low, high) = range(ProbeInit::Positive { scale: 0.5 });
        assert!((0.0..0.01).contains(&low) && (0.49..0.5).contains(&high), "{low} {high}");
    }
}
