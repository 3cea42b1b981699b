//! Sparse codes by learned inhibition.

use anyhow::Result;
use burn::nn::Initializer;
use burn_hebbian::lab::digits::SIDE;
use burn_hebbian::prelude::Rule;

use crate::{
    data::Data,
    lesson::Lesson,
    measures::{
        codes::correlation,
        vectors::{scalar, spread},
    },
    picture::Picture,
    witness::coefficients,
};

/// The share of digits that each neuron should answer.
const TARGET: f64 = 0.1;

/// Each neuron active in a tenth of the digits, any two uncorrelated.
pub(crate) fn foldiak(data: &Data) -> Result<Picture> {
    let rule = Rule::foldiak(TARGET);
    let initial = Initializer::Normal { mean: 0.0, std: 1.0 / SIDE as f64 };
    let lesson = Lesson { rate: 0.02, steps: 4000, initial, ..Lesson::new(rule.clone(), 36, &data.whitened) };
    let layer = lesson.learn()?;
    let outputs = coefficients(&layer, rule, lesson.images)?;
    let means = outputs.clone().mean_dim(0).squeeze_dim(0);
    let deviation = scalar(means.clone().sub_scalar(TARGET).abs().mean());
    let line = format!(
        "mean activity {:.3} for a target of {TARGET} (mean deviation of a neuron {deviation:.3}), \
         mean |correlation| of two neurons {:.3}",
        spread(means)[0],
        correlation(outputs)
    );
    Ok(Picture::of(&layer, 9, line))
}
