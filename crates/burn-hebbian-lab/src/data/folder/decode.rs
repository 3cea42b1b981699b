//! Decoding of one image.

use std::{fs, path::Path};

use image::{DynamicImage, imageops::FilterType};

use super::{Colours, ImageSize, jpeg};
use crate::data::{DataError, brightness};

/// The dimensions that images are brought to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
    colours: Colours,
    /// Whether other sizes are scaled or refused.
    scaled: bool,
}

impl Frame {
    /// The frame of images of this size; `first` is one of them.
    pub(super) fn new(size: ImageSize, colours: Colours, first: &Path) -> Result<Self, DataError> {
        let (height, width, scaled) = match size {
            ImageSize::AsFirst => {
                let image = open(first)?;
                (image.height() as usize, image.width() as usize, false)
            }
            ImageSize::Expected { height, width } => (height, width, false),
            ImageSize::Resized { height, width } => (height, width, true),
        };
        Ok(Self { height, width, colours, scaled })
    }

    /// Channels, height, width.
    pub(super) fn dims(&self) -> [usize; 3] {
        let channels = match self.colours {
            Colours::Rgb => 3,
            Colours::Grey => 1,
        };
        [channels, self.height, self.width]
    }

    /// The image in `path` as planes of rows.
    pub(super) fn decode(&self, path: &Path) -> Result<Vec<f32>, DataError> {
        let image = self.fitted(open(path)?, path)?;
        Ok(match self.colours {
            Colours::Rgb => planes(image.into_rgb8().as_raw()),
            Colours::Grey => image.into_luma8().as_raw().iter().copied().map(brightness).collect(),
        })
    }

    fn fitted(&self, image: DynamicImage, path: &Path) -> Result<DynamicImage, DataError> {
        let [height, width] = [image.height(), image.width()].map(|side| side as usize);
        if [height, width] == [self.height, self.width] {
            return Ok(image);
        }
        if !self.scaled {
            let expected = [self.height, self.width];
            return Err(DataError::Size { path: path.to_path_buf(), width, height, expected });
        }
        Ok(image.resize_to_fill(self.width as u32, self.height as u32, FilterType::Triangle))
    }
}

/// The image in a file, of the format that its bytes say: in ImageNet some PNGs are called JPEG.
pub(super) fn open(path: &Path) -> Result<DynamicImage, DataError> {
    let bytes = fs::read(path).map_err(DataError::io(path))?;
    if !jpeg::is_whole(&bytes) {
        return Err(DataError::CutShort { path: path.to_path_buf(), bytes: bytes.len() });
    }
    let decoded = image::load_from_memory(&bytes);
    decoded.map_err(|source| DataError::Image { path: path.to_path_buf(), source })
}

/// Interleaved colours → planes of red, green and blue.
fn planes(pixels: &[u8]) -> Vec<f32> {
    (0..3).flat_map(|channel| pixels[channel..].iter().step_by(3).copied().map(brightness)).collect()
}
