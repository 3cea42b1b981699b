//! The embedded data set of the quickstart: 1,797 handwritten digits of 8 × 8 pixels.
//!
//! Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
//! Repository (1998), doi:10.24432/C50P49, CC BY 4.0. See `data/README.md`.

use image::{ImageError, ImageFormat};

use crate::data::Labeled;

/// Height and width of an image.
pub const SIDE: usize = 8;

/// Number of classes.
pub const CLASSES: usize = 10;

const PIXELS: usize = SIDE * SIDE;
const FULL_INK: f32 = 16.0;
const FILE: &[u8] = include_bytes!("../data/digits.png");

/// The digits in three parts: for learning, for choosing, for the final number.
#[derive(Debug, Clone)]
pub struct Digits {
    /// What is learned from, 60 %.
    pub training: Labeled,
    /// What rates and architectures were chosen on, 15 %.
    pub validation: Labeled,
    /// What nothing is chosen on, 25 %.
    pub test: Labeled,
}

impl Digits {
    /// Decodes the images and splits them, always alike.
    ///
    /// # Errors
    ///
    /// If the embedded file is no image, which a test excludes.
    pub fn load() -> Result<Self, ImageError> {
        let all = decode(FILE)?;
        let [training, validation, test] = split(&all.labels).map(|part| all.select(&part));
        Ok(Self { training, validation, test })
    }
}

/// One image a row: 64 pixels, then the label. Pixels come out in 0..=1.
fn decode(file: &[u8]) -> Result<Labeled, ImageError> {
    let table = image::load_from_memory_with_format(file, ImageFormat::Png)?.into_luma8();
    let mut digits = Labeled::with_capacity([1, SIDE, SIDE], table.height() as usize);
    for row in table.as_raw().chunks_exact(PIXELS + 1) {
        digits.push(row[..PIXELS].iter().map(|&ink| f32::from(ink) / FULL_INK), row[PIXELS].into());
    }
    Ok(digits)
}

/// The indices of training, validation and test part, stratified.
///
/// Of the images of a class, numbered in the order of the file, every fourth (3, 7, 11, …) is for the test;
/// of the others, those with a number divisible by five are for validation.
fn split(labels: &[u16]) -> [Vec<usize>; 3] {
    let mut parts = [vec![], vec![], vec![]];
    let mut seen = [0; CLASSES];
    for (index, &label) in labels.iter().enumerate() {
        let number = seen[usize::from(label)];
        seen[usize::from(label)] += 1;
        let part = match number {
            n if n % 4 == 3 => 2,
            n if n % 5 == 0 => 1,
            _ => 0,
        };
        parts[part].push(index);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a over rows of pixels and label, as in the Python original.
    fn checksum(digits: &Labeled) -> u64 {
        let row =
            |i: usize| digits.image(i).iter().map(|v| (v * FULL_INK) as u8).chain([digits.labels[i] as u8]);
        (0..digits.len())
            .flat_map(row)
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    fn per_class(labels: &[u16]) -> [usize; CLASSES] {
        let mut counts = [0; CLASSES];
        labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    }

    #[test]
    fn holds_the_original_images() {
        let all = decode(FILE).unwrap();
        assert_eq!(all.len(), 1797);
        assert_eq!(all.dims, [1, 8, 8]);
        assert_eq!(per_class(&all.labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(checksum(&all), 0x7768_69cc_e379_5967);
    }

    #[test]
    fn parts_are_disjoint_and_complete() {
        let all = decode(FILE).unwrap();
        let mut indices = split(&all.labels).concat();
        indices.sort_unstable();
        assert_eq!(indices, (0..1797).collect::<Vec<_>>());
    }

    #[test]
    fn parts_are_stratified() {
        let all = decode(FILE).unwrap();
        let totals = per_class(&all.labels);
        let Digits { training, validation, test } = Digits::load().unwrap();
        assert_eq!((training.len(), validation.len(), test.len()), (1077, 275, 445));
        for (part, share) in [(&training, 0.6), (&validation, 0.15), (&test, 0.25)] {
            for (count, total) in per_class(&part.labels).into_iter().zip(totals) {
                let expected = share * total as f64;
                assert!((count as f64 - expected).abs() <= 1.5, "{count} of {total}, expected {expected}");
            }
        }
    }
}
