//! A layer between states that are handed to it: its drive, its feedback, and what it learns from both its sides.

use burn::{module::Param, tensor::Tensor};
use burn_hebbian_core::{RuleError, Sums, WeightLayout};

use super::{
    learn::{Parts, with_bias},
    responses::Pass,
};
use crate::{
    geometry::{Geometry, check_types},
    observe::Seat,
    precision::learnable,
};

/// The states on both sides of a layer in one phase, and the weight with which their product counts.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_nn::StatePair;
/// # let device = Device::flex();
///
/// let below = Tensor::<2>::from_data([[1.0, 0.0]], &device);
/// let above = Tensor::<2>::from_data([[0.5]], &device);
/// let clamped = StatePair::new(below.clone(), above.clone(), 1.0);
/// let free = StatePair::new(below, above.mul_scalar(0.5), -1.0); // counts against it
/// # let _ = (clamped, free);
/// ```
#[derive(Debug, Clone)]
pub struct StatePair<const X: usize> {
    /// The state below: an input of the layer.
    pub input: Tensor<X>,
    /// The state above, in the shape of the layer's responses.
    pub state: Tensor<X>,
    /// What their product is multiplied by.
    pub weight: f64,
}

impl<const X: usize> StatePair<X> {
    /// `weight · corr(input, state)`.
    pub fn new(input: Tensor<X>, state: Tensor<X>, weight: f64) -> Self {
        Self { input, state, weight }
    }
}

/// What a layer brings along: its operator, and [`Parts`] of which the output is not used.
pub(crate) struct Side<'a, G, const W: usize> {
    pub(crate) geometry: &'a G,
    pub(crate) parts: Parts<'a, W>,
}

/// The drive `W x + b`, outside the autodiff graph and without an output function.
pub(crate) fn drive<G: Geometry<X, W>, const X: usize, const W: usize>(
    side: Side<G, W>,
    x: Tensor<X>,
) -> Tensor<X> {
    let Side { geometry, parts } = side;
    let (x, w) = (x.inner(), parts.weight.val().inner());
    check_types(geometry.name(), &x, &w);
    let pass = Pass { geometry, x: geometry.prepare(x), w, bias: None, forms: parts.forms };
    with_bias(pass.respond(), parts.bias.map(|bias| bias.val().inner()))
}

/// The transpose of the layer, `Σ_k y_k w_k` laid where each patch lies in an input of these dimensions; without bias,
/// outside the autodiff graph.
pub(crate) fn feedback<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    y: Tensor<X>,
    weight: &Param<Tensor<W>>,
    input: [usize; X],
) -> Tensor<X> {
    let (y, w) = (y.inner(), weight.val().inner());
    check_types(geometry.name(), &y, &w);
    if let Some(expected) = geometry.output(input) {
        let got = y.dims();
        let name = geometry.name();
        assert!(got == expected, "{name}: feedback into {input:?} takes {expected:?}, got {got:?}");
    }
    let prepared = geometry.prepared(input, &y);
    geometry.prepare_back(geometry.feed_back(y, w, prepared), input)
}

/// Reports what the layer learns from the states of all phases of one batch, if it is observed.
pub(crate) fn observe<G: Geometry<X, W>, const X: usize, const W: usize>(
    side: Side<G, W>,
    pairs: &[StatePair<X>],
    seat: &Seat,
) {
    let taught = seat.pass().and_then(|(pass, place)| Some((pass, place, pass.selection(place)?)));
    let Some((observer, place, selection)) = taught else { return };
    if !selection.rule.learns_from_given_states() {
        return observer.refuse(
            place,
            RuleError::Custom(format!(
                "it was handed states, and learns by {:?}: in the plan it needs `LocalTraining::from_given_states`",
                selection.rule
            )),
        );
    }
    match check(side.geometry, pairs) {
        Ok(()) => observer.report(place, sums(side, pairs)),
        Err(reason) => observer.refuse(place, RuleError::Custom(reason)),
    }
}

/// Refuses states that are not those of one batch on both sides of the layer.
fn check<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    pairs: &[StatePair<X>],
) -> Result<(), String> {
    let Some(first) = pairs.first() else {
        return Err("states of no phase were handed to it".to_string());
    };
    let input = first.input.dims();
    if input.contains(&0) {
        return Err(format!("nothing can be learned from an empty batch, got states of {input:?}"));
    }
    for StatePair { input: below, state, weight } in pairs {
        let (below, state) = (below.dims(), state.dims());
        if below != input {
            return Err(format!("states of one batch must have one shape, got {input:?} and {below:?}"));
        }
        let expected = geometry.output(input).unwrap_or(state);
        if state != expected || state[0] != input[0] {
            return Err(format!("a state above {input:?} must be {expected:?}, got {state:?}"));
        }
        if !weight.is_finite() {
            return Err(format!("the weight of a phase must be finite, got {weight}"));
        }
    }
    Ok(())
}

/// `Σ k corr(x, s)` and `Σ k s` over all phases; images count once.
fn sums<G: Geometry<X, W>, const X: usize, const W: usize>(side: Side<G, W>, pairs: &[StatePair<X>]) -> Sums {
    let Side { geometry, parts } = side;
    let layout = geometry.layout();
    let parts = pairs.iter().map(|StatePair { input, state, weight }| {
        let (x, s) = (learnable(input.clone()), learnable(state.clone()).mul_scalar(*weight));
        let bias = over_patches(s.clone(), &layout);
        let products = geometry.correlate(geometry.prepare(x), s, parts.forms.correlation);
        (products.reshape([layout.num_elements()]), bias)
    });
    let add = |(products, bias): (Tensor<1>, Tensor<1>), (more, others)| (products + more, bias + others);
    let (products, bias) = parts.reduce(add).expect("checked: there are pairs");
    let images = pairs[0].input.dims()[0];
    let mass = Tensor::full([1], images as f64, (&products.device(), products.dtype()));
    Sums::new(products, Some(mass.clone()), Some(Tensor::cat(vec![bias, mass], 0)))
}

/// `[n, K, positions…]` → `[K]`.
fn over_patches<const X: usize>(s: Tensor<X>, layout: &WeightLayout) -> Tensor<1> {
    let dims = s.dims();
    let neurons = layout.total_neurons();
    let positions = dims[2..].iter().product();
    s.reshape([dims[0], neurons, positions]).sum_dims_squeeze(&[0, 2])
}
