//! Forward pass and learning apart from each other, for layers whose neurons are outside of them.

use burn::tensor::Tensor;
use burn_hebbian_core::{RuleError, Signals, Span};

use crate::{
    geometry::{Geometry, check_types},
    observe::Seat,
    precision::learnable,
};

use super::{
    learn::{Lift, Parts, check_batch, cut, learn, output_by, see},
    responses::Pass,
};

/// The layer's output for `x`, from which nobody learns.
pub(crate) fn respond<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    parts: Parts<W>,
    seat: &Seat,
) -> Tensor<X> {
    let w = parts.weight.val();
    let Some(selection) = seat.pass().and_then(|(pass, place)| pass.selection(place)) else {
        return output_by(geometry, x, w, parts);
    };
    let lift = Lift::of(&x, &w);
    let (x, w) = cut(x, w, &selection);
    lift.restore(output_by(geometry, x, w, parts))
}

/// Reports what the layer learns from an input and responses that are given, in a pass that is observed.
pub(crate) fn learn_from<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    [x, post]: [Tensor<X>; 2],
    span: Span,
    parts: Parts<W>,
    seat: &Seat,
) {
    let taught = seat.pass().and_then(|(pass, place)| Some((pass, place, pass.selection(place)?)));
    let Some((observer, place, selection)) = taught else { return };
    let check = |signals: &Signals| -> Result<Signals, RuleError> {
        check_batch(x.dims())?;
        selection.rule.check_span(&span)?;
        signals.over(span, x.dims()[0])
    };
    let signals = match check(&observer.signals(place)) {
        Ok(signals) => signals,
        Err(reason) => return observer.refuse(place, reason),
    };
    let Parts { weight, bias, state, forms, .. } = parts;
    let w = weight.val();
    check_types(geometry.name(), &x, &w);
    let [x, post] = [x, post].map(learnable);
    let (dims, dtype) = (post.dims(), x.dtype());
    let bias = bias.map(|bias| learnable(bias.val()));
    let pass = Pass { geometry, x: geometry.prepare(x), w: learnable(w), bias, forms };
    let state = state.map(|state| learnable(state.val()));
    let seen = see(&pass, post.cast(dtype), signals, state).learning().with_span(span);
    observer.report(place, learn(&pass, dims, &seen, &selection));
}
