//! Independent components of patches.

use anyhow::Result;
use burn::{nn::Initializer, tensor::Tensor};
use burn_hebbian::prelude::Rule;

use crate::{
    data::Data,
    lesson::{Lesson, all},
    measures::codes::kurtosis,
    picture::Picture,
};

/// Height and width of a patch; there are as many neurons as pixels in it.
const SIDE: usize = 6;

/// Sparse outputs of whitened patches.
pub(crate) fn ica(data: &Data) -> Result<Picture> {
    let patches = data.whitened_patches(SIDE)?;
    let initial = Initializer::Normal { mean: 0.0, std: 1.0 / SIDE as f64 };
    let lesson = Lesson {
        rate: 0.1,
        steps: 3000,
        batch: 256,
        initial,
        ..Lesson::new(Rule::ica(0.0), SIDE * SIDE, &patches)
    };
    let (before, layer) = (lesson.layer()?, lesson.learn()?);
    let outputs = |x: Tensor<4>| x.flatten(1, 3);
    let line = format!(
        "mean excess kurtosis of the outputs {:.1} (untrained {:.1})",
        kurtosis(outputs(layer.forward(all(&patches)))),
        kurtosis(outputs(before.forward(all(&patches)))),
    );
    Ok(Picture::of(&layer, 9, line))
}
