//! Pictures of weights.

use std::path::Path;

use burn::tensor::Tensor;
use image::{ImageResult, Rgb, RgbImage};

/// Pixels between two filters, for each so many pixels a weight; at least 1.
const ZOOM_PER_GAP: usize = 4;

/// What lies between filters.
const BACKGROUND: Rgb<u8> = Rgb([255; 3]);

/// What lies between tiles whose zero is white.
const BETWEEN: Rgb<u8> = Rgb([200; 3]);

/// Writes the filters of a convolution, `[filters, channels, height, width]`, as a PNG.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save(weight: Tensor<4>, zoom: usize, path: &Path) -> ImageResult<()> {
    grid(weight, zoom).save(path)
}

/// The filters as a picture, `zoom` pixels a weight: in color if they have three channels, otherwise one
/// row of gray tiles a filter, or a square of them if there is one channel.
///
/// Each filter is scaled by its own largest weight; 0 is mid-gray.
pub fn grid(weight: Tensor<4>, zoom: usize) -> RgbImage {
    let [filters, channels, height, width] = weight.dims();
    let values: Vec<f32> = weight.into_data().iter().collect();
    let shape = Shape { channels, height, width };
    let tiles = if channels == 3 { filters } else { filters * channels };
    let columns = if matches!(channels, 1 | 3) { square(tiles) } else { channels };
    let mut picture = Canvas::new(tiles.div_ceil(columns), columns, &shape, zoom);
    for (index, filter) in values.chunks_exact(shape.len()).enumerate() {
        let scale = largest(filter);
        if channels == 3 {
            picture.draw(index, |y, x| Rgb([0, 1, 2].map(|c| level(filter[shape.at(c, y, x)] / scale))));
            continue;
        }
        for c in 0..channels {
            picture.draw(index * channels + c, |y, x| Rgb([level(filter[shape.at(c, y, x)] / scale); 3]));
        }
    }
    picture.image
}

/// Tiles `[rows, columns, height, width]` as a picture, `zoom` pixels a weight: blue below 0, white at 0, red above.
///
/// Each tile is scaled by its own largest weight.
pub fn diverging(tiles: Tensor<4>, zoom: usize) -> RgbImage {
    let [rows, columns, height, width] = tiles.dims();
    let values: Vec<f32> = tiles.into_data().iter().collect();
    let shape = Shape { channels: 1, height, width };
    let mut picture = Canvas::new(rows, columns, &shape, zoom);
    picture.fill(BETWEEN);
    for (index, tile) in values.chunks_exact(shape.len()).enumerate() {
        let scale = largest(tile);
        picture.draw(index, |y, x| blue_to_red(tile[shape.at(0, y, x)] / scale));
    }
    picture.image
}

/// Pictures of one height from left to right, `gap` pixels apart.
pub fn beside(pictures: &[RgbImage], gap: usize) -> RgbImage {
    let height = pictures.iter().map(RgbImage::height).max().unwrap_or(0);
    let width: u32 = pictures.iter().map(|picture| picture.width() + gap as u32).sum();
    let mut all = RgbImage::from_pixel(width.saturating_sub(gap as u32), height, BACKGROUND);
    let mut left = 0;
    for picture in pictures {
        image::imageops::replace(&mut all, picture, left, 0);
        left += i64::from(picture.width()) + gap as i64;
    }
    all
}

struct Shape {
    channels: usize,
    height: usize,
    width: usize,
}

impl Shape {
    fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        (channel * self.height + y) * self.width + x
    }
}

/// Tiles of one size on a background.
struct Canvas {
    image: RgbImage,
    columns: usize,
    tile: [usize; 2],
    gap: usize,
    zoom: usize,
}

impl Canvas {
    fn new(rows: usize, columns: usize, shape: &Shape, zoom: usize) -> Self {
        let gap = (zoom / ZOOM_PER_GAP).max(1);
        let tile = [shape.height * zoom + gap, shape.width * zoom + gap];
        let (width, height) = (columns * tile[1] + gap, rows * tile[0] + gap);
        let image = RgbImage::from_pixel(width as u32, height as u32, BACKGROUND);
        Self { image, columns, tile, gap, zoom }
    }

    /// Changes what lies between tiles.
    fn fill(&mut self, color: Rgb<u8>) {
        self.image.pixels_mut().for_each(|pixel| *pixel = color);
    }

    /// Fills tile `index` with the colors of its weights (y, x).
    fn draw(&mut self, index: usize, color: impl Fn(usize, usize) -> Rgb<u8>) {
        let gap = self.gap;
        let (top, left) =
            (index / self.columns * self.tile[0] + gap, index % self.columns * self.tile[1] + gap);
        for y in 0..self.tile[0] - gap {
            for x in 0..self.tile[1] - gap {
                let pixel = color(y / self.zoom, x / self.zoom);
                self.image.put_pixel((left + x) as u32, (top + y) as u32, pixel);
            }
        }
    }
}

/// The side of the smallest square that holds `tiles`.
fn square(tiles: usize) -> usize {
    (tiles as f64).sqrt().ceil().max(1.0) as usize
}

fn largest(values: &[f32]) -> f32 {
    // clamp: an all-zero filter is drawn mid-gray.
    values.iter().fold(0.0f32, |largest, value| largest.max(value.abs())).max(f32::MIN_POSITIVE)
}

/// −1..=1 → 0..=255.
fn level(value: f32) -> u8 {
    (127.5 + 127.5 * value).round() as u8
}

/// −1..=1 → blue, white, red.
fn blue_to_red(value: f32) -> Rgb<u8> {
    let end = if value < 0.0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    Rgb(end.map(|end: f32| (255.0 + (end - 255.0) * value.abs()).round() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn picture(dims: [usize; 4], zoom: usize) -> (u32, u32) {
        grid(Tensor::ones(dims, &Device::flex()), zoom).dimensions()
    }

    #[test]
    fn dimensions_follow_filters_and_zoom() {
        assert_eq!(picture([96, 3, 5, 5], 4), (10 * 21 + 1, 10 * 21 + 1));
        assert_eq!(picture([8, 1, 3, 2], 2), (3 * 5 + 1, 3 * 7 + 1));
        assert_eq!(picture([5, 8, 3, 3], 1), (8 * 4 + 1, 5 * 4 + 1));
        // large tiles stand further apart
        assert_eq!(picture([4, 1, 3, 3], 12), (2 * 39 + 3, 2 * 39 + 3));
    }

    #[test]
    fn weights_become_levels_of_gray() {
        let weight = Tensor::<4>::from_data([[[[-2.0, 0.0, 1.0]]], [[[0.0, 0.0, 0.0]]]], &Device::flex());
        let picture = grid(weight, 1);
        let row = |y: u32| [1, 2, 3].map(|x| picture.get_pixel(x, y).0[0]);
        assert_eq!(row(1), [0, 128, 191]);
        let second = [5, 6, 7].map(|x| picture.get_pixel(x, 1).0[0]);
        assert_eq!(second, [128; 3]);
    }

    #[test]
    fn signs_become_colors() {
        let tiles = Tensor::<4>::from_data([[[[-2.0, 0.0, 2.0]], [[1.0, 0.0, 0.0]]]], &Device::flex());
        let picture = diverging(tiles, 1);
        assert_eq!(picture.dimensions(), (2 * 4 + 1, 3));
        let row = [0, 1, 2, 3, 5].map(|x| picture.get_pixel(x, 1).0);
        assert_eq!(row, [[200; 3], [33, 102, 172], [255; 3], [178, 24, 43], [178, 24, 43]]);
    }

    #[test]
    fn pictures_stand_apart() {
        let picture = |gray| RgbImage::from_pixel(2, 3, Rgb([gray; 3]));
        let both = beside(&[picture(10), picture(20)], 4);
        assert_eq!(both.dimensions(), (8, 3));
        assert_eq!([1, 3, 6].map(|x| both.get_pixel(x, 2).0[0]), [10, 255, 20]);
    }
}
