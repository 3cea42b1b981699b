//! The self-organizing map, drawn as it lies.

use anyhow::Result;
use burn_hebbian::prelude::Rule;

use crate::{
    data::Data,
    lesson::{Lesson, all, vectors},
    measures::{
        map::{neighbor_distance, topographic_error},
        vectors::cosines,
    },
    picture::Picture,
};

/// Rows and columns of the map.
const SIZE: [usize; 2] = [10, 10];

/// Cluster centers whose neighbors are alike.
pub(crate) fn som(data: &Data) -> Result<Picture> {
    let lesson =
        Lesson { rate: 0.5, steps: 1500, ..Lesson::new(Rule::som(SIZE), SIZE[0] * SIZE[1], &data.contrast) };
    let layer = lesson.learn()?;
    let error = topographic_error(cosines(all(lesson.images).flatten(1, 3), vectors(&layer)), SIZE[1]);
    let line = format!(
        "distance of neighbors {:.2} of that of any two neurons, topographic error {:.1} %",
        neighbor_distance(vectors(&layer), SIZE),
        100.0 * error
    );
    Ok(Picture::of(&layer, SIZE[1], line))
}
