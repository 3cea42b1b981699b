//! Decoding of one image.

use std::{fs, io::Cursor, path::Path};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, imageops::FilterType};

use super::{Colors, ImageSize, pixels, whole};
use crate::data::DataError;

/// The formats that are read, whatever others the decoder knows.
const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Bmp, ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP];

/// The dimensions that images are brought to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
    colors: Colors,
    /// Whether other sizes are scaled or refused.
    scaled: bool,
}

impl Frame {
    /// The frame of images of this size; `first` is one of them.
    pub(super) fn new(size: ImageSize, colors: Colors, first: &Path) -> Result<Self, DataError> {
        let (height, width, scaled) = match size {
            ImageSize::AsFirst => {
                let image = open(first)?;
                (image.height() as usize, image.width() as usize, false)
            }
            ImageSize::Expected { height, width } => (height, width, false),
            ImageSize::Resized { height, width } => (height, width, true),
        };
        Ok(Self { height, width, colors, scaled })
    }

    /// Channels, height, width.
    pub(super) fn dims(&self) -> [usize; 3] {
        let channels = match self.colors {
            Colors::Rgb => 3,
            Colors::Gray => 1,
        };
        [channels, self.height, self.width]
    }

    /// The image in `path` as planes of rows.
    pub(super) fn decode(&self, path: &Path) -> Result<Vec<f32>, DataError> {
        let image = self.fitted(open(path)?, path)?;
        Ok(pixels::planes(&image, self.colors))
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

/// The image in a file, upright and opaque, of the format that its bytes say: in ImageNet some PNGs are called JPEG.
pub(super) fn open(path: &Path) -> Result<DynamicImage, DataError> {
    let bytes = fs::read(path).map_err(DataError::io(path))?;
    if let Ok(format) = image::guess_format(&bytes)
        && !FORMATS.contains(&format)
    {
        return Err(DataError::Format { path: path.to_path_buf(), format: format!("{format:?}") });
    }
    if !whole::is_whole(&bytes) {
        return Err(DataError::CutShort { path: path.to_path_buf(), bytes: bytes.len() });
    }
    let decoded = upright(&bytes).map_err(|source| DataError::Image { path: path.to_path_buf(), source })?;
    let color = decoded.color();
    pixels::opaque(decoded)
        .ok_or_else(|| DataError::Pixels { path: path.to_path_buf(), found: format!("{color:?}") })
}

/// Decodes an image and turns it as its EXIF orientation says.
fn upright(bytes: &[u8]) -> ImageResult<DynamicImage> {
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}
