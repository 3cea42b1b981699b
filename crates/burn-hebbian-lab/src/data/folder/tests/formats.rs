use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, LumaA, Pixel, Rgb32FImage, Rgba};

use super::*;

/// The values of one image under a name, or the message without the folder.
fn read_in(colors: Colors, name: &str, bytes: &[u8]) -> Result<([usize; 3], Vec<f32>), String> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("class")).unwrap();
    fs::write(dir.path().join("class").join(name), bytes).unwrap();
    let folder = ImageFolderConfig::new().with_colors(colors).open(dir.path());
    let loaded = folder.and_then(|folder| folder.load());
    loaded.map(|images| (images.dims, images.values)).map_err(|error| error_of::<()>(&dir, Err(error)))
}

fn read(name: &str, bytes: &[u8]) -> Result<([usize; 3], Vec<f32>), String> {
    read_in(Colors::Rgb, name, bytes)
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG of one row.
fn row<P: Pixel>(pixels: &[P]) -> Vec<u8>
where
    DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
{
    let width = pixels.len() as u32;
    encoded(ImageBuffer::from_fn(width, 1, |x, _| pixels[x as usize]), ImageFormat::Png)
}

fn noise(side: u32) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| Rgb([x * 57, y * 91, x * y * 13].map(|value| value as u8)))
}

#[test]
fn five_formats_are_read_under_any_of_their_names() {
    let expected = read("0.png", &encoded(noise(8), ImageFormat::Png)).unwrap();
    for (name, format) in [
        ("0.bmp", ImageFormat::Bmp),
        ("0.tif", ImageFormat::Tiff),
        ("0.TIFF", ImageFormat::Tiff),
        ("0.webp", ImageFormat::WebP),
    ] {
        assert_eq!(read(name, &encoded(noise(8), format)).unwrap(), expected, "{name}");
    }
    for name in ["0.jpg", "0.JPEG", "0.jpe", "0.jfif"] {
        assert_eq!(read(name, &encoded(noise(8), ImageFormat::Jpeg)).unwrap().0, [3, 8, 8], "{name}");
    }
    let lossy = read("0.webp", include_bytes!("../fixtures/lossy.webp")).unwrap();
    assert_eq!(lossy.0, [3, 8, 8]);
}

#[test]
fn an_image_of_another_format_is_named() {
    for ending in ["gif", "HEIC", "avif", "ppm", "svg"] {
        let error = read(&format!("0.{ending}"), b"whatever").unwrap_err();
        let format = ending.to_uppercase();
        assert_eq!(
            error,
            format!(
                "DIR/class/0.{ending}: images of the format {format} are not read; JPEG, PNG, BMP, TIFF and WebP are"
            )
        );
    }
    let error = read("0.png", b"GIF89a\x01\0\x01\0\0\0\0;").unwrap_err();
    assert!(error.starts_with("DIR/class/0.png: images of the format Gif are not read"), "{error}");
    assert_eq!(read("notes.txt", b"no image").unwrap_err(), "DIR/class: empty");
}

#[test]
fn sixteen_bits_keep_their_precision() {
    let words = [0u16, 1, 257, 32_768, 65_534, 65_535];
    let expected = words.map(|word| f32::from(word) / 65_535.0);
    let gray = ImageBuffer::from_fn(6, 1, |x, _| Luma([words[x as usize]]));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let values = read_in(Colors::Gray, "0.png", &encoded(gray.clone(), format)).unwrap();
        assert_eq!(values, ([1, 1, 6], expected.to_vec()));
    }
    let colors = row(&[Rgb([1u16, 257, 65_535])]);
    assert_eq!(read("0.png", &colors).unwrap().1, [expected[1], expected[2], 1.0]);
}

#[test]
fn opacity_is_over_black() {
    // 255 · 51 / 255 and so on; what is wholly transparent is black whatever its color
    let expected = [50.0, 0.0, 7.0, 48.0, 0.0, 9.0, 46.0, 0.0, 11.0].map(|value| value / 255.0);
    let bytes = row(&[Rgba([250u8, 240, 230, 51]), Rgba([9, 9, 9, 0]), Rgba([7, 9, 11, 255])]);
    assert_eq!(read("0.png", &bytes).unwrap(), ([3, 1, 3], expected.to_vec()));
    let bytes = row(&[LumaA([200u8, 51]), LumaA([255, 0])]);
    assert_eq!(read_in(Colors::Gray, "0.png", &bytes).unwrap().1, [40.0 / 255.0, 0.0]);
    let bytes = row(&[Rgba([65_535u16, 2, 1, 32_768])]);
    assert_eq!(read("0.png", &bytes).unwrap().1, [32_768.0 / 65_535.0, 1.0 / 65_535.0, 1.0 / 65_535.0]);
    let bytes = row(&[LumaA([10_000u16, 6_554])]);
    assert_eq!(read_in(Colors::Gray, "0.png", &bytes).unwrap().1, [1_000.0 / 65_535.0]);
}

/// Colors 10 20 30, opaque; 40 50 60, transparent; 250 240 230, a fifth opaque.
#[test]
fn palettes_are_the_colors_they_stand_for() {
    let (dims, values) = read("0.png", include_bytes!("../fixtures/palette.png")).unwrap();
    assert_eq!(dims, [3, 2, 2]);
    let expected = [10.0, 0.0, 50.0, 0.0, 20.0, 0.0, 48.0, 0.0, 30.0, 0.0, 46.0, 0.0];
    assert_eq!(values, expected.map(|value| value / 255.0));
}

/// Half magenta, all yellow, a quarter black: red (1 − 0)(1 − 64/255), green (1 − 128/255)(1 − 64/255), blue 0.
#[test]
fn cmyk_becomes_rgb() {
    let jpeg: &[u8] = include_bytes!("../fixtures/cmyk.jpg");
    let tiff: &[u8] = include_bytes!("../fixtures/cmyk.tif");
    for (name, bytes) in [("0.jpg", jpeg), ("0.tif", tiff)] {
        let ([_, height, width], values) = read(name, bytes).unwrap();
        for (plane, expected) in values.chunks(height * width).zip([191.0, 95.0, 0.0]) {
            assert!(plane.iter().all(|value| (value * 255.0 - expected).abs() < 2.5), "{name}: {plane:?}");
        }
    }
}

#[test]
fn gray_is_by_rec_601() {
    let bytes = row(&[Rgb([255u8, 0, 0]), Rgb([0, 255, 0]), Rgb([0, 0, 255]), Rgb([100, 50, 200])]);
    let (_, values) = read_in(Colors::Gray, "0.png", &bytes).unwrap();
    let expected = [0.299, 0.587, 0.114, (29.9 + 29.35 + 22.8) / 255.0];
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-6, "{values:?}");
    }
    let gray = row(&[Luma([7u8]), Luma([255])]);
    assert_eq!(read_in(Colors::Gray, "0.png", &gray).unwrap().1, [7.0 / 255.0, 1.0]);
    assert_eq!(read("0.png", &gray).unwrap().1, [7.0 / 255.0, 1.0].repeat(3));
}

#[test]
fn numbers_of_32_bits_are_refused() {
    let bytes = encoded(Rgb32FImage::new(2, 2), ImageFormat::Tiff);
    let error = read("0.tif", &bytes).unwrap_err();
    assert_eq!(error, "DIR/class/0.tif: pixels of the kind Rgb32F, expected 8 or 16 bits a channel");
}

/// A JPEG whose EXIF says that it was taken with the camera on its side.
fn turned(bytes: &[u8], orientation: u8) -> Vec<u8> {
    let directory =
        [&b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation], &[0; 6]];
    let directory = directory.concat();
    let len = (directory.len() as u16 + 2).to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &len, &directory, &bytes[2..]].concat()
}

#[test]
fn an_exif_orientation_is_applied() {
    let left_white = GrayImage::from_fn(16, 8, |x, _| Luma([255 * u8::from(x < 8)]));
    let bytes = encoded(left_white, ImageFormat::Jpeg);
    let read = |bytes: &[u8]| read_in(Colors::Gray, "0.jpg", bytes).unwrap();
    assert_eq!(read(&turned(&bytes, 1)), read(&bytes));
    // a quarter to the right: what was left is above
    let (dims, values) = read(&turned(&bytes, 6));
    assert_eq!(dims, [1, 16, 8]);
    assert!(values[..60].iter().all(|value| *value > 0.95) && values[68..].iter().all(|value| *value < 0.05));
    let (dims, values) = read(&turned(&bytes, 3));
    assert_eq!((dims, values[0] < 0.05, values[15] > 0.95), ([1, 8, 16], true, true));
}

/// Of a file cut anywhere all is read, or nothing.
#[test]
fn no_image_is_half_decoded() {
    let mut files: Vec<(&str, Vec<u8>)> = [
        ("0.png", ImageFormat::Png),
        ("0.jpg", ImageFormat::Jpeg),
        ("0.bmp", ImageFormat::Bmp),
        ("0.tif", ImageFormat::Tiff),
        ("0.webp", ImageFormat::WebP),
    ]
    .map(|(name, format)| (name, encoded(noise(12), format)))
    .to_vec();
    files.push(("lossy.webp", include_bytes!("../fixtures/lossy.webp").to_vec()));
    files.push(("palette.png", include_bytes!("../fixtures/palette.png").to_vec()));
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let whole = decode::open(&path).unwrap();
        for len in 0..bytes.len() {
            fs::write(&path, &bytes[..len]).unwrap();
            match decode::open(&path) {
                Ok(image) => assert!(image == whole, "{name}, {len} of {} bytes", bytes.len()),
                Err(error) => assert!(error.to_string().contains(name), "{error}"),
            }
        }
    }
}

#[test]
fn a_png_with_a_wrong_byte_is_refused() {
    let mut bytes = encoded(noise(12), ImageFormat::Png);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert_eq!(read("0.png", &bytes).unwrap_err(), "DIR/class/0.png: cannot be decoded");
}
