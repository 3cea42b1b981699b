//! Families that settle: trajectories, energies, products of each phase, updates.

use burn::tensor::Tensor;
use burn_hebbian::{
    feedback::{Chain, Moment, Settling, Sides, States},
    optim::Updates,
    prelude::*,
};
use serde::Deserialize;

use super::{
    case::Case,
    chain::{Plans, Subject, message},
    compare::Comparison,
    hyper::{NetHyper, SettleHyper, order},
};

/// Everything that a case has of its phases.
pub(super) fn phases(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (net, hyper): (NetHyper, SettleHyper) = (case.hyper()?, case.hyper()?);
    let plans = Plans::of(&net)?;
    let subject = Subject::of(case, &net, comparison)?;
    let settling = hyper.settling(&net)?;
    let batch = Batch::of(case, comparison)?;
    trajectories(case, &hyper, &settling, &plans, &subject, &batch, comparison)?;
    let learned = learn(&settling, &plans, &subject, &batch)?;
    subject.check_updates(case, ["delta_w", "delta_b"], learned, comparison)?;
    for phase in &hyper.phases {
        let names = ["w", "b"].map(|kind| format!("{}.hebb_{kind}", phase.name));
        if !case.names().any(|name| names.iter().any(|start| name.starts_with(start))) {
            continue;
        }
        let alone = hyper.settling_of(&net, |name| if name == phase.name { 1.0 } else { 0.0 })?;
        let learned = learn(&alone, &plans, &subject, &batch)?;
        subject.check_updates(case, [&names[0], &names[1]], learned, comparison)?;
    }
    match hyper.rate_online {
        Some(rate) => online(rate, &settling, &plans, subject, &batch, comparison),
        None => Ok(()),
    }
}

/// What settles.
struct Batch {
    x: Tensor<2>,
    targets: Tensor<2>,
    initial: Option<Vec<Tensor<2>>>,
}

impl Batch {
    fn of(case: &Case, comparison: &Comparison) -> Result<Self, String> {
        let dtype = comparison.dtype;
        let mut initial = Vec::new();
        for layer in 1.. {
            let name = format!("init.s{layer}");
            if case.data(&name).is_none() {
                break;
            }
            initial.push(case.rows(&name, dtype)?);
            comparison.given(name);
        }
        ["x", "target"].into_iter().for_each(|name| comparison.given(name));
        let initial = (!initial.is_empty()).then_some(initial);
        Ok(Self { x: case.rows("x", dtype)?, targets: case.rows("target", dtype)?, initial })
    }

    fn initial(&self, chain: &Chain) -> Result<Option<States>, String> {
        self.initial.clone().map(|values| chain.states(values)).transpose().map_err(message)
    }
}

fn learn(settling: &Settling, plans: &Plans, subject: &Subject, batch: &Batch) -> Result<Updates, String> {
    let Subject { model, optim } = subject;
    let observed = optim.observe(model, Signals::none(), |model| {
        let chain = plans.chain(model);
        let initial = batch.initial(&chain)?;
        settling.teach_from(&chain, batch.x.clone(), batch.targets.clone(), initial).map_err(message)
    });
    let (settled, seen) = observed.map_err(|error| error.to_string())?;
    settled?;
    Ok(seen.local_only())
}

/// The states of every phase after every sweep, their energies, and what a read-out says.
fn trajectories(
    case: &Case,
    hyper: &SettleHyper,
    settling: &Settling,
    plans: &Plans,
    subject: &Subject,
    batch: &Batch,
    comparison: &mut Comparison,
) -> Result<(), String> {
    let chain = plans.chain(&subject.model);
    let mut seen: Vec<Vec<States>> = vec![Vec::new(); hyper.phases.len()];
    let watch = |moment: Moment| {
        if hyper.stores(moment.sweep) {
            seen[moment.phase - 1].push(moment.states.clone());
        }
    };
    let (x, targets) = (batch.x.clone(), batch.targets.clone());
    settling.settle_from(&chain, x, targets, batch.initial(&chain)?, watch).map_err(message)?;
    for (phase, seen) in hyper.phases.iter().zip(&seen) {
        let last = seen.last().ok_or("a phase without a sweep")?;
        for layer in 1..=last.len() {
            let name = format!("{}.s{layer}", phase.name);
            if case.data(&name).is_some_and(|stored| stored.shape().num_dims() == 3) {
                let stacked = seen.iter().map(|states| states.layer::<2>(layer)).collect();
                comparison.check(&name, Tensor::stack::<3>(stacked, 0));
            } else {
                let stacked = seen.iter().map(|states| states.layer::<4>(layer)).collect();
                comparison.check(&name, Tensor::stack::<5>(stacked, 0));
            }
        }
        let energy = format!("{}.energy", phase.name);
        if case.data(&energy).is_some() {
            let of = |states: &States| chain.energy(batch.x.clone(), states).map_err(message);
            let energies = seen.iter().map(of).collect::<Result<Vec<_>, _>>()?;
            comparison.check(&energy, Tensor::stack::<2>(energies, 0));
        }
        let logits = format!("{}.logits", phase.name);
        if case.data(&logits).is_some() {
            comparison.check(&logits, chain.answer(last).map_err(message)?);
        }
    }
    Ok(())
}

/// One image after another, each step from the weights that the one before it left.
fn online(
    rate: f64,
    settling: &Settling,
    plans: &Plans,
    mut subject: Subject,
    batch: &Batch,
    comparison: &mut Comparison,
) -> Result<(), String> {
    for image in 0..batch.x.dims()[0] {
        let one = |rows: &Tensor<2>| rows.clone().narrow(0, image, 1);
        let initial = batch.initial.as_ref().map(|states| states.iter().map(one).collect());
        let batch = Batch { x: one(&batch.x), targets: one(&batch.targets), initial };
        let updates = learn(settling, plans, &subject, &batch)?;
        let stepped = subject.optim.step(rate, subject.model, updates);
        subject.model = stepped.map_err(|error| error.to_string())?;
    }
    subject.check_weights("online.", comparison);
    Ok(())
}

#[derive(Deserialize)]
struct SlopeHyper {
    betas: Vec<f64>,
    sweeps_free: usize,
    sweeps_nudged: usize,
    order: String,
}

/// Equilibrium propagation of every side at several nudgings. `grad.*` is what the updates tend to, not what they are.
pub(super) fn slope(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (net, hyper): (NetHyper, SlopeHyper) = (case.hyper()?, case.hyper()?);
    let plans = Plans::of(&net)?;
    let subject = Subject::of(case, &net, comparison)?;
    let batch = Batch::of(case, comparison)?;
    limits(case, comparison);
    for (name, sides) in [("PEP", Sides::Positive), ("NEP", Sides::Negative), ("CEP", Sides::Centered)] {
        for (number, beta) in hyper.betas.iter().enumerate() {
            let settling = Settling::equilibrium(sides, *beta, hyper.sweeps_free, hyper.sweeps_nudged);
            let settling = settling.map_err(message)?.with_cost(net.cost()?).with_order(order(&hyper.order)?);
            let learned = learn(&settling.with_fixed_sweeps(), &plans, &subject, &batch)?;
            let names = ["w", "b"].map(|kind| format!("{name}.beta{number}.delta_{kind}"));
            subject.check_updates(case, [&names[0], &names[1]], learned, comparison)?;
        }
    }
    Ok(())
}

/// Gradients that updates tend to, for the tests of how fast they do.
fn limits(case: &Case, comparison: &Comparison) {
    case.names().filter(|name| name.starts_with("grad.")).for_each(|name| comparison.given(name));
}

#[derive(Deserialize)]
struct WeakHyper {
    gammas: Vec<f64>,
    order: String,
    phases: Vec<Sweeps>,
    float32_error_of_delta_by_gamma: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct Sweeps {
    name: String,
    sweeps: usize,
}

/// Contrastive Hebbian learning with a linear output, settled, at several factors of feedback.
pub(super) fn weak_feedback(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let (net, hyper): (NetHyper, WeakHyper) = (case.hyper()?, case.hyper()?);
    let plans = Plans::of(&net)?;
    let subject = Subject::of(case, &net, comparison)?;
    let batch = Batch::of(case, comparison)?;
    limits(case, comparison);
    let sweeps = hyper.phases.iter().map(|phase| phase.sweeps).max().ok_or("no phases")?;
    for (number, gamma) in hyper.gammas.iter().enumerate() {
        let settling = Settling::contrastive_hebbian(*gamma, sweeps).map_err(message)?;
        let settling = settling.with_fixed_sweeps().with_order(order(&hyper.order)?);
        let chain = plans.chain(&subject.model);
        let settled = settling.settle(&chain, batch.x.clone(), batch.targets.clone()).map_err(message)?;
        for (phase, end) in hyper.phases.iter().zip(&settled.phases) {
            for layer in 1..=end.states.len() {
                let name = format!("g{number}.{}.s{layer}", phase.name);
                match case.data(&name).map(|stored| stored.shape().num_dims()) {
                    Some(4) => comparison.check(&name, end.states.layer::<4>(layer)),
                    _ => comparison.check(&name, end.states.layer::<2>(layer)),
                }
            }
        }
        let stated =
            hyper.float32_error_of_delta_by_gamma.as_ref().and_then(|errors| errors.get(number).copied());
        let learned = learn(&settling, &plans, &subject, &batch)?;
        let names = ["w", "b"].map(|kind| format!("g{number}.delta_{kind}"));
        comparison.stating(stated, |comparison| {
            subject.check_updates(case, [&names[0], &names[1]], learned, comparison)
        })?;
    }
    Ok(())
}
