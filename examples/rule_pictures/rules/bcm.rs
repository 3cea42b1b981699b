//! BCM: selective neurons without competition.

use anyhow::Result;
use burn_hebbian::lab::data::Labeled;
use burn_hebbian::prelude::{HebbianConv2d, Rule};

use crate::{
    data::Data,
    lesson::{Lesson, all},
    measures::codes::selectivity,
    picture::Picture,
};

/// Neurons that answer few digits.
pub(crate) fn bcm(data: &Data) -> Result<Picture> {
    let lesson =
        Lesson { rate: 0.03, steps: 3000, batch: 256, ..Lesson::new(Rule::bcm(), 36, &data.centered) };
    let (before, layer) = (lesson.layer()?, lesson.learn()?);
    let line = format!(
        "mean selectivity {:.3} (untrained {:.3})",
        of_responses(&layer, lesson.images),
        of_responses(&before, lesson.images)
    );
    Ok(Picture::of(&layer, 9, line))
}

fn of_responses(layer: &HebbianConv2d, images: &Labeled) -> f64 {
    selectivity(layer.forward(all(images)).clamp_min(0.0).flatten(1, 3))
}
