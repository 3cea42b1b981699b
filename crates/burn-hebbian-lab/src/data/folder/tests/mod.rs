mod formats;
mod layouts;

use std::fs;

use burn::{
    data::{
        dataloader::DataLoader,
        dataset::{Dataset, DatasetError},
    },
    tensor::{Device, Tensor},
};
use image::{GrayImage, Luma, Rgb, RgbImage};
use tempfile::TempDir;

use super::*;
use burn_hebbian_train::{Batch, EpochCounter, OrderedLoader};

use crate::data::{ImageBatcher, LabeledImage, Source};

/// Ten classes; an image's red is its class, its blue twice that.
fn tree_of_images() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (part, count) in [(TRAINING, 2), (TEST[0], 1)] {
        for class in 0..10u8 {
            let folder = dir.path().join(part).join(format!("class{class}"));
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let image = RgbImage::from_pixel(32, 32, Rgb([class, 0, 2 * class]));
                image.save(folder.join(format!("{number:04}.png"))).unwrap();
            }
        }
    }
    dir
}

fn error_of<T>(dir: &TempDir, result: Result<T, impl ToString>) -> String {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => error.to_string().replace(&dir.path().display().to_string(), "DIR"),
    }
}

fn error_after(change: impl FnOnce(&Path)) -> String {
    let dir = tree_of_images();
    change(dir.path());
    error_of(&dir, Source::Cifar10.read(dir.path()))
}

#[test]
fn labels_are_the_order_of_the_folders() {
    let dir = tree_of_images();
    let data = DataSet::read(dir.path()).unwrap();
    assert_eq!((data.training.len(), data.test.len()), (20, 10));
    assert_eq!((data.training.dims, data.classes[9].as_str()), ([3, 32, 32], "class9"));
    for (index, &label) in data.training.labels.iter().enumerate() {
        let image = data.training.image(index);
        assert_eq!(image[0] * 255.0, f32::from(label));
        assert_eq!(image[1024..2048], [0.0; 1024]);
        assert_eq!((image[2048] * 255.0).round(), f32::from(2 * label));
    }
    assert_eq!(Source::Cifar10.read(dir.path()).unwrap(), data);
}

/// Results of earlier trainings depend on it.
#[test]
fn the_order_is_always_the_same() {
    let data = DataSet::read(tree_of_images().path()).unwrap();
    assert_eq!(
        data.test.labels,
        crate::data::shuffled(10, 0, 0).iter().map(|&i| i as u16).collect::<Vec<_>>()
    );
    let stretch: std::collections::BTreeSet<_> = data.training.labels[..10].iter().collect();
    assert!(stretch.len() > 5, "{stretch:?}");
}

#[test]
fn images_asked_for_one_by_one_are_those_in_memory() {
    let dir = tree_of_images();
    let data = DataSet::read(dir.path()).unwrap();
    let [training, test] = ImageFolderConfig::new().open_parts(dir.path()).unwrap();
    for (folder, memory) in [(training, data.training), (test, data.test)] {
        assert_eq!((Dataset::len(&folder), folder.labels()), (memory.len(), memory.labels.clone()));
        for index in 0..memory.len() {
            let image = folder.get(index).unwrap();
            assert_eq!(image, Dataset::get(&memory, index).unwrap());
            assert_eq!((image.values.as_slice(), image.label), (memory.image(index), memory.labels[index]));
        }
        let some = folder.select(&[4, 1]);
        assert_eq!(some.load().unwrap(), memory.select(&[4, 1]));
    }
}

#[test]
fn a_broken_image_is_named_through_burn_too() {
    let dir = tree_of_images();
    let path = dir.path().join("train/class3/0001.png");
    let folder = ImageFolderConfig::new().open(&dir.path().join("train")).unwrap();
    fs::write(&path, b"no image").unwrap();
    let result = folder.get_many((0..20).collect());
    assert_eq!(error_of(&dir, result), "DIR/train/class3/0001.png: cannot be decoded");
}

/// Values and labels of a batch.
type Listed = (Vec<f32>, Vec<i64>);

/// Every batch of an epoch, or the first error.
fn pass(data: impl Dataset<LabeledImage> + 'static) -> Result<Vec<Listed>, DatasetError> {
    let loader = OrderedLoader::new(data, ImageBatcher::new(), 7, &Device::flex());
    let loader = loader.shuffled(3, &EpochCounter::new());
    let list = |batch: Batch<Tensor<4>>| {
        (batch.input.into_data().iter().collect(), batch.targets.into_data().iter().collect())
    };
    loader.iter().map(|batch| batch.map(list)).collect()
}

#[test]
fn a_loader_streams_what_it_would_give_from_memory() {
    let dir = tree_of_images();
    let [training, _] = ImageFolderConfig::new().open_parts(dir.path()).unwrap();
    let streamed = pass(training.clone()).unwrap();
    assert_eq!(streamed.iter().map(|(_, labels)| labels.len()).collect::<Vec<_>>(), [7, 7, 6]);
    assert_eq!(streamed, pass(training.load().unwrap()).unwrap());
    fs::remove_file(dir.path().join("train/class8/0000.png")).unwrap();
    assert_eq!(error_of(&dir, pass(training)), "DIR/train/class8/0000.png: cannot be read");
}

#[test]
fn sizes_are_as_the_first_or_resized() {
    let dir = tree_of_images();
    // left half white: its middle square is half white
    let wide = GrayImage::from_fn(64, 32, |x, _| Luma([255 * u8::from(x < 32)]));
    wide.save(dir.path().join("train/class5/0001.PNG")).unwrap();
    let error = error_of(&dir, DataSet::read(dir.path()));
    assert_eq!(error, "DIR/train/class5/0001.PNG: 64 × 32 pixels, expected 32 × 32");
    let resized = ImageFolderConfig::new()
        .with_size(ImageSize::Resized { height: 4, width: 4 })
        .with_colors(Colors::Gray)
        .open(&dir.path().join("train"))
        .unwrap();
    let images = resized.load().unwrap();
    assert_eq!((images.dims, images.len()), ([1, 4, 4], 21));
    let brightest = (0..21).map(|index| images.image(index)).find(|image| image[0] > 0.5).unwrap();
    assert_eq!([brightest[0], brightest[12], brightest[3], brightest[15]], [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn the_test_images_may_be_called_val() {
    let dir = tree_of_images();
    let data = DataSet::read(dir.path()).unwrap();
    fs::rename(dir.path().join("test"), dir.path().join("val")).unwrap();
    assert_eq!(DataSet::read(dir.path()).unwrap(), data);
}

#[test]
fn configs_survive_json() {
    let config = ImageFolderConfig::new().with_size(ImageSize::Resized { height: 4, width: 5 });
    let json = serde_json::to_string(&config).unwrap();
    assert!(json.contains("resized") && json.contains("rgb"), "{json}");
    assert_eq!(serde_json::from_str::<ImageFolderConfig>(&json).unwrap(), config);
}

#[test]
fn an_unreadable_image_is_named() {
    let error = error_after(|dir| fs::write(dir.join("train/class3/0001.png"), b"no image").unwrap());
    assert_eq!(error, "DIR/train/class3/0001.png: cannot be decoded");
    let error = error_after(|dir| {
        let path = dir.join("test/class3/0000.png");
        fs::write(&path, &fs::read(&path).unwrap()[..60]).unwrap();
    });
    assert_eq!(error, "DIR/test/class3/0000.png: cannot be decoded");
}

#[test]
fn an_image_called_by_another_format_is_read() {
    let dir = tree_of_images();
    let data = DataSet::read(dir.path()).unwrap();
    let folder = dir.path().join("train/class3");
    fs::rename(folder.join("0001.png"), folder.join("0001.JPEG")).unwrap();
    assert_eq!(DataSet::read(dir.path()).unwrap(), data);
}

#[test]
fn an_image_of_another_size_is_named() {
    let error = error_after(|dir| RgbImage::new(31, 32).save(dir.join("test/class0/0000.png")).unwrap());
    assert_eq!(error, "DIR/test/class0/0000.png: 31 × 32 pixels, expected 32 × 32");
}

#[test]
fn an_empty_class_is_named() {
    let error = error_after(|dir| fs::remove_file(dir.join("test/class7/0000.png")).unwrap());
    assert_eq!(error, "DIR/test/class7: empty");
}

#[test]
fn other_classes_are_refused() {
    let error = error_after(|dir| fs::remove_dir_all(dir.join("train/class9")).unwrap());
    assert!(
        error.starts_with("DIR/train: expected 10 class folders, found the class folders [class0, "),
        "{error}"
    );
    let error = error_after(|dir| fs::rename(dir.join("test/class9"), dir.join("test/zebra")).unwrap());
    assert!(error.starts_with("DIR/test: expected the classes of `train`, found"), "{error}");
}

#[test]
fn a_folder_of_no_classes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("train")).unwrap();
    let error = error_of(&dir, DataSet::read(dir.path()));
    assert_eq!(error, "DIR/train: expected 1 to 65536 class folders, found the class folders []");
}

#[test]
fn a_missing_part_is_named() {
    let error = error_after(|dir| fs::remove_dir_all(dir.join("test")).unwrap());
    assert_eq!(error, "DIR/test: cannot be read");
}

#[test]
fn what_is_hidden_is_no_data() {
    let dir = tree_of_images();
    let data = DataSet::read(dir.path()).unwrap();
    let image = fs::read(dir.path().join("train/class3/0001.png")).unwrap();
    for folder in ["train", "test"].map(|part| dir.path().join(part)) {
        for hidden in [".ipynb_checkpoints", "__MACOSX", "class3/.ipynb_checkpoints", "@eaDir"] {
            fs::create_dir_all(folder.join(hidden)).unwrap();
            fs::write(folder.join(hidden).join("0000.png"), &image).unwrap();
        }
        for junk in [
            ".DS_Store",
            "Thumbs.db",
            "desktop.ini",
            "class3/._0000.png",
            "class3/.DS_Store",
            "class3/Thumbs.db",
        ] {
            fs::write(folder.join(junk), b"junk").unwrap();
        }
        fs::write(folder.join("class3/.hidden.png"), &image).unwrap();
    }
    assert_eq!(DataSet::read(dir.path()).unwrap(), data);
    assert_eq!(Source::Cifar10.read(dir.path()).unwrap(), data);
}

/// A JPEG of noise, with a thumbnail's end of image in a segment of its own.
fn jpeg() -> Vec<u8> {
    let noise = RgbImage::from_fn(32, 32, |x, y| Rgb([(x * 57) as u8, (y * 91) as u8, (x * y * 13) as u8]));
    let mut bytes = std::io::Cursor::new(vec![]);
    noise.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let mut bytes = bytes.into_inner();
    bytes.splice(2..2, [0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9]);
    bytes
}

#[test]
fn a_jpeg_is_whole_or_named() {
    let bytes = jpeg();
    let dir = tree_of_images();
    let path = dir.path().join("train/class3/0001.jpg");
    for junk in [0, 3] {
        fs::write(&path, [bytes.as_slice(), &vec![7; junk]].concat()).unwrap();
        assert_eq!(DataSet::read(dir.path()).unwrap().training.len(), 21);
    }
    for len in [bytes.len() / 2, bytes.len() - 200, bytes.len() - 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..len]).unwrap();
        let error = error_of(&dir, DataSet::read(dir.path()));
        let expected = format!("cut short: the image does not end within its {len} bytes");
        assert_eq!(error, format!("DIR/train/class3/0001.jpg: {expected}"));
    }
    assert!(whole::is_whole(&bytes) && (2..bytes.len()).all(|len| !whole::is_whole(&bytes[..len])));
}

#[test]
fn half_a_png_is_named() {
    let error = error_after(|dir| {
        let path = dir.join("train/class3/0001.png");
        let noise =
            RgbImage::from_fn(32, 32, |x, y| Rgb([(x * 57) as u8, (y * 91) as u8, (x * y * 13) as u8]));
        noise.save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert_eq!(error, "DIR/train/class3/0001.png: cannot be decoded");
}

#[test]
fn damaged_images_are_skipped_and_listed_if_asked() {
    let dir = tree_of_images();
    let whole = DataSet::read(dir.path()).unwrap();
    let folders = ["train", "test"].map(|part| dir.path().join(part));
    let damaged = [folders[0].join("class0/0000.jpg"), folders[0].join("class4/broken.png")];
    fs::write(&damaged[0], &jpeg()[..300]).unwrap();
    fs::write(&damaged[1], b"no image").unwrap();
    fs::write(folders[1].join("class2/empty.png"), b"").unwrap();
    let config = ImageFolderConfig::new().skipping_damaged();
    let [training, test] = config.open_parts(dir.path()).unwrap();
    assert_eq!((training.damaged(), test.damaged().len()), (damaged.as_slice(), 1));
    assert_eq!((training.load().unwrap(), config.read(dir.path()).unwrap()), (whole.training.clone(), whole));
    assert_eq!(training.select(&[0]).damaged(), damaged);

    fs::write(folders[1].join("class7/0000.png"), b"no image").unwrap();
    let error = error_of(&dir, config.read(dir.path()));
    assert_eq!(error, "DIR/test/class7: no image that is not damaged");
    let strict: ImageFolderConfig =
        serde_json::from_str(r#"{"size":"as-first","colors":"rgb","classes":null}"#).unwrap();
    assert_eq!(strict, ImageFolderConfig::new());
    assert_eq!(error_of(&dir, strict.open(&folders[0])), error_of(&dir, strict.read(dir.path())));
}
