//! Plain instar, without competition.

use anyhow::Result;
use burn_hebbian::{prelude::Rule, rules::Activation};

use crate::{
    data::Data,
    lesson::{Lesson, all, vectors},
    measures::vectors::{norms, row_cosines, spread},
    picture::{Picture, course},
    witness::coefficients,
};

/// Neurons move towards what they respond to, without others all to the same: rows are moments of training.
pub(crate) fn instar(data: &Data) -> Result<Picture> {
    // linear responses of both signs can diverge
    let rule = Rule::instar().with_activation(Activation::Relu);
    let lesson = Lesson { rate: 0.5, ..Lesson::new(rule.clone(), 8, &data.unit) };
    let (layer, rows) = course(&lesson, &[0, 15, 25, 40, 1000])?;
    let y = coefficients(&layer, rule, lesson.images)?; // [n, k]
    let typical = y.transpose().matmul(all(lesson.images).flatten(1, 3)); // Σ y x, [k, 64]
    let [_, smallest, _] = spread(row_cosines(vectors(&layer), typical));
    let [norm, ..] = spread(norms(vectors(&layer)));
    let line = format!(
        "smallest cosine of a neuron with the mean digit weighted by its response \
         {smallest:.4}, mean norm {norm:.2}"
    );
    Ok(Picture { panels: vec![rows], line })
}
