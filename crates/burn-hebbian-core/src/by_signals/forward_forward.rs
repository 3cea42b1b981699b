//! Layers that learn to tell positive from negative images.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use super::bias::{mean, statistics};
use crate::{
    Activity, Factors, Finish, LocalRule, Reduction, RuleError, Signals, WeightLayout,
    error::{finite, single},
};

/// Forward-forward learning: the energy of positive images rises above a threshold at every position, that of negative ones falls
/// below another.
///
/// ```text
/// a = W x + b     y = max(a, 0)     G = mean over neurons of y²                      (of each image and position)
/// C = + m 2 y / K · [σ(θ⁺ − G) − λ P G / ‖G‖]     for m > 0, positive images, ‖G‖ over their P positions
/// C = − |m| 2 y / K · σ(G − θ⁻)                   for m < 0, negative images
/// ΔW = Σ corr(x, C) / (P Σ max(m, 0))
/// ```
///
/// `m` is the [third factor](Signals::with_third_factor), one number an image, `[images, 1]` or one for all: 1 for a positive
/// image, −1 for a negative one, −1/M where M negatives stand beside each positive. Sums of positives and negatives add up, in one
/// pass or in several. The update is the descent of `mean log(1 + e^(θ⁺ − G)) + mean log(1 + e^(G − θ⁻)) + λ mean ‖G‖`.
///
/// [`new`](Self::new) is Hinton's, with the label in the image. [`self_contrastive`](Self::self_contrastive) takes no labels: a
/// positive is an image paired with itself, a negative one paired with another, the layer's input is the *sum* of both, and its
/// bias counts once for each of them.
///
/// ```
/// # use burn::tensor::{Device, Tensor, Tolerance};
/// use burn_hebbian_core::{DenseView, ForwardForward, Signals};
/// # let device = Device::flex();
///
/// // a = y = 2, G = 4 = θ: half of 2 y x
/// let layer = DenseView::from_data([[1.0, 0.0]], [[2.0, 1.0]], &device);
/// let positive = Signals::none().with_third_factor(Tensor::ones([1, 1], &device));
/// let update = layer.update(&ForwardForward::new(4.0), positive).unwrap();
/// update.into_data().assert_approx_eq::<f32>(&[[4.0, 2.0]].into(), Tolerance::default());
/// ```
///
/// Source: G. Hinton, "The forward-forward algorithm: some preliminary investigations", arXiv 2212.13345 (2022); X. Chen et al.,
/// "Self-contrastive forward-forward algorithm", *Nat. Commun.* 16 (2025).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ForwardForward {
    /// The threshold of positive images.
    pub theta_positive: f64,
    /// The threshold of negative images.
    pub theta_negative: f64,
    /// What the energy of positive images costs.
    pub lambda: f64,
    /// How often the bias counts: once for each image that the input is the sum of.
    pub images: usize,
}

impl ForwardForward {
    /// One threshold, and images that stand for themselves.
    pub fn new(theta: f64) -> Self {
        Self { theta_positive: theta, theta_negative: theta, lambda: 0.0, images: 1 }
    }

    /// Two thresholds, and inputs that are the sums of two images.
    pub fn self_contrastive(theta_positive: f64, theta_negative: f64) -> Self {
        Self { theta_positive, theta_negative, lambda: 0.0, images: 2 }
    }

    /// With a cost of the energy of positive images.
    pub fn with_lambda(self, lambda: f64) -> Self {
        Self { lambda, ..self }
    }

    /// The drive `[n, groups, neurons, positions]` from responses without bias and the bias `[groups · neurons]`.
    pub fn drive(&self, dot: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        let [_, groups, neurons, _] = dot.dims();
        match bias {
            None => dot,
            Some(bias) => {
                let bias = bias.cast(dot.dtype()).mul_scalar(self.images as f64);
                dot + bias.reshape([1, groups, neurons, 1])
            }
        }
    }

    /// The energy at each position, `[n, 1, 1, positions]`, of drives `[n, groups, neurons, positions]`.
    pub fn energy(&self, drive: Tensor<4>) -> Tensor<4> {
        let y = activation::relu(drive);
        (y.clone() * y).mean_dims(&[1, 2])
    }

    /// What a batch of positive images learns by: `−∂ cost/∂ drive`, the cost being a mean over images and positions.
    pub fn positive(&self, drive: Tensor<4>) -> Tensor<4> {
        let energy = self.energy(drive.clone());
        mean_of(self.slope(drive, self.rise(energy)))
    }

    /// What a batch of negative images learns by, in its own mean.
    pub fn negative(&self, drive: Tensor<4>) -> Tensor<4> {
        let energy = self.energy(drive.clone());
        mean_of(self.slope(drive, self.fall(energy).neg()))
    }

    /// The cost of a batch of positive and one of negative images, by their energies.
    pub fn cost(&self, positive: Tensor<4>, negative: Tensor<4>) -> Tensor<1> {
        let softplus = |x: Tensor<4>| activation::softplus(x, 1.0).mean();
        let norms = norm(&positive).mean().mul_scalar(self.lambda);
        let below = softplus(positive.neg().add_scalar(self.theta_positive));
        below + softplus(negative.sub_scalar(self.theta_negative)) + norms
    }

    /// `σ(θ⁺ − G) − λ P G / ‖G‖`.
    fn rise(&self, energy: Tensor<4>) -> Tensor<4> {
        let below = activation::sigmoid(energy.clone().neg().add_scalar(self.theta_positive));
        if self.lambda == 0.0 {
            return below;
        }
        let positions = energy.dims()[3] as f64;
        // clamp: an image without energy has a norm of 0, and its energy weighs nothing
        let share = energy.clone() / norm(&energy).clamp_min(f32::MIN_POSITIVE);
        below - share.mul_scalar(self.lambda * positions)
    }

    /// `σ(G − θ⁻)`.
    fn fall(&self, energy: Tensor<4>) -> Tensor<4> {
        activation::sigmoid(energy.sub_scalar(self.theta_negative))
    }

    /// `2 y / K` times what the energy is to do.
    fn slope(&self, drive: Tensor<4>, change: Tensor<4>) -> Tensor<4> {
        let [_, groups, neurons, _] = drive.dims();
        activation::relu(drive).mul_scalar(2.0 / (groups * neurons) as f64) * change
    }
}

/// `‖G‖` over the positions of each image, `[n, 1, 1, 1]`.
fn norm(energy: &Tensor<4>) -> Tensor<4> {
    (energy.clone() * energy.clone()).sum_dim(3).sqrt()
}

/// Divided by images and positions.
fn mean_of(c: Tensor<4>) -> Tensor<4> {
    let [n, _, _, positions] = c.dims();
    c.div_scalar((n * positions) as f64)
}

impl LocalRule for ForwardForward {
    fn factors(&self, activity: &Activity) -> Factors {
        let drive = self.drive(activity.whole_dot(), activity.bias());
        let [n, groups, neurons, positions] = drive.dims();
        let sign = activity.third_factor().expect("signals are checked before a pass").expand([n, 1, 1, 1]);
        let (up, down) = (sign.clone().clamp_min(0.0), sign.clamp_max(0.0));
        let energy = self.energy(drive.clone());
        let change = up.clone() * self.rise(energy.clone()) + down * self.fall(energy);
        let c = self.slope(drive, change);
        let mass = up.sum().mul_scalar(positions as f64);
        let mut factors = Factors::new(c.clone()).with_statistics(statistics(c, mass.clone()));
        factors.mass = Some(mass.reshape([1, 1]).expand([groups, neurons]));
        factors
    }

    /// By the positions of positive images, which are the mass of every neuron.
    fn finish(&self) -> Finish {
        Finish::new(Reduction::Weighted)
    }

    fn adds_up(&self) -> bool {
        true
    }

    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        layout.total_neurons() + 1
    }

    fn learns_bias(&self) -> bool {
        true
    }

    fn needs_bias(&self) -> bool {
        false
    }

    fn bias_update(
        &self,
        bias: Tensor<1>,
        statistics: Option<Tensor<1>>,
        layout: &WeightLayout,
    ) -> Tensor<1> {
        match statistics {
            None => bias.zeros_like(),
            Some(statistics) => mean(statistics, layout).mul_scalar(self.images as f64),
        }
    }

    fn check_signals(&self, signals: &Signals, _layout: &WeightLayout) -> Result<(), RuleError> {
        if let Some(got) = signals.apical.as_ref().map(|signal| signal.dims()) {
            return Err(RuleError::SignShape { got: got.to_vec() });
        }
        match signals.third_factor.as_ref().map(|factor| factor.dims()) {
            None => Err(RuleError::SignalMissing { rule: "forward-forward" }),
            Some([rows, 1]) if rows > 0 => Ok(()),
            Some(got) => Err(RuleError::SignShape { got: got.to_vec() }),
        }
    }

    fn check_images(&self, signals: &Signals, images: usize) -> Result<(), RuleError> {
        signals.check_third_factor_images(images)
    }

    fn check(&self, _layout: &WeightLayout) -> Result<(), RuleError> {
        finite("positive threshold", self.theta_positive)?;
        finite("negative threshold", self.theta_negative)?;
        if !(self.lambda.is_finite() && self.lambda >= 0.0) {
            return Err(RuleError::Negative { name: "lambda", value: self.lambda });
        }
        single("lambda", self.lambda)?;
        if self.images == 0 {
            return Err(RuleError::BelowOne { name: "images of an input", value: 0.0 });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::DenseView;

    /// More positions than `f16` counts, and energies that it does not hold.
    #[test]
    fn half_precision_is_summed_whole() {
        const IMAGES: usize = 70_000;
        let device = Device::flex();
        let view = DenseView::new(Tensor::ones([1, 1], &device), Tensor::ones([1, 1], &device));
        let dot = Tensor::<4>::full([IMAGES, 1, 1, 1], 300.0, (&device, DType::F16));
        let signals = Signals::none().with_third_factor(Tensor::ones([1, 1], &device));
        let factors = ForwardForward::new(1.0).factors(&Activity::new(dot, signals, &view));
        let mass = factors.mass.expect("positive images are counted").sum().into_scalar::<f32>();
        assert_eq!(mass, IMAGES as f32);
        let c = factors.coefficients.expect("it learns by its responses");
        assert!(c.is_finite().all().into_scalar::<bool>());
    }
}
