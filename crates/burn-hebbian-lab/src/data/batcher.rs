//! Batches of images for loaders.

use burn::{
    data::dataloader::batcher::Batcher,
    tensor::{Device, Tensor, TensorData},
};

use burn_hebbian_train::{Batch, EpochCounter};

use super::{Augmentation, LabeledImage};

/// Makes batches `[n, channels, height, width]` of images of one size, from memory or from disk.
///
/// ```
/// use burn::{data::dataloader::DataLoader, tensor::Device};
/// use burn_hebbian_lab::data::{Augmentation, ImageBatcher, Labeled};
/// use burn_hebbian_train::{EpochCounter, OrderedLoader};
///
/// let mut images = Labeled::with_capacity([1, 2, 2], 3); // or an `ImageFolder`
/// (0..3).for_each(|label| images.push([0.1, 0.2, 0.3, 0.4], label));
///
/// let epochs = EpochCounter::new();
/// let batcher = ImageBatcher::new().augmented(Augmentation::new().with_padding(1), &epochs);
/// let loader = OrderedLoader::new(images, batcher, 2, &Device::flex()).shuffled(7, &epochs);
/// let first = loader.iter().next().unwrap().unwrap();
/// assert_eq!((first.input.dims(), first.targets.dims()), ([2, 1, 2, 2], [2]));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ImageBatcher {
    augmentation: Option<(Augmentation, EpochCounter)>,
}

impl ImageBatcher {
    /// Images as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Images changed in every epoch, which the loader's counter tells.
    pub fn augmented(self, augmentation: Augmentation, epochs: &EpochCounter) -> Self {
        Self { augmentation: Some((augmentation, epochs.clone())) }
    }

    /// The values of an image in this epoch.
    fn values(&self, image: LabeledImage) -> Vec<f32> {
        match &self.augmentation {
            Some((augmentation, epochs)) => augmentation.apply(&image, epochs.current()).values,
            None => image.values,
        }
    }
}

impl Batcher<LabeledImage, Batch<Tensor<4>>> for ImageBatcher {
    /// # Panics
    ///
    /// If the images are not all of one size.
    fn batch(&self, images: Vec<LabeledImage>, device: &Device) -> Batch<Tensor<4>> {
        let count = images.len();
        let [channels, height, width] = images.first().map_or([0; 3], |image| image.dims);
        assert!(
            images.iter().all(|image| image.dims == [channels, height, width]),
            "batch: images of one size, the first is [{channels}, {height}, {width}]"
        );
        let labels: Vec<i64> = images.iter().map(|image| image.label.into()).collect();
        let mut values = Vec::with_capacity(count * channels * height * width);
        images.into_iter().for_each(|image| values.extend(self.values(image)));
        Batch {
            input: Tensor::from_data(TensorData::new(values, [count, channels, height, width]), device),
            targets: Tensor::from_data(TensorData::new(labels, [count]), device),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::data::{dataloader::DataLoader, dataset::Dataset};

    use super::*;
    use burn_hebbian_train::OrderedLoader;

    use crate::data::Labeled;

    fn images() -> Labeled {
        let mut images = Labeled::with_capacity([1, 2, 3], 7);
        (0..7u16).for_each(|i| images.push((0..6).map(|v| f32::from(10 * i + v)), i));
        images
    }

    /// Labels and values of all batches of an epoch.
    fn pass(loader: &OrderedLoader<LabeledImage, Batch<Tensor<4>>>) -> Vec<(Vec<i64>, Vec<f32>)> {
        let batches = loader.iter().map(Result::unwrap);
        let list = |batch: Batch<Tensor<4>>| {
            (batch.targets.into_data().iter().collect(), batch.input.into_data().iter().collect())
        };
        batches.map(list).collect()
    }

    fn loader(
        augmentation: Option<Augmentation>,
        last: usize,
    ) -> OrderedLoader<LabeledImage, Batch<Tensor<4>>> {
        let epochs = EpochCounter::after(last);
        let batcher = match augmentation {
            Some(augmentation) => ImageBatcher::new().augmented(augmentation, &epochs),
            None => ImageBatcher::new(),
        };
        OrderedLoader::new(images(), batcher, 3, &Device::flex()).shuffled(1, &epochs)
    }

    #[test]
    fn batches_hold_images_with_their_labels() {
        for (labels, values) in pass(&loader(None, 0)) {
            assert_eq!(values.len(), 6 * labels.len());
            for (label, image) in labels.iter().zip(values.chunks(6)) {
                assert_eq!(image, images().image(*label as usize));
            }
        }
    }

    #[test]
    #[should_panic(expected = "batch: images of one size, the first is [1, 2, 3]")]
    fn images_of_several_sizes_are_refused() {
        let image = |dims| LabeledImage { index: 0, dims, values: vec![0.0; 6], label: 0 };
        ImageBatcher::new().batch(vec![image([1, 2, 3]), image([1, 3, 2])], &Device::flex());
    }

    #[test]
    fn augmented_batches_follow_the_epoch_and_resume() {
        let augmentation = Augmentation::new().with_padding(1);
        let whole = loader(Some(augmentation), 0);
        let passes = [pass(&whole), pass(&whole), pass(&whole)];
        assert_eq!(pass(&loader(Some(augmentation), 2)), passes[2]);
        for (epoch, batches) in (1..).zip(&passes) {
            for (labels, values) in batches {
                for (label, image) in labels.iter().zip(values.chunks(6)) {
                    let original = Dataset::get(&images(), *label as usize).unwrap();
                    assert_eq!(image, augmentation.apply(&original, epoch).values);
                }
            }
        }
    }
}
