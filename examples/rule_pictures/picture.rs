//! Weights and what they show.

use std::{fs::File, io::BufWriter, path::Path};

use anyhow::Result;
use burn::tensor::Tensor;
use burn_hebbian::lab::pictures::filters::{beside, diverging};
use burn_hebbian::prelude::HebbianConv2d;
use image::{
    RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

use crate::lesson::{Lesson, weight};

/// Pixels a weight.
const ZOOM: usize = 5;

/// Panels of weights, and a line about them.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Panels from left to right, each `[rows, columns, height, width]`.
    pub(crate) panels: Vec<Tensor<4>>,
    /// What was learned, in numbers.
    pub(crate) line: String,
}

impl Picture {
    /// The weights of a layer, `columns` in a row.
    pub(crate) fn of(layer: &HebbianConv2d, columns: usize, line: String) -> Self {
        Self { panels: vec![panel(layer, columns)], line }
    }

    /// Writes it as a PNG, as small as can be.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let file = BufWriter::new(File::create(path)?);
        let encoder = PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::NoFilter);
        Ok(self.draw().write_with_encoder(encoder)?)
    }

    /// As pixels.
    fn draw(&self) -> RgbImage {
        let panels: Vec<_> = self.panels.iter().map(|panel| diverging(panel.clone(), ZOOM)).collect();
        beside(&panels, 3 * ZOOM)
    }
}

/// The weights of a layer, `columns` in a row: `[rows, columns, height, width]`.
pub(crate) fn panel(layer: &HebbianConv2d, columns: usize) -> Tensor<4> {
    let weight = weight(layer);
    let [neurons, _, height, width] = weight.dims();
    weight.reshape([neurons / columns, columns, height, width])
}

/// A lesson's layer, and its neurons as they were before step 0, 1, …: one row for each of `moments`.
pub(crate) fn course(lesson: &Lesson, moments: &[usize]) -> Result<(HebbianConv2d, Tensor<4>)> {
    let mut rows = vec![];
    let layer = lesson.learn_watched(|step, layer| {
        if moments.contains(&step) {
            rows.push(panel(layer, lesson.neurons));
        }
    })?;
    Ok((layer, Tensor::cat(rows, 0)))
}
