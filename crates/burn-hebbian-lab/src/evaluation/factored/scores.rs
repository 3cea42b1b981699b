//! Both factors, their gradient and their descent.

use burn::{
    optim::{Optimizer, Sgd, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig},
    tensor::{Device, Tensor, TensorData, activation::log_softmax},
};
use burn_hebbian_train::SplitMix;

use super::{FactoredConfig, FeatureRows};

/// The weights.
#[derive(Debug, Clone)]
pub(super) struct Scores {
    /// `U`, `[groups, factors, channels of a group]`.
    channels: Tensor<3>,
    /// `V`, `[groups · factors · positions, classes]`.
    positions: Tensor<2>,
    /// `b`, `[1, classes]`.
    biases: Tensor<2>,
    classes: usize,
}

/// The gradient of the mean loss of a batch.
pub(super) struct Gradient {
    pub(super) loss: Tensor<1>,
    pub(super) channels: Tensor<3>,
    pub(super) positions: Tensor<2>,
    pub(super) biases: Tensor<2>,
}

impl Scores {
    /// Uniform in ±1/√fan-in, as two convolutions would be.
    pub(super) fn new(
        config: &FactoredConfig,
        [channels, height, width]: [usize; 3],
        random: &mut SplitMix,
        device: &Device,
    ) -> Self {
        let FactoredConfig { classes, groups, factors, .. } = *config;
        let mut uniform = |count: usize, fan_in: usize| {
            let bound = (fan_in as f32).sqrt().recip();
            (0..count).map(|_| bound * (2.0 * random.unit() - 1.0)).collect::<Vec<f32>>()
        };
        let (inside, places) = (channels / groups, height * width);
        let u = TensorData::new(uniform(groups * factors * inside, inside), [groups, factors, inside]);
        let rows = groups * factors * places;
        let v = TensorData::new(uniform(rows * classes, factors * places), [rows, classes]);
        Self {
            channels: Tensor::from_data(u, device),
            positions: Tensor::from_data(v, device),
            biases: Tensor::zeros([1, classes], device),
            classes,
        }
    }

    pub(super) fn device(&self) -> Device {
        self.biases.device()
    }

    /// A 1 for each feature's class, `[chosen, classes]`.
    pub(super) fn targets(&self, features: &impl FeatureRows, chosen: &[usize]) -> Tensor<2> {
        let mut targets = vec![0.0; chosen.len() * self.classes];
        for (row, &index) in chosen.iter().enumerate() {
            targets[row * self.classes + usize::from(features.labels()[index])] = 1.0;
        }
        Tensor::from_data(TensorData::new(targets, [chosen.len(), self.classes]), &self.device())
    }

    /// `[groups, channels, n · positions]` → `[n, groups · factors · positions]`: what positions are weighted of.
    fn combined(&self, features: Tensor<3>) -> Tensor<2> {
        let [groups, factors, _] = self.channels.dims();
        let columns = features.dims()[2];
        let [rows, _] = self.positions.dims();
        let places = rows / (groups * factors);
        let combined = self.channels.clone().matmul(features); // [groups, factors, n · positions]
        let combined = combined.reshape([groups * factors, columns / places, places]);
        combined.swap_dims(0, 1).reshape([columns / places, rows])
    }

    fn of_combined(&self, combined: Tensor<2>) -> Tensor<2> {
        combined.matmul(self.positions.clone()) + self.biases.clone()
    }

    /// The mean cross-entropy of features with targets `[n, classes]`:
    ///
    /// ```text
    /// e = (softmax(score) − y) / n,   ∇V = zᵀ e,   ∇z = e Vᵀ,   ∇U = ∇z x̂ᵀ,   ∇b = Σ e
    /// ```
    pub(super) fn gradient(&self, features: Tensor<3>, targets: Tensor<2>) -> Gradient {
        let [groups, factors, _] = self.channels.dims();
        let [n, rows] = [targets.dims()[0], self.positions.dims()[0]];
        let places = rows / (groups * factors);
        let combined = self.combined(features.clone());
        let logs = log_softmax(self.of_combined(combined.clone()), 1);
        let loss = (logs.clone() * targets.clone()).sum() / -(n as f32);
        let errors = (logs.exp() - targets) / n as f32;
        let back = errors.clone().matmul(self.positions.clone().transpose()); // [n, rows]
        let back = back.reshape([n, groups * factors, places]).swap_dims(0, 1);
        let back = back.reshape([groups, factors, n * places]);
        Gradient {
            loss,
            channels: back.matmul(features.swap_dims(1, 2)),
            positions: combined.transpose().matmul(errors.clone()),
            biases: errors.sum_dim(0),
        }
    }

    /// The class of each feature's largest score, the first of equal ones.
    pub(super) fn guesses(&self, features: Tensor<3>) -> Vec<usize> {
        let scores = self.of_combined(self.combined(features));
        let scores: Vec<f32> = scores.into_data().iter::<f32>().collect();
        let largest = |scores: &[f32]| {
            (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
        };
        scores.chunks_exact(self.classes).map(largest).collect()
    }
}

/// Gradient descent with momentum.
pub(super) struct Descent {
    sgd: Sgd,
    channels: Option<<Sgd as Optimizer>::State<3>>,
    positions: Option<<Sgd as Optimizer>::State<2>>,
    biases: Option<<Sgd as Optimizer>::State<2>>,
}

impl Descent {
    pub(super) fn new(momentum: f64, penalty: f32) -> Self {
        let momentum = MomentumConfig::new().with_momentum(momentum).with_dampening(0.0).with_nesterov(false);
        let sgd = SgdConfig::new()
            .with_momentum(Some(momentum))
            .with_weight_decay((penalty > 0.0).then(|| WeightDecayConfig::new(penalty)))
            .build();
        Self { sgd, channels: None, positions: None, biases: None }
    }

    pub(super) fn step(&mut self, rate: f64, scores: Scores, gradient: Gradient) -> Scores {
        let (channels, next) = self.sgd.step(rate, scores.channels, gradient.channels, self.channels.take());
        self.channels = next;
        let (positions, next) =
            self.sgd.step(rate, scores.positions, gradient.positions, self.positions.take());
        self.positions = next;
        let (biases, next) = self.sgd.step(rate, scores.biases, gradient.biases, self.biases.take());
        self.biases = next;
        Scores { channels, positions, biases, classes: scores.classes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labeled;

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    /// 3 features of 6 channels in 2 groups, 4 positions, 5 factors, 7 classes: against autodiff of the formula as it is
    /// written.
    #[test]
    fn the_gradient_is_autodiffs() {
        let device = Device::flex();
        let config = FactoredConfig::new().with_groups(2).with_factors(5).with_classes(7);
        let scores = Scores::new(&config, [6, 2, 2], &mut SplitMix::new(3), &device);
        let x: Vec<f32> = (0..72).map(|i| (i as f32 * 0.7).sin()).collect();
        let features = Tensor::<3>::from_data(TensorData::new(x, [2, 3, 12]), &device);
        let mut labels = Labeled::with_capacity([1, 1, 1], 3);
        [6, 0, 3].into_iter().for_each(|label| labels.push([0.0], label));
        let targets = scores.targets(&labels, &[0, 1, 2]);
        let found = scores.gradient(features.clone(), targets.clone());

        let tracked = device.autodiff();
        let u = Tensor::<3>::from_data(scores.channels.into_data(), &tracked).require_grad();
        let v = Tensor::<2>::from_data(scores.positions.into_data(), &tracked).require_grad();
        let b = Tensor::<2>::from_data(scores.biases.into_data(), &tracked).require_grad();
        let x = Tensor::<3>::from_data(features.into_data(), &tracked);
        let mut all = b.clone().repeat_dim(0, 3);
        for g in 0..2 {
            for h in 0..5 {
                for p in 0..4 {
                    for image in 0..3 {
                        let channel = u.clone().slice([g..g + 1, h..h + 1, 0..3]).reshape([1, 3]);
                        let column = x.clone().slice([g..g + 1, 0..3, image * 4 + p..image * 4 + p + 1]);
                        let z = channel.matmul(column.reshape([3, 1])); // [1, 1]
                        let place = (g * 5 + h) * 4 + p;
                        let row = z.matmul(v.clone().slice([place..place + 1, 0..7]));
                        let rows = all.clone().slice([image..image + 1, 0..7]) + row;
                        all = all.slice_assign([image..image + 1, 0..7], rows);
                    }
                }
            }
        }
        let targets = Tensor::<2>::from_data(targets.into_data(), &tracked);
        let loss = (log_softmax(all, 1) * targets).sum() / -3.0;
        let grads = loss.backward();
        assert!((found.loss.into_scalar::<f32>() - loss.into_scalar::<f32>()).abs() < 1e-5);
        let close = |got: Vec<f32>, expected: Vec<f32>| {
            assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?} {expected:?}");
            assert!(got.len() == expected.len() && got.iter().any(|value| value.abs() > 1e-3));
        };
        close(values(found.channels), values(u.grad(&grads).unwrap()));
        close(values(found.positions), values(v.grad(&grads).unwrap()));
        close(values(found.biases), values(b.grad(&grads).unwrap()));
    }
}
