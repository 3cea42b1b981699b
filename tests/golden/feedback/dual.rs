//! Dual propagation: both states of every layer, and updates.

use burn::tensor::Tensor;
use burn_hebbian::feedback::{DualForm, DualPropagation, FastDualPropagation, Method, States};
use serde::Deserialize;

use super::{
    case::Case,
    chain::{Plans, Subject, message},
    compare::Comparison,
    hyper::NetHyper,
};

#[derive(Deserialize)]
struct DualHyper {
    form: String,
    alpha: f64,
    beta: f64,
    sequence: Vec<usize>,
    /// Stated by the case: rounding where no unit changes sign, for the forms that are backprop then.
    relative_difference_to_backprop: f64,
}

pub(super) fn relaxed(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (net, hyper): (NetHyper, DualHyper) = (case.hyper()?, case.hyper()?);
    let form = match hyper.form.as_str() {
        "adjoint" => DualForm::Adjoint,
        "2023" => DualForm::Original,
        other => return Err(format!("no form `{other}`")),
    };
    let dual = DualPropagation::new(form, hyper.alpha, hyper.beta, net.cost()?).with_sequence(hyper.sequence);
    let (subject, plans) = (Subject::of(case, &net, comparison)?, Plans::of(&net)?);
    let (x, targets) = batch(case, comparison)?;
    let learned = dual.learn(&subject.optim, &subject.model, |model| plans.chain(model), x, targets);
    let (states, updates) = learned.map_err(message)?;
    for (name, states) in [("ff", &states.forward), ("plus", &states.plus), ("minus", &states.minus)] {
        check_states(case, name, states, comparison);
    }
    if hyper.relative_difference_to_backprop < 1e-12 {
        // then `grad.*` is the same update
        return check_both(&subject, case, &dual, &plans, comparison);
    }
    gradients(case, comparison);
    subject.check_updates(case, ["delta_w", "delta_b"], updates, comparison)
}

fn check_both(
    subject: &Subject,
    case: &Case,
    dual: &DualPropagation,
    plans: &Plans,
    comparison: &mut Comparison,
) -> Result<(), String> {
    for names in [["delta_w", "delta_b"], ["grad.w", "grad.b"]] {
        let (x, targets) = batch(case, comparison)?;
        let learned = dual.learn(&subject.optim, &subject.model, |model| plans.chain(model), x, targets);
        subject.check_updates(case, names, learned.map_err(message)?.1, comparison)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct FastHyper {
    beta: f64,
}

pub(super) fn fast(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (net, hyper): (NetHyper, FastHyper) = (case.hyper()?, case.hyper()?);
    let fast = FastDualPropagation::new(hyper.beta, net.cost()?);
    let (subject, plans) = (Subject::of(case, &net, comparison)?, Plans::of(&net)?);
    let (x, targets) = batch(case, comparison)?;
    let learned = fast.learn(&subject.optim, &subject.model, |model| plans.chain(model), x, targets);
    let (_, updates) = learned.map_err(message)?;
    gradients(case, comparison);
    subject.check_updates(case, ["delta_w", "delta_b"], updates, comparison)
}

fn batch(case: &Case, comparison: &Comparison) -> Result<(Tensor<2>, Tensor<2>), String> {
    ["x", "target"].into_iter().for_each(|name| comparison.given(name));
    Ok((case.rows("x", comparison.dtype)?, case.rows("target", comparison.dtype)?))
}

/// What backprop would have learned, from which these cases differ.
fn gradients(case: &Case, comparison: &Comparison) {
    case.names().filter(|name| name.starts_with("grad.")).for_each(|name| comparison.given(name));
}

fn check_states(case: &Case, prefix: &str, states: &States, comparison: &mut Comparison) {
    for layer in 1..=states.len() {
        let name = format!("{prefix}.s{layer}");
        match case.data(&name).map(|stored| stored.shape().num_dims()) {
            Some(4) => comparison.check(&name, states.layer::<4>(layer)),
            _ => comparison.check(&name, states.layer::<2>(layer)),
        }
    }
}
