//! Holding weights to their constraints.

use burn::{
    module::Param,
    tensor::{DType, Tensor},
};
use burn_hebbian_core::{Bounds, WeightLayout};

use crate::{Constraint, bind::LocalLayer, values::put};

/// As close to zero as a weight of this type comes that keeps its sign: a normal number.
fn near_zero(dtype: DType) -> f64 {
    if dtype == DType::F16 { 6.2e-5 } else { 1e-30 }
}

/// The weights `[groups, before, neurons, after]` as they may be; `before` is what they were before the step, and
/// `tiny` is [`near_zero`].
fn hold(
    constraint: &Constraint,
    weight: Tensor<4>,
    before: Option<&Tensor<4>>,
    tiny: f64,
    layout: &WeightLayout,
) -> Tensor<4> {
    match (*constraint, before) {
        (Constraint::UnitNorm, _) => {
            // clamp: an all-zero neuron has no direction.
            let norm = layout.energy(weight.clone()).sqrt().clamp_min(tiny);
            weight / norm
        }
        (Constraint::NonNegative, _) => weight.clamp_min(0.0),
        (Constraint::Clip { max }, _) => weight.clamp(-max, max),
        (Constraint::KeepSigns, Some(before)) => {
            let sign = before.clone().sign();
            (weight * sign.clone()).clamp_min(tiny) * sign
        }
        (Constraint::KeepSigns, None) => weight,
    }
}

impl LocalLayer {
    /// Whether its constraints ask for the weight before the step.
    pub(crate) fn keeps_signs(&self) -> bool {
        self.constraints.contains(&Constraint::KeepSigns)
    }

    /// Holds a weight to the constraints of its layer, and to the bounds of its rule.
    pub(crate) fn constrain<const D: usize>(
        &self,
        param: Param<Tensor<D>>,
        before: Option<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        let bounds = self.rule.finish().bounds;
        if self.constraints.is_empty() && bounds == Bounds::None {
            return param;
        }
        let precise = |weight: Tensor<D>| match weight.dtype() {
            DType::F64 => self.layout.view(weight),
            _ => self.layout.view(weight.cast(DType::F32)),
        };
        let before = before.map(precise);
        param.map(|old| {
            let tiny = near_zero(old.dtype());
            let next = |weight, constraint: &Constraint| {
                hold(constraint, weight, before.as_ref(), tiny, &self.layout)
            };
            let held = self.constraints.iter().fold(precise(old.clone().inner()), next);
            put(bounds.hold(held), old)
        })
    }
}
