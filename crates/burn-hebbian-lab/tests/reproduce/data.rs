//! Ten classes of images that differ in color and in the direction of a grating, with noise.

use std::{fs, path::Path, sync::OnceLock};

use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// Height and width: CIFAR-10's, whose reader takes class folders of such images.
const SIDE: u32 = 32;

/// Images a class.
pub(crate) const TRAINING: usize = 20;
pub(crate) const TEST: usize = 4;

/// How far color, grating and noise reach, in levels of 256.
const COLOR: f64 = 40.0;
const GRATING: f64 = 40.0;
const NOISE: f64 = 25.0;

/// The folder of the data set, written once; it stays until the process ends.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path());
            dir
        })
        .path()
}

/// `train/CLASS/N.png` and `test/CLASS/N.png`.
pub(crate) fn write(dir: &Path) {
    let mut random = Random(1);
    for (part, count) in [("train", TRAINING), ("test", TEST)] {
        for class in 0..10 {
            let folder = dir.join(part).join(class.to_string());
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                picture(class, &mut random).save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
}

fn picture(class: u32, random: &mut Random) -> RgbImage {
    let angle = f64::from(class) * std::f64::consts::PI / 10.0;
    let phase = random.unit() * std::f64::consts::TAU;
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let along = f64::from(x) * angle.cos() + f64::from(y) * angle.sin();
        let wave = GRATING * (along + phase).sin();
        Rgb([0.0, 1.0, 2.0].map(|channel| {
            let color = COLOR * (2.0 * angle + channel * std::f64::consts::TAU / 3.0).cos();
            (128.0 + color + wave + NOISE * (2.0 * random.unit() - 1.0)) as u8
        }))
    })
}

/// SplitMix64.
struct Random(u64);

impl Random {
    /// In 0..1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
