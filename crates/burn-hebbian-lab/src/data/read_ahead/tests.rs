use std::{path::Path, sync::Mutex, time::Instant};

use burn::{data::dataloader::split::split_dataloader, tensor::Tensor};
use burn_hebbian_train::Batch;
use image::{Rgb, RgbImage};

use super::*;
use crate::data::{Augmentation, ImageBatcher, ImageFolder, ImageFolderConfig, Labeled, LabeledImage};

/// `count` JPEGs of noise, of three classes.
fn jpegs(dir: &Path, count: u32, side: u32) -> ImageFolder {
    for number in 0..count {
        let class = dir.join(format!("{}", number % 3));
        std::fs::create_dir_all(&class).unwrap();
        let image = RgbImage::from_fn(side, side, |x, y| {
            Rgb([x * 7 + number, y * 5 + x * y, (x + y) * number].map(|value| value as u8))
        });
        image.save(class.join(format!("{number}.jpg"))).unwrap();
    }
    ImageFolderConfig::new().open(dir).unwrap()
}

/// Labels and values of all batches of an epoch, or the message of an error.
type Pass = Vec<Result<(Vec<i64>, Vec<f32>), String>>;

fn pass(loader: &dyn DataLoader<Batch<Tensor<4>>>) -> Pass {
    let list = |batch: Batch<Tensor<4>>| {
        (batch.targets.into_data().iter().collect(), batch.input.into_data().iter().collect())
    };
    loader.iter().map(|batch| batch.map(list).map_err(|error| error.to_string())).collect()
}

fn augmented(
    data: impl Dataset<LabeledImage> + 'static,
    workers: usize,
) -> ReadAheadLoader<LabeledImage, Batch<Tensor<4>>> {
    let epochs = EpochCounter::new();
    let batcher = ImageBatcher::new().augmented(Augmentation::new().with_padding(2), &epochs);
    ReadAheadLoader::new(data, batcher, 4, &Device::flex()).shuffled(3, &epochs).with_workers(workers)
}

#[test]
fn workers_change_neither_order_nor_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = jpegs(dir.path(), 23, 16);
    let epochs = EpochCounter::new();
    let batcher = ImageBatcher::new().augmented(Augmentation::new().with_padding(2), &epochs);
    let ordered = OrderedLoader::new(folder.clone(), batcher, 4, &Device::flex()).shuffled(3, &epochs);
    let expected = [pass(&ordered), pass(&ordered)];
    assert!(expected[0].len() == 6 && expected[0] != expected[1]);
    for workers in [0, 1, 2, 5, 9] {
        let loader = augmented(folder.clone(), workers);
        assert_eq!([pass(&loader), pass(&loader)], expected, "{workers} workers");
    }
}

#[test]
fn an_error_comes_in_the_place_of_its_batch() {
    let dir = tempfile::tempdir().unwrap();
    let folder = jpegs(dir.path(), 23, 16);
    std::fs::write(dir.path().join("1/4.jpg"), b"no image").unwrap();
    let expected = pass(&augmented(folder.clone(), 0));
    let message = format!("{}: cannot be decoded", dir.path().join("1/4.jpg").display());
    assert_eq!(expected.iter().filter(|batch| **batch == Err(message.clone())).count(), 1);
    for workers in [1, 2, 3] {
        assert_eq!(pass(&augmented(folder.clone(), workers)), expected, "{workers} workers");
    }
}

/// Numbers, with a record of which were asked for.
struct Numbers {
    count: usize,
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Dataset<usize> for Numbers {
    fn get(&self, index: usize) -> Result<usize, DatasetError> {
        self.asked.lock().unwrap().push(index);
        Ok(index)
    }

    fn len(&self) -> usize {
        self.count
    }
}

struct Odd;

impl Batcher<usize, Vec<usize>> for Odd {
    fn batch(&self, items: Vec<usize>, _device: &Device) -> Vec<usize> {
        assert!(!items.contains(&13), "batch: 13 is no number");
        items
    }
}

/// Which items were asked for.
type Asked = Arc<Mutex<Vec<usize>>>;

fn numbers(count: usize, workers: usize) -> (ReadAheadLoader<usize, Vec<usize>>, Asked) {
    let asked = Arc::new(Mutex::new(vec![]));
    let data = Numbers { count, asked: asked.clone() };
    (ReadAheadLoader::new(data, Odd, 1, &Device::flex()).with_workers(workers), asked)
}

#[test]
fn no_more_than_two_batches_a_worker_are_read_ahead() {
    for workers in [0, 1, 3] {
        let (loader, asked) = numbers(12, workers);
        let mut batches = loader.iter();
        assert_eq!(batches.next().unwrap().unwrap(), [0]);
        drop(batches);
        let asked = asked.lock().unwrap().len();
        assert!((1..=1 + 2 * workers).contains(&asked), "{workers} workers have read {asked}");
    }
}

#[test]
fn a_panic_of_a_worker_reaches_the_thread_that_trains() {
    for workers in [0, 1, 2] {
        let (loader, _) = numbers(20, workers);
        let mut seen = vec![];
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            loader.iter().for_each(|batch| seen.extend(batch.unwrap()));
        }));
        assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "batch: 13 is no number");
        assert_eq!(seen, (0..13).collect::<Vec<_>>(), "{workers} workers");
    }
}

#[test]
fn progress_counts_what_was_given() {
    for workers in [0, 2] {
        let (loader, _) = numbers(3, workers);
        let mut batches = loader.iter();
        for given in 0..3 {
            assert_eq!(format!("{:?}", batches.progress()), format!("{:?}", progress(given)));
            batches.next().unwrap().unwrap();
        }
        assert!(batches.next().is_none() && batches.progress().is_completed());
    }
}

fn progress(given: usize) -> burn::data::dataloader::Progress {
    burn::data::dataloader::Progress::new(given, 3, Some("items".to_string()))
}

#[test]
fn the_parts_of_several_devices_are_the_epoch_cut_in_pieces() {
    let mut images = Labeled::with_capacity([1, 1, 1], 11);
    (0..11u16).for_each(|label| images.push([f32::from(label)], label));
    let epochs = EpochCounter::new();
    let loader = |epochs: &EpochCounter| {
        let loader = ReadAheadLoader::new(images.clone(), ImageBatcher::new(), 2, &Device::flex());
        loader.shuffled(5, epochs).with_workers(2)
    };
    let parts = split_dataloader(Arc::new(loader(&epochs)), &[Device::flex(), Device::flex()]);
    let labels = |pass: Pass| pass.into_iter().flat_map(|batch| batch.unwrap().0).collect::<Vec<_>>();
    let whole = loader(&EpochCounter::new());
    assert_eq!((whole.num_items(), parts[0].num_items()), (11, 5));
    for epoch in 1..=2 {
        let seen: Vec<i64> = parts.iter().flat_map(|part| labels(pass(&**part))).collect();
        assert_eq!((seen, epochs.current()), (labels(pass(&whole)), epoch));
    }
}

/// `cargo test -p burn-hebbian-lab --lib -- --ignored --nocapture images_a_second`.
#[test]
#[ignore = "a measurement"]
fn images_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let folder = jpegs(dir.path(), 2000, 256);
    for workers in [0, 1, 2] {
        let loader = ReadAheadLoader::new(folder.clone(), ImageBatcher::new(), 50, &Device::flex());
        let loader = loader.shuffled(1, &EpochCounter::new()).with_workers(workers);
        let start = Instant::now();
        let images: usize = loader.iter().map(|batch| batch.unwrap().input.dims()[0]).sum();
        println!("{workers} workers: {:.0} images/s", images as f64 / start.elapsed().as_secs_f64());
    }
}
