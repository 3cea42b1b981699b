//! The rules that look for principal components, on digits minus the mean digit.

use anyhow::Result;
use burn_hebbian::{optim::Constraint, prelude::Rule};

use crate::{
    data::Data,
    lesson::{Lesson, vectors},
    measures::{
        principal::{angles, components, share_inside},
        vectors::{cosines, norms, off_diagonal, spread},
    },
    picture::{Picture, course},
};

/// Neurons of the rules whose neurons differ.
const NEURONS: usize = 16;

/// Every neuron finds the first component: rows are moments of training.
pub(crate) fn oja(data: &Data) -> Result<Picture> {
    let lesson = full_batch(Rule::oja(), 8, 1000, data);
    let (layer, rows) = course(&lesson, &[0, 15, 40, 100, 1000])?;
    let first = components(lesson.images, 1)?;
    let [norm, ..] = spread(norms(vectors(&layer)));
    let [_, _, angle] = spread(angles(vectors(&layer), first));
    let line = format!("mean norm {norm:.4}, largest angle to the first principal component {angle:.2}°");
    Ok(Picture { panels: vec![rows], line })
}

/// Without a constraint the weights grow for ever; held to norm 1 every neuron finds the first component.
pub(crate) fn hebb(data: &Data) -> Result<Picture> {
    let free = full_batch(Rule::hebb(), 8, 100, data).learn()?;
    let [grown, ..] = spread(norms(vectors(&free)));
    let lesson = Lesson { constraint: Some(Constraint::UnitNorm), ..full_batch(Rule::hebb(), 8, 1000, data) };
    let (layer, rows) = course(&lesson, &[0, 5, 15, 40, 1000])?;
    let [_, _, angle] = spread(angles(vectors(&layer), components(lesson.images, 1)?));
    let line = format!(
        "held to norm 1, largest angle to the first principal component {angle:.2}°; free, mean norm {grown:.1e} \
         after 100 steps"
    );
    Ok(Picture { panels: vec![rows], line })
}

/// Neurons span the first components, in no order.
pub(crate) fn subspace(data: &Data) -> Result<Picture> {
    let lesson = full_batch(Rule::subspace(), NEURONS, 500, data);
    let layer = lesson.learn()?;
    let [share, ..] = spread(share_inside(vectors(&layer), components(lesson.images, NEURONS)?));
    let overlap = off_diagonal(cosines(vectors(&layer), vectors(&layer)));
    let line = format!(
        "{:.2} % of the squared weights inside the span of the first {NEURONS} principal components, \
         mean |cos| of two neurons {overlap:.4}",
        100.0 * share
    );
    Ok(Picture::of(&layer, 8, line))
}

/// Neurons are the first components, in order.
pub(crate) fn sanger(data: &Data) -> Result<Picture> {
    let lesson = full_batch(Rule::sanger(), NEURONS, 2000, data);
    let layer = lesson.learn()?;
    let [angle, _, largest] = spread(angles(vectors(&layer), components(lesson.images, NEURONS)?));
    let [norm, ..] = spread(norms(vectors(&layer)));
    let line = format!(
        "mean angle to the principal component of its rank \
         {angle:.2}°, largest {largest:.2}°, mean norm {norm:.4}"
    );
    Ok(Picture::of(&layer, 8, line))
}

/// Near the components, for a saturating activation.
pub(crate) fn hpca_adaptive(data: &Data) -> Result<Picture> {
    let lesson = Lesson { rate: 8.0, ..full_batch(Rule::hpca_adaptive(), NEURONS, 1500, data) };
    let layer = lesson.learn()?;
    let [share, ..] = spread(share_inside(vectors(&layer), components(lesson.images, NEURONS)?));
    let overlap = off_diagonal(cosines(vectors(&layer), vectors(&layer)));
    let [norm, ..] = spread(norms(vectors(&layer)));
    let line = format!(
        "{:.1} % of the squared weights inside the span of the first {NEURONS} principal components, \
         mean |cos| of two neurons {overlap:.3}, mean norm {norm:.2}",
        100.0 * share
    );
    Ok(Picture::of(&layer, 8, line))
}

fn full_batch(rule: Rule, neurons: usize, steps: usize, data: &Data) -> Lesson<'_> {
    Lesson { steps, batch: data.centered.len(), rate: 1.0, ..Lesson::new(rule, neurons, &data.centered) }
}
