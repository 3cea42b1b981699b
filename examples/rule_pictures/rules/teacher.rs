//! Teacher neurons, one a class.

use anyhow::Result;
use burn::tensor::Device;
use burn_hebbian::prelude::{Output, Rule};
use burn_hebbian_examples::{digits::CLASSES, score::accuracy};

use crate::{data::Data, lesson::Lesson, picture::Picture};

/// Class means.
pub(crate) fn teacher(data: &Data) -> Result<Picture> {
    let lesson = Lesson::new(Rule::teacher(), CLASSES, &data.contrast);
    let layer = lesson.learn()?.with_output(Output::projection());
    let scores = |images| layer.forward(images).flatten(1, 3);
    let line = format!("{:.1} % of the test part right", accuracy(&data.test, &Device::flex(), scores));
    Ok(Picture::of(&layer, CLASSES / 2, line))
}
