//! From the sums of a step to the weights after it.

use burn::tensor::Tensor;
use burn_hebbian_core::{Numerator, WeightLayout};

use super::{covers, extension, steps::Steps};
use crate::fused::LinearSums;

/// How plain SGD changes a weight by the sums of a layer: `w − (n / m · factors) · rate`, each operation rounded as if it were
/// done by itself.
#[derive(Debug, Clone)]
pub struct Descent {
    /// Values, or sums of a linear layer on few images: made row by row while the weight is stepped.
    numerator: Numerator,
    steps: Steps,
}

impl Descent {
    /// If weight and sums are where this is done: `f32` of flex. `mass` is what each neuron's sums are divided by, or all are.
    pub fn of<const D: usize>(
        weight: &Tensor<D>,
        numerator: &Numerator,
        mass: Option<&Tensor<1>>,
        factors: [f32; 2],
        layout: &WeightLayout,
    ) -> Option<Self> {
        if !covers(weight) || !mass.is_none_or(covers) {
            return None;
        }
        let numerator = match numerator.as_deferred::<LinearSums>() {
            Some(sums) if covers(&sums.w) => numerator.clone(),
            _ => Some(numerator.clone().into_values()).filter(covers)?.into(),
        };
        let mass = mass.map(|mass| mass.to_data().iter::<f32>().collect());
        let steps = Steps { layout: *layout, mass: mass.unwrap_or_default(), factors };
        Some(Self { numerator, steps })
    }

    /// `[1]`: 0 if everything that is subtracted is finite at a rate of 1, NaN otherwise.
    pub fn flag(&self) -> Tensor<1> {
        let steps = self.steps.clone();
        match self.numerator.as_deferred::<LinearSums>() {
            Some(sums) => extension::linear_flag(sums.clone(), steps),
            None => extension::flag(self.numerator.clone().into_values(), steps),
        }
    }

    /// The weight after the step; in place where nobody else holds it.
    pub fn step<const D: usize>(self, weight: Tensor<D>, rate: f64) -> Tensor<D> {
        let Self { numerator, steps } = self;
        match numerator.as_deferred::<LinearSums>().cloned() {
            Some(sums) => {
                // or else the weight would be held by this one too
                drop(numerator);
                extension::descend_linear(weight, sums, steps, rate as f32)
            }
            None => extension::descend(weight, numerator.into_values(), steps, rate as f32),
        }
    }
}
