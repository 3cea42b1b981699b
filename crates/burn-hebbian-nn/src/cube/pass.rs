//! A pass and what it teaches, on tensors.

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{LocalRule, RecurrenceMask, Signals};

use super::extension::teach;
use crate::{
    forms::CorrelationForm,
    fused::{Fused, Operands, Pointwise},
    geometry::Geometry,
    untuned::{is_covered, multiply},
};

/// Cubes along an axis that every device has.
const CUBES: usize = 65_535;

/// Responses and sums of a pass, if its device and rule are known here.
pub(crate) fn fused<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    operands: &Operands<X, W>,
    rule: &dyn LocalRule,
    signals: &Signals,
) -> Option<Fused<X>> {
    let Operands { layout, x, w, form, .. } = operands;
    let floats = x.dtype() == DType::F32 && w.dtype() == DType::F32;
    let chosen = matches!(form, None | Some(CorrelationForm::Fused)) && signals.third_factor.is_none();
    if !floats || !chosen || w.is_autodiff() || !is_covered(&x.device()) {
        return None;
    }
    if layout.groups.max(layout.neurons) > CUBES {
        return None;
    }
    let rule = rule.pointwise().and_then(Pointwise::of)?;
    let (x, w) = ((*x).clone().inner(), (*w).clone());
    let dot = geometry.respond(x.clone(), w.clone());
    if [dot.shape(), w.shape()].iter().any(|shape| u32::try_from(shape.num_elements()).is_err()) {
        return None; // kernels count in 32 bits
    }
    let energy = rule.reads_energy().then(|| geometry.patch_energy(x.clone()));
    let (c, y, sums) = teach(dot.clone(), energy, w.clone(), rule.clone(), *layout);
    let [groups, neurons] = [layout.groups, layout.neurons];
    let row = |row: usize| sums.clone().narrow(0, row, 1).reshape([groups, neurons]);
    let gram = rule.recurrence().map(|mask| {
        let [c, y] = [c.clone(), y].map(|values| patches(values, [groups, neurons]));
        let product = multiply(c, y.swap_dims(1, 2));
        (if mask == RecurrenceMask::LowerTriangle { product.tril(0) } else { product }, mask)
    });
    let mut correlation = layout.view(geometry.correlate(x, c, None));
    if rule.has_decay() {
        correlation = correlation - layout.scale_neurons(layout.view(w), row(0));
    }
    let correlation = correlation.reshape([layout.num_elements()]);
    Some(Fused { dot, correlation: correlation.into(), gram, mass: rule.has_mass().then(|| row(1)) })
}

/// `[n, groups · neurons, …]` → `[groups, neurons, n · positions]`.
fn patches<const X: usize>(values: Tensor<X>, [groups, neurons]: [usize; 2]) -> Tensor<3> {
    let n = values.dims()[0];
    let positions = values.dims()[2..].iter().product::<usize>();
    let values = values.reshape([n, groups, neurons, positions]);
    values.permute([1, 2, 0, 3]).reshape([groups, neurons, n * positions])
}
