//! The rules whose neurons become prototypes by competition.

use anyhow::Result;
use burn::{nn::Initializer, tensor::Tensor};
use burn_hebbian::lab::data::Labeled;
use burn_hebbian::{
    prelude::{HebbianConv2d, Rule},
    rules::Competition,
};

use crate::{
    data::Data,
    lesson::{Lesson, all, vectors},
    measures::{
        vectors::{cosines, norms, powers, scalar, spread},
        wins::{counts, used},
    },
    picture::Picture,
    witness::coefficients,
};

/// Neurons of each.
const NEURONS: usize = 36;

/// Their tiles in a row.
const COLUMNS: usize = 9;

/// Cluster centers.
pub(crate) fn hard_wta(data: &Data) -> Result<Picture> {
    let lesson = Lesson { rate: 0.3, ..Lesson::new(Rule::hard_wta(), NEURONS, &data.contrast) };
    centers(&lesson)
}

/// Soft cluster centers.
pub(crate) fn swta(data: &Data) -> Result<Picture> {
    // hotter than the preset's 0.02, at which most neurons never win a whole digit
    let rule = Rule::swta().with_competition(Competition::Softmax { temperature: 0.1 });
    let lesson = Lesson { rate: 0.3, ..Lesson::new(rule, NEURONS, &data.contrast) };
    centers(&lesson)
}

/// Soft cluster centers at a temperature that follows the spread of the similarities.
pub(crate) fn adaptive_k(data: &Data) -> Result<Picture> {
    let rule =
        Rule::swta().with_competition(Competition::AdaptiveSoftmax { temperature: 0.5, momentum: 0.1 });
    let lesson = Lesson { rate: 0.3, ..Lesson::new(rule, NEURONS, &data.contrast) };
    centers(&lesson)
}

/// Prototypes of norm 1 that avoid each other.
pub(crate) fn soft_hebb(data: &Data) -> Result<Picture> {
    let initial = Initializer::Normal { mean: 0.0, std: 0.3 };
    let lesson = Lesson {
        rate: 0.08,
        steps: 5000,
        initial,
        ..Lesson::new(Rule::soft_hebb(1.0), NEURONS, &data.whitened)
    };
    let layer = lesson.learn()?;
    let [mean, min, max] = spread(norms(vectors(&layer)));
    let line = format!("mean norm {mean:.3}, from {min:.3} to {max:.3}");
    Ok(Picture::of(&layer, COLUMNS, line))
}

/// Prototypes with Σ |w|³ = 1.
pub(crate) fn krotov(data: &Data) -> Result<Picture> {
    let initial = Initializer::Normal { mean: 0.0, std: 1.0 };
    let rule = Rule::krotov(3.0, 2, 0.1);
    let lesson = Lesson { rate: 0.04, steps: 2000, initial, ..Lesson::new(rule, NEURONS, &data.contrast) };
    let layer = lesson.learn()?;
    let [mean, min, max] = spread(powers(vectors(&layer), 3.0));
    let line = format!("mean Σ |w|³ {mean:.3}, from {min:.3} to {max:.3}");
    Ok(Picture::of(&layer, COLUMNS, line))
}

fn centers(lesson: &Lesson) -> Result<Picture> {
    let (before, layer) = (lesson.layer()?, lesson.learn()?);
    let wins = counts(coefficients(&layer, Rule::hard_wta(), lesson.images)?);
    let line = format!(
        "{} of {NEURONS} neurons win digits, mean cosine of a digit with its winner {:.3} (untrained {:.3})",
        used(&wins),
        best_cosine(&layer, lesson.images),
        best_cosine(&before, lesson.images),
    );
    Ok(Picture::of(&layer, COLUMNS, line))
}

fn best_cosine(layer: &HebbianConv2d, images: &Labeled) -> f64 {
    let images: Tensor<2> = all(images).flatten(1, 3);
    scalar(cosines(images, vectors(layer)).max_dim(1).mean())
}
