//! What happens once, after every sum over micro-batches and devices.

use burn::tensor::Tensor;

use super::{Bounds, Normalization, Rate, Reduction, Scale};
use crate::WeightLayout;

/// How sums over patches become an update: reduced, projected, scaled, normalized, given each neuron's rate, bounded.
///
/// Numerators and denominators travel apart until here; that makes accumulation exact.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_core::{Finish, Reduction, WeightLayout};
/// # let device = Device::flex();
///
/// let layout = WeightLayout { groups: 1, before: 1, neurons: 1, after: 2 };
/// let weight = Tensor::from_data([[[[1.0, 0.0]]]], &device);
/// let sum = Tensor::from_data([[[[4.0, 2.0]]]], &device);
/// let patches = Tensor::from_data([2.0], &device);
/// // the mean is (2, 1), of which 2 along the weight
/// let finish = Finish::new(Reduction::Mean).with_tangent(true);
/// let update = finish.apply(sum, Some(patches), &weight, &layout);
/// update.into_data().assert_eq(&[[[[0.0, 1.0]]]].into(), false);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Finish {
    /// What the numerator is divided by.
    pub reduction: Reduction,
    /// Whether each neuron's update is projected onto the tangent of the sphere: `Δ_k − (Δ_k · w_k) w_k`.
    pub tangent: bool,
    /// A constant factor.
    pub scale: Scale,
    /// What the largest value becomes.
    pub normalization: Normalization,
    /// Each neuron's own rate.
    pub rate: Rate,
    /// What weights stay between.
    pub bounds: Bounds,
}

impl Finish {
    /// Divides by what `reduction` says.
    pub fn new(reduction: Reduction) -> Self {
        Self { reduction, ..Self::default() }
    }

    /// With the update projected onto the tangent of the sphere, or not.
    pub fn with_tangent(mut self, tangent: bool) -> Self {
        self.tangent = tangent;
        self
    }

    /// With a constant factor.
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// With a largest value.
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }

    /// With a rate for each neuron.
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// With bounds of the weights; whoever steps holds them there.
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Number of values the mass has: none for a sum, the patch count for a mean, one a neuron if weighted.
    pub fn mass_len(&self, layout: &WeightLayout) -> usize {
        match self.reduction {
            Reduction::Sum => 0,
            Reduction::Mean => 1,
            Reduction::Weighted => layout.total_neurons(),
        }
    }

    /// The update `ΔW` (ascent) from the summed numerator, the summed mass (of [`mass_len`](Self::mass_len) values)
    /// and the weight; all but the mass as `[groups, before, neurons, after]`.
    pub fn apply(
        &self,
        numerator: Tensor<4>,
        mass: Option<Tensor<1>>,
        weight: &Tensor<4>,
        layout: &WeightLayout,
    ) -> Tensor<4> {
        let mut delta = self.reduce(numerator, mass, layout);
        if self.tangent {
            delta = tangent(delta, weight);
        }
        if self.scale != Scale::None {
            delta = delta.mul_scalar(self.scale.factor(layout));
        }
        let delta = self.rate.apply(self.normalization.apply(delta, layout), weight, layout);
        self.bounds.apply(delta, weight)
    }

    /// Whether an update is made of each sum by itself: divided by the mass, and scaled.
    pub fn is_elementwise(&self) -> bool {
        let soft = matches!(self.bounds, Bounds::Soft { .. });
        !self.tangent && self.normalization == Normalization::None && self.rate == Rate::One && !soft
    }

    /// What sums are divided by, if by anything: the mass of their neuron, or one for all.
    pub fn divisor(&self, mass: Option<Tensor<1>>) -> Option<Tensor<1>> {
        // clamp: a neuron that never won has zero mass and zero numerator, its update is 0.
        mass.filter(|_| self.reduction != Reduction::Sum).map(|mass| mass.clamp_min(f32::MIN_POSITIVE))
    }

    fn reduce(&self, numerator: Tensor<4>, mass: Option<Tensor<1>>, layout: &WeightLayout) -> Tensor<4> {
        let Some(mass) = self.divisor(mass) else { return numerator };
        match self.reduction {
            Reduction::Sum => numerator,
            Reduction::Mean => numerator / mass.reshape([1, 1, 1, 1]),
            Reduction::Weighted => numerator / mass.reshape([layout.groups, 1, layout.neurons, 1]),
        }
    }
}

/// `Δ_k − (Δ_k · w_k) w_k`.
fn tangent(delta: Tensor<4>, weight: &Tensor<4>) -> Tensor<4> {
    let along = (delta.clone() * weight.clone()).sum_dims(&[1, 3]);
    delta - along * weight.clone()
}
