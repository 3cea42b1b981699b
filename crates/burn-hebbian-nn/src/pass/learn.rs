//! One forward pass through a layer, and what it teaches if somebody observes it.

use burn::{
    module::Param,
    tensor::{DType, GradientCheckpointingStrategy, Tensor},
};
use burn_hebbian_core::{
    Activity, Finish, LocalRule, Reduction, RuleError, Signals, Sums, WeightLayout, Weighted,
};

use crate::{
    cube,
    forms::Forms,
    fused::{Fused, fused},
    geometry::{Geometry, check_responses, check_types},
    observe::{GradientFlow, Seat, Selection},
    parallel::map,
    precision::{is_learnable, learnable, whole},
};

use super::{
    blocks::blocks,
    output::Output,
    recurrence::{recurrence_product, recurrence_product_by},
    responses::{Pass, to_neurons},
};

/// What a layer brings into a pass beside its input.
pub(crate) struct Parts<'a, const W: usize> {
    pub(crate) weight: &'a Param<Tensor<W>>,
    pub(crate) bias: Option<&'a Param<Tensor<1>>>,
    pub(crate) state: Option<&'a Param<Tensor<1>>>,
    pub(crate) output: &'a Output,
    pub(crate) forms: Forms,
}

/// The layer's output for `x`; in a pass that is observed, if its observer selects the layer, sums are reported on the way.
pub(crate) fn forward<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    parts: Parts<W>,
    seat: &Seat,
) -> Tensor<X> {
    let taught = seat.pass().and_then(|(pass, place)| Some((pass, place, pass.selection(place)?)));
    let Some((observer, place, selection)) = taught else {
        return output(geometry, x, parts);
    };
    if selection.rule.learns_from_given_states() {
        return hand_on(geometry, x, parts, &selection);
    }
    let signals = observer.signals(place);
    if let Err(reason) = check_forward(&*selection.rule, &signals, x.dims()) {
        observer.refuse(place, reason);
        return output(geometry, x, parts);
    }
    let (y, sums) = learn_from(geometry, x, parts, signals, selection);
    match sums {
        Ok(sums) => observer.report(place, sums),
        Err(reason) => observer.refuse(place, reason),
    }
    y
}

/// The output of a layer that learns from states that are handed to it, with the gradient flow of its selection.
fn hand_on<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    parts: Parts<W>,
    selection: &Selection,
) -> Tensor<X> {
    let w = parts.weight.val();
    let lift = Lift::of(&x, &w);
    let (x, w) = cut(x, w, selection);
    lift.restore(output_by(geometry, x, w, parts))
}

/// Refuses a rule that no forward pass teaches, a batch that nobody can learn from, and one that signals do not belong to.
fn check_forward<const X: usize>(
    rule: &dyn LocalRule,
    signals: &Signals,
    input: [usize; X],
) -> Result<(), RuleError> {
    if rule.learns_from_spikes() {
        return Err(RuleError::SpikesMissing);
    }
    check_batch(input)?;
    rule.check_images(signals, input[0])
}

pub(super) fn check_batch<const X: usize>(input: [usize; X]) -> Result<(), RuleError> {
    match input.contains(&0) {
        false => Ok(()),
        true => Err(RuleError::Custom(format!(
            "nothing can be learned from an empty batch, got an input of {input:?}"
        ))),
    }
}

/// The output alone.
fn output<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    parts: Parts<W>,
) -> Tensor<X> {
    let w = parts.weight.val();
    output_by(geometry, x, w, parts)
}

/// The output alone, by a weight in the place of the layer's.
pub(super) fn output_by<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    w: Tensor<W>,
    parts: Parts<W>,
) -> Tensor<X> {
    let Parts { weight: _, bias, state, output, forms } = parts;
    let (dtype, state) = (x.dtype(), state.map(|state| learnable(state.val())));
    let (x, w) = admit(geometry, x, w, !output.is_plain());
    let pass = Pass { geometry, x: geometry.prepare(x), w, bias: None, forms };
    let dot = pass.respond();
    let dims = dot.dims();
    let seen = see(&pass, dot, Signals::none(), state);
    with_bias(output.of(&seen).reshape(dims).cast(dtype), bias.map(|bias| bias.val()))
}

/// The output, and what the layer learns on the way.
fn learn_from<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    parts: Parts<W>,
    signals: Signals,
    selection: Selection,
) -> (Tensor<X>, Result<Sums, RuleError>) {
    let Parts { weight, bias, state, output, forms } = parts;
    let (w, dtype) = (weight.val(), x.dtype());
    let (bias, state) = (bias.map(|bias| bias.val()), state.map(|state| learnable(state.val())));
    let lift = Lift::of(&x, &w);
    let (x, w) = cut(x, w, &selection);
    let (x, w) = admit(geometry, x, w, true);
    let pass = Pass { geometry, x: geometry.prepare(x), w, bias: bias.clone().map(learnable), forms };
    let lesson = Lesson { signals, state, selection, output };
    // the fused pass knows no signals with positions
    let fuses = lesson.signals.apical.is_none();
    let (rule, signals) = (&*lesson.selection.rule, &lesson.signals);
    let fused = fuses.then(|| {
        let on_cpu = fused(pass.operands(), rule, signals);
        on_cpu.or_else(|| cube::fused(geometry, &pass.operands(), rule, signals))
    });
    let (y, sums) = match fused.flatten() {
        Some(fused) => {
            let (y, sums) = lesson.teach_fused(&pass, fused);
            (y, Ok(sums))
        }
        None => lesson.teach_if_signals_fit(&pass, pass.respond()),
    };
    (lift.restore(with_bias(y.cast(dtype), bias)), sums)
}

/// What a layer learns with, beside its pass.
struct Lesson<'a> {
    signals: Signals,
    state: Option<Tensor<1>>,
    selection: Selection,
    output: &'a Output,
}

impl Lesson<'_> {
    /// The output for the responses `dot`, and what the layer learns if its signals lie where its responses do.
    fn teach_if_signals_fit<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        pass: &Pass<G, X, W>,
        dot: Tensor<X>,
    ) -> (Tensor<X>, Result<Sums, RuleError>) {
        let dims = dot.dims();
        let positions = dims[2..].iter().product();
        match self.signals.check_positions(&pass.geometry.layout(), positions) {
            Ok(()) => {
                let (y, sums) = self.teach(pass, dot);
                (y, Ok(sums))
            }
            Err(reason) => {
                let seen = see(pass, dot, Signals::none(), self.state.clone());
                (self.output.of(&seen).reshape(dims), Err(reason))
            }
        }
    }

    /// The output for the responses `dot`, and what the layer learns: in blocks of images where that pays.
    fn teach<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        pass: &Pass<G, X, W>,
        dot: Tensor<X>,
    ) -> (Tensor<X>, Sums) {
        let images = dot.dims()[0];
        let responses = dot.dims()[1..].iter().product();
        let weights = pass.geometry.layout().num_elements();
        let adds_up = self.selection.rule.adds_up() && !dot.is_autodiff() && self.signals.are_of(images);
        let blocks = if adds_up { blocks(&dot.device(), images, responses, weights) } else { Vec::new() };
        if blocks.len() < 2 {
            return self.teach_block(pass, dot, self.signals.clone());
        }
        let parts = map(blocks, |images| {
            let dot = dot.clone().narrow(0, images.start, images.len());
            self.teach_block(&pass.of(images.clone()), dot, self.signals.of(images))
        });
        drop(dot);
        let (outputs, sums): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (Tensor::cat(outputs, 0), sums.into_iter().reduce(Sums::merge).expect("there are blocks"))
    }

    /// The output and what the layer learned on the way to its responses.
    fn teach_fused<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        pass: &Pass<G, X, W>,
        fused: Fused<X>,
    ) -> (Tensor<X>, Sums) {
        let layout = pass.geometry.layout();
        let dot = pass.responses(fused.dot);
        let dims = dot.dims();
        let patches = dims[0] * dims[2..].iter().product::<usize>();
        let mass = mass(fused.mass, &self.selection.rule.finish(), patches, &dot);
        let sums = match fused.gram {
            None => Sums::new(fused.correlation, mass, None),
            Some((gram, mask)) => {
                let weight = layout.view(pass.w.clone().inner());
                let taken = recurrence_product_by(&layout, weight, gram, mask);
                let sum = layout.view(fused.correlation.into_values()) - taken;
                Sums::new(sum.reshape([layout.num_elements()]), mass, None)
            }
        };
        let seen = see(pass, dot, self.signals.clone(), self.state.clone()).learning();
        (self.output.of(&seen).reshape(dims), sums)
    }

    fn teach_block<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        pass: &Pass<G, X, W>,
        dot: Tensor<X>,
        signals: Signals,
    ) -> (Tensor<X>, Sums) {
        let dims = dot.dims();
        let seen = see(pass, dot.clone(), signals.clone(), self.state.clone()).learning();
        let sums = if is_learnable(&dot) {
            // the norms that the output needs too are computed once
            learn(pass, dims, &seen, &self.selection)
        } else {
            let pass = pass.for_learning();
            let seen = see(&pass, learnable(dot), signals, self.state.clone()).learning();
            learn(&pass, dims, &seen, &self.selection)
        };
        (self.output.of(&seen).reshape(dims), sums)
    }
}

/// The activity of responses `dot` in the layer's own output shape.
pub(super) fn see<'a, G: Geometry<X, W>, const X: usize, const W: usize>(
    pass: &'a Pass<G, X, W>,
    dot: Tensor<X>,
    signals: Signals,
    state: Option<Tensor<1>>,
) -> Activity<'a> {
    let mut spatial = [1; 3];
    let dims = dot.dims();
    check_responses(pass.geometry.name(), &pass.geometry.layout(), dims);
    spatial[5 - X..].copy_from_slice(&dims[2..]);
    let dot = to_neurons(dot, &pass.geometry.layout());
    Activity::new(dot, signals, pass).with_spatial(spatial).with_state(state)
}

/// Input and weight as a pass takes them. If something is made of the responses, those of `f16` are computed in `f32`:
/// they overflow where what is made of them does not.
fn admit<G: Geometry<X, W>, const X: usize, const W: usize>(
    geometry: &G,
    x: Tensor<X>,
    w: Tensor<W>,
    made_of: bool,
) -> (Tensor<X>, Tensor<W>) {
    check_types(geometry.name(), &x, &w);
    match x.dtype() {
        DType::F16 if made_of => (whole(x), whole(w)),
        _ => (x, w),
    }
}

/// Cuts out of the autodiff graph what the selection does not want in it.
pub(super) fn cut<const X: usize, const W: usize>(
    x: Tensor<X>,
    w: Tensor<W>,
    selection: &Selection,
) -> (Tensor<X>, Tensor<W>) {
    let x = if selection.flow == GradientFlow::Block { x.inner() } else { x };
    let w = if selection.backprop { w } else { w.inner() };
    (x, w)
}

/// The autodiff association a layer's output has, even where the layer itself ran outside the graph.
pub(super) struct Lift(Option<GradientCheckpointingStrategy>);

impl Lift {
    pub(super) fn of<const X: usize, const W: usize>(x: &Tensor<X>, w: &Tensor<W>) -> Self {
        Self(x.gradient_checkpointing_strategy().or_else(|| w.gradient_checkpointing_strategy()))
    }

    pub(super) fn restore<const X: usize>(self, y: Tensor<X>) -> Tensor<X> {
        match self.0 {
            Some(strategy) if !y.is_autodiff() => y.autodiff().with_gradient_checkpointing_strategy(strategy),
            _ => y,
        }
    }
}

/// Adds the bias along axis 1, that of the neurons.
pub(super) fn with_bias<const X: usize>(y: Tensor<X>, bias: Option<Tensor<1>>) -> Tensor<X> {
    let Some(bias) = bias else { return y };
    let mut dims = [1; X];
    dims[1] = bias.dims()[0];
    y + bias.reshape(dims)
}

/// What the rule makes of the activity, summed: `corr(x, C) − K · W − W ⊙ corr(x, t)` and what rules of spikes add, and the mass.
pub(super) fn learn<G: Geometry<X, W>, const X: usize, const W: usize>(
    pass: &Pass<G, X, W>,
    dims: [usize; X],
    activity: &Activity,
    selection: &Selection,
) -> Sums {
    let layout = pass.geometry.layout();
    let factors = selection.rule.factors(activity);
    let dot = activity.dot();
    let [n, _, _, positions] = dot.dims();
    let mass = mass(factors.mass, &selection.rule.finish(), n * positions, &dot);
    let weight = || layout.view(pass.w.clone());
    let mut numerator = match factors.coefficients {
        Some(c) => layout.view(pass.correlate(c, dims, layout.neurons)),
        None => weight().zeros_like(),
    };
    for Weighted { coefficients, by } in factors.weighted {
        let correlation = layout.view(pass.correlate(coefficients, dims, layout.neurons));
        numerator = numerator + by.of(weight()) * correlation;
    }
    if let Some(offset) = factors.offset {
        numerator = numerator + offset.reshape([layout.groups, 1, layout.neurons, 1]);
    }
    if let Some(decay) = factors.decay {
        numerator = numerator - layout.scale_neurons(weight(), decay);
    }
    if let Some(matrix) = factors.matrix {
        numerator = numerator - recurrence_product(&layout, weight(), matrix, pass.forms.recurrence);
    }
    if let Some(taps) = factors.taps {
        let one_neuron = WeightLayout { neurons: 1, ..layout };
        numerator = numerator - weight() * one_neuron.view(pass.correlate(taps, dims, 1));
    }
    Sums::new(numerator.reshape([layout.num_elements()]), mass, factors.statistics)
}

/// What [`Finish`] will divide by; `like` tells device and precision.
fn mass<const D: usize>(
    weights: Option<Tensor<2>>,
    finish: &Finish,
    patches: usize,
    like: &Tensor<D>,
) -> Option<Tensor<1>> {
    match finish.reduction {
        Reduction::Mean => Some(Tensor::full([1], patches as f64, (&like.device(), like.dtype()))),
        Reduction::Weighted => {
            let mass = weights.expect("a rule with a weighted reduction gives Factors::with_mass_of");
            let [groups, neurons] = mass.dims();
            Some(mass.reshape([groups * neurons]))
        }
        _ => None,
    }
}
