//! Winner-take-all with surround modulation, by a convolution.

use anyhow::Result;
use burn_hebbian::prelude::{HebbianConv2d, Rule};

use crate::{
    data::Data,
    lesson::Lesson,
    measures::{
        vectors::scalar,
        wins::{counts, evenness, used},
    },
    picture::Picture,
    witness::coefficients,
};

/// Number of kernels.
const NEURONS: usize = 27;

/// Spots and strokes: 5 × 5 kernels that win patches of digits.
pub(crate) fn surround(data: &Data) -> Result<Picture> {
    let rule = Rule::surround_wta();
    let lesson = Lesson { kernel: 5, ..Lesson::new(rule.clone(), NEURONS, &data.whitened) };
    let (before, layer) = (lesson.layer()?, lesson.learn()?);
    // the coefficient of a winner is its modulated cosine, that of the others 0
    let seen = |layer: &HebbianConv2d| coefficients(layer, rule.clone(), lesson.images);
    let (untrained, trained) = (seen(&before)?, seen(&layer)?);
    let wins = counts(trained.clone());
    let line = format!(
        "{} of {NEURONS} neurons win patches, evenness of wins {:.2}, \
         mean modulated cosine of a patch with its winner {:.2} (untrained {:.2})",
        used(&wins),
        evenness(&wins),
        scalar(trained.sum_dim(1).mean()),
        scalar(untrained.sum_dim(1).mean()),
    );
    Ok(Picture::of(&layer, 9, line))
}
