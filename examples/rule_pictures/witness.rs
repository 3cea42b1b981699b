//! Seeing what a rule decides: a rule around the rule.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use burn::tensor::Tensor;
use burn_hebbian::{
    lab::data::Labeled,
    prelude::*,
    rules::{Activity, Factors, WeightLayout},
};

use crate::lesson::all;

/// A rule that remembers its coefficients.
#[derive(Clone)]
struct Witness {
    rule: Rule,
    seen: Arc<Mutex<Option<Tensor<4>>>>,
}

/// As the rule itself: by their descriptions layers know whether the state they keep is their rule's.
impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rule.fmt(f)
    }
}

impl LocalRule for Witness {
    fn factors(&self, activity: &Activity) -> Factors {
        let factors = self.rule.factors(activity);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&factors.coefficients);
        factors
    }

    fn initial_state(&self, layout: &WeightLayout) -> Option<Vec<f32>> {
        self.rule.initial_state(layout)
    }

    fn statistics_len(&self, layout: &WeightLayout) -> usize {
        self.rule.statistics_len(layout)
    }
}

/// The coefficients with which `layer` would learn each patch of `images` by `rule`, `[patches, neurons]`.
pub(crate) fn coefficients(layer: &HebbianConv2d, rule: Rule, images: &Labeled) -> Result<Tensor<2>> {
    let witness = Witness { rule, seen: Arc::default() };
    let plan = Plan::new().local(".*", LocalTraining::custom(witness.clone()));
    let (layer, plan) = plan.bind(layer.clone())?;
    drop(plan.observe(&layer, Signals::none(), |layer| layer.forward(all(images)))?); // nothing is learned
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    let c = seen.context("the rule has no coefficients")?; // [n, 1, neurons, positions]
    let [n, _, neurons, positions] = c.dims();
    Ok(c.swap_dims(2, 3).reshape([n * positions, neurons]))
}
