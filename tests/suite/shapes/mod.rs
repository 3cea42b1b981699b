//! Shapes and types of what enters a layer: a message with the kind of layer and both numbers, or the right answer.

mod columns;
mod sizes;
mod types;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    tensor::{DType, Tensor},
};
use burn_hebbian::{
    nn::{
        Output,
        observe::{GradientFlow, Ownership, Pass, Selection, with_binding, with_seats},
    },
    prelude::*,
    rules::{Activation, RuleError, Similarity, Sums},
};
use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = sizes::trials();
    trials.extend(types::trials());
    trials.extend(columns::trials());
    trials
}

const TYPES: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::BF16];

/// Changes the data type of all parameters.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.cast(self.0))
    }
}

/// Lets every layer learn, and takes what it sums.
struct Ear {
    selection: Selection,
    sums: Mutex<Vec<Sums>>,
    refusals: Mutex<Vec<RuleError>>,
}

impl Pass for Ear {
    fn selection(&self, _place: usize) -> Option<Selection> {
        Some(self.selection.clone())
    }

    fn signals(&self, _place: usize) -> Signals {
        Signals::none()
    }

    fn report(&self, _place: usize, sums: Sums) {
        self.sums.lock().unwrap().push(sums);
    }

    fn refuse(&self, _place: usize, reason: RuleError) {
        self.refusals.lock().unwrap().push(reason);
    }

    fn report_running(&self, _id: ParamId, _shift: Tensor<1>) {}
}

/// What `forward` gives, and what the layer in it learned.
fn observed<M: Module, R>(
    layer: &M,
    rule: impl LocalRule + 'static,
    flow: GradientFlow,
    forward: impl FnOnce(&M) -> R,
) -> (R, Sums) {
    let rule: Arc<dyn LocalRule> = Arc::new(rule);
    let ownership = Ownership { owner: 1, rules: BTreeMap::from([(0, rule.clone())]) };
    let selection = Selection { rule, flow, backprop: false };
    let ear = Arc::new(Ear { selection, sums: Mutex::default(), refusals: Mutex::default() });
    let bound = with_binding(ownership, || layer.clone().map(&mut Unchanged));
    let (copy, _) = with_seats(ear.clone(), || bound.map(&mut Unchanged));
    let output = forward(&copy);
    if let Some(reason) = ear.refusals.lock().unwrap().pop() {
        panic!("{reason}");
    }
    let sums = ear.sums.lock().unwrap().pop().expect("the layer learned");
    (output, sums)
}

struct Unchanged;

impl ModuleMapper for Unchanged {}

fn outputs() -> Vec<(&'static str, Output)> {
    let of = |similarity| Output::new(similarity, Activation::Linear);
    vec![
        ("plain", Output::default()),
        ("relu_projection", Output::relu_projection()),
        ("relu_cosine", Output::relu_cosine()),
        ("projection", Output::projection()),
        ("raised", of(Similarity::RaisedCosine { power: 1.0 })),
        ("raised_cubed", of(Similarity::RaisedCosine { power: 3.0 })),
        ("gaussian", of(Similarity::Gaussian { sigma: None })),
        ("krotov", of(Similarity::Lebesgue { p: 3.0 })),
        ("triangle", Output::new(Similarity::Projection, Activation::Triangle { power: 1.0 })),
        ("tanh", Output::new(Similarity::Cosine, Activation::Tanh)),
        ("score", Output::new(Similarity::Cosine, Activation::Score { sub_gaussian: 0.5 })),
    ]
}

fn message<R>(body: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(body()))) else { return "no panic".to_string() };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
