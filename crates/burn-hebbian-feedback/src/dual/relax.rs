//! The pass up, the layers in their order, and what is learned.

use burn::tensor::Tensor;

use super::{DualForm, DualPropagation, DualStates};
use crate::{
    FeedbackError,
    chain::{Drive, Net},
};

/// The states of one layer.
struct Dyad {
    plus: Tensor<2>,
    minus: Tensor<2>,
    mean: Tensor<2>,
    /// Whether all three are still those of the forward pass.
    forward: bool,
}

struct Dyads<'n, 'a> {
    net: &'n Net<'a>,
    x: Tensor<2>,
    layers: Vec<Dyad>,
    /// By edge, of the mean below; none where it has moved since.
    drives: Vec<Option<Drive>>,
}

impl Dyads<'_, '_> {
    fn below(&self, layer: usize) -> Tensor<2> {
        if layer == 1 { self.x.clone() } else { self.layers[layer - 2].mean.clone() }
    }

    fn drive(&mut self, layer: usize) -> Drive {
        if let Some(drive) = &self.drives[layer - 1] {
            return drive.clone();
        }
        let drive = self.net.links[layer - 1].drive(self.below(layer));
        self.drives[layer - 1].insert(drive).clone()
    }

    /// `W_{l+1}ᵀ U(s⁺_{l+1} − s⁻_{l+1})`, in the cells of the upper state of this layer.
    fn feedback(&mut self, layer: usize) -> Tensor<2> {
        let Dyad { plus, forward, .. } = &self.layers[layer - 1];
        let fixed = self.net.links[layer].fixed_cells();
        let cells = match fixed {
            Some(cells) => cells,
            None if *forward => self.drive(layer + 1).cells,
            None => self.net.links[layer].cells(plus),
        };
        let link = &self.net.links[layer];
        link.feedback(link.spread(self.difference(layer + 1), &cells))
    }

    fn difference(&self, layer: usize) -> Tensor<2> {
        let Dyad { plus, minus, .. } = &self.layers[layer - 1];
        plus.clone() - minus.clone()
    }

    fn put(&mut self, layer: usize, plus: Tensor<2>, minus: Tensor<2>, alpha: f64) {
        let mean = plus.clone().mul_scalar(alpha) + minus.clone().mul_scalar(1.0 - alpha);
        self.layers[layer - 1] = Dyad { plus, minus, mean, forward: false };
        if let Some(drive) = self.drives.get_mut(layer) {
            *drive = None;
        }
    }
}

pub(super) fn relax(
    dual: &DualPropagation,
    net: &Net,
    x: Tensor<2>,
    targets: Tensor<2>,
    sequence: &[usize],
) -> Result<DualStates, FeedbackError> {
    let mut dyads = Dyads { net, x, layers: Vec::new(), drives: vec![None; net.len()] };
    for layer in 1..=net.len() {
        let drive = dyads.drive(layer).pooled;
        let s = net.activate(layer, drive);
        dyads.layers.push(Dyad { plus: s.clone(), minus: s.clone(), mean: s, forward: true });
    }
    let forward: Vec<_> = dyads.layers.iter().map(|dyad| dyad.mean.clone()).collect();
    let [up, down] = dual.factors();
    for &layer in sequence {
        let a = dyads.drive(layer).pooled;
        let d = if layer < net.len() {
            dyads.feedback(layer)
        } else {
            let output = match dual.form {
                DualForm::Adjoint => forward[layer - 1].clone(),
                DualForm::Original => a.clone(),
            };
            dual.cost.gradient(output, targets.clone()).mul_scalar(-dual.beta)
        };
        let plus = net.activate(layer, a.clone() + d.clone().mul_scalar(up));
        let minus = net.activate(layer, a - d.mul_scalar(down));
        dyads.put(layer, plus, minus, dual.alpha);
    }
    teach(dual, &mut dyads);
    let of =
        |state: fn(&Dyad) -> &Tensor<2>| net.states(dyads.layers.iter().map(|d| state(d).clone()).collect());
    let (plus, minus) = (of(|dyad| &dyad.plus)?, of(|dyad| &dyad.minus)?);
    Ok(DualStates { forward: net.states(forward)?, plus, minus })
}

/// `1/(βN) corr(s̄_{l−1}, U(s⁺_l − s⁻_l))`, in the cells of `s̄_{l−1}`.
fn teach(dual: &DualPropagation, dyads: &mut Dyads) {
    for layer in 1..=dyads.net.len() {
        let (below, difference) = (dyads.below(layer), dyads.difference(layer));
        let link = &dyads.net.links[layer - 1];
        link.observe(vec![link.pair(below, difference, 1.0 / dual.beta)]);
    }
}
