//! From the sums of a step to the weights after it.

use burn::tensor::Tensor;
use burn_hebbian_core::WeightLayout;

use super::{covers, extension, steps::Steps};

/// How plain SGD changes a weight by the sums of a layer: `w − (n / m · factors) · rate`, each operation rounded as if it were
/// done by itself.
#[derive(Debug, Clone)]
pub struct Descent {
    numerator: Tensor<1>,
    steps: Steps,
}

impl Descent {
    /// If weight and sums are where this is done: `f32` of flex. `mass` is what each neuron's sums are divided by, or all are.
    pub fn of<const D: usize>(
        weight: &Tensor<D>,
        numerator: &Tensor<1>,
        mass: Option<&Tensor<1>>,
        factors: [f32; 2],
        layout: &WeightLayout,
    ) -> Option<Self> {
        let numbers = |mass: &Tensor<1>| mass.to_data().iter::<f32>().collect();
        let covered = covers(weight) && covers(numerator) && mass.is_none_or(covers);
        let steps = || Steps { layout: *layout, mass: mass.map(numbers).unwrap_or_default(), factors };
        covered.then(|| Self { numerator: numerator.clone(), steps: steps() })
    }

    /// `[1]`: 0 if everything that is subtracted is finite at a rate of 1, NaN otherwise.
    pub fn flag(&self) -> Tensor<1> {
        extension::flag(self.numerator.clone(), self.steps.clone())
    }

    /// The weight after the step; in place where nobody else holds it.
    pub fn step<const D: usize>(self, weight: Tensor<D>, rate: f64) -> Tensor<D> {
        extension::descend(weight, self.numerator, self.steps, rate as f32)
    }
}
