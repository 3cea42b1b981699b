//! Rasters: who spiked when.

use burn::tensor::Tensor;
use image::{Rgb, RgbImage};

const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([20, 20, 60]);

/// Spikes `[steps, neurons]` as a picture, `zoom` pixels a cell: a row a neuron, the first on top, time to the right.
///
/// Whatever is above 0 is a spike.
///
/// # Panics
///
/// If there are no steps or no neurons, or `zoom` is 0.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_lab::pictures::raster;
///
/// let spikes = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], &Device::flex());
/// let picture = raster::draw(spikes, 2);
/// assert_eq!(picture.dimensions(), (6, 4));
/// assert_ne!(picture.get_pixel(0, 0), picture.get_pixel(2, 0));
/// assert_eq!(picture.get_pixel(1, 1), picture.get_pixel(5, 3));
/// ```
pub fn draw(spikes: Tensor<2>, zoom: usize) -> RgbImage {
    let [steps, neurons] = spikes.dims();
    assert!(steps * neurons * zoom > 0, "raster: {steps} steps of {neurons} neurons, {zoom} pixels each");
    let values: Vec<f32> = spikes.into_data().iter().collect();
    let cell = |x: u32, y: u32| values[x as usize / zoom * neurons + y as usize / zoom];
    RgbImage::from_fn((steps * zoom) as u32, (neurons * zoom) as u32, |x, y| {
        if cell(x, y) > 0.0 { INK } else { PAPER }
    })
}
