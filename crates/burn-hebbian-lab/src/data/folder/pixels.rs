//! From the pixels of a file to planes of numbers in 0..=1.

use image::{DynamicImage, ImageBuffer, Pixel};

use super::Colors;
use crate::data::brightness;

/// Shares of red, green and blue in the brightness of a pixel, by Rec. 601.
const REC_601: [f32; 3] = [0.299, 0.587, 0.114];

/// Gray or red, green and blue, of 8 or 16 bits each: over black where there is opacity. None of other pixels.
pub(super) fn opaque(image: DynamicImage) -> Option<DynamicImage> {
    use DynamicImage::{
        ImageLuma8, ImageLuma16, ImageLumaA8, ImageLumaA16, ImageRgb8, ImageRgb16, ImageRgba8, ImageRgba16,
    };
    Some(match image {
        ImageLuma8(_) | ImageRgb8(_) | ImageLuma16(_) | ImageRgb16(_) => image,
        ImageLumaA8(image) => ImageLuma8(ImageLumaA8(over_black(image, times_8)).into_luma8()),
        ImageRgba8(image) => ImageRgb8(ImageRgba8(over_black(image, times_8)).into_rgb8()),
        ImageLumaA16(image) => ImageLuma16(ImageLumaA16(over_black(image, times_16)).into_luma16()),
        ImageRgba16(image) => ImageRgb16(ImageRgba16(over_black(image, times_16)).into_rgb16()),
        _ => return None,
    })
}

/// Every color times the opacity, the last of a pixel's channels.
fn over_black<P: Pixel>(
    mut image: ImageBuffer<P, Vec<P::Subpixel>>,
    times: fn(P::Subpixel, P::Subpixel) -> P::Subpixel,
) -> ImageBuffer<P, Vec<P::Subpixel>> {
    for pixel in image.pixels_mut() {
        if let [colors @ .., opacity] = pixel.channels_mut() {
            colors.iter_mut().for_each(|color| *color = times(*color, *opacity));
        }
    }
    image
}

fn times_8(color: u8, opacity: u8) -> u8 {
    ((u16::from(color) * u16::from(opacity) + 127) / 255) as u8
}

fn times_16(color: u16, opacity: u16) -> u16 {
    ((u32::from(color) * u32::from(opacity) + 32_767) / 65_535) as u16
}

/// An [`opaque`] image as planes of rows.
pub(super) fn planes(image: &DynamicImage, colors: Colors) -> Vec<f32> {
    let fine = |word: &u16| f32::from(*word) / 65_535.0;
    let coarse = |byte: &u8| brightness(*byte);
    let values: Vec<f32> = match image {
        DynamicImage::ImageLuma16(image) => image.iter().map(fine).collect(),
        DynamicImage::ImageRgb16(image) => image.iter().map(fine).collect(),
        other => other.as_bytes().iter().map(coarse).collect(),
    };
    match (image.color().channel_count(), colors) {
        (1, Colors::Gray) => values,
        (1, Colors::Rgb) => values.repeat(3),
        (_, Colors::Rgb) => (0..3).flat_map(|channel| values[channel..].iter().step_by(3).copied()).collect(),
        (_, Colors::Gray) => values.chunks_exact(3).map(gray).collect(),
    }
}

fn gray(pixel: &[f32]) -> f32 {
    pixel.iter().zip(REC_601).map(|(color, share)| color * share).sum()
}
