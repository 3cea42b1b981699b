//! Labeled images in memory.

use burn::{
    data::dataset::{Dataset, DatasetError},
    tensor::{Device, Int, Tensor, TensorData},
};

/// Labeled images, or features that a layer made of them, all of one size.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labeled {
    /// Channels, height, width.
    pub dims: [usize; 3],
    /// The images one after the other, each as planes of rows.
    pub values: Vec<f32>,
    /// One label an image.
    pub labels: Vec<u16>,
}

/// One image.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledImage {
    /// Its place in its data set.
    pub index: usize,
    /// Channels, height, width.
    pub dims: [usize; 3],
    /// Planes of rows.
    pub values: Vec<f32>,
    /// Its class.
    pub label: u16,
}

impl Labeled {
    /// No images of this size yet, with room for `capacity`.
    pub fn with_capacity(dims: [usize; 3], capacity: usize) -> Self {
        let values = Vec::with_capacity(capacity * dims.iter().product::<usize>());
        Self { dims, values, labels: Vec::with_capacity(capacity) }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values of one image.
    pub fn image_len(&self) -> usize {
        self.dims.iter().product()
    }

    /// The values of image `index`.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn image(&self, index: usize) -> &[f32] {
        let len = self.image_len();
        &self.values[index * len..][..len]
    }

    /// Adds an image.
    pub fn push(&mut self, image: impl IntoIterator<Item = f32>, label: u16) {
        self.values.extend(image);
        self.labels.push(label);
        debug_assert_eq!(self.values.len(), self.len() * self.image_len());
    }

    /// These images alone, in this order.
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut chosen = Self::with_capacity(self.dims, indices.len());
        for &index in indices {
            chosen.push(self.image(index).iter().copied(), self.labels[index]);
        }
        chosen
    }

    /// The first `count` images, or all of them.
    pub fn truncate(&mut self, count: usize) {
        self.labels.truncate(count);
        self.values.truncate(count * self.image_len());
    }

    /// `[indices, channels, height, width]`.
    pub fn images(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.dims;
        let mut values = Vec::with_capacity(indices.len() * self.image_len());
        for &index in indices {
            values.extend_from_slice(self.image(index));
        }
        Tensor::from_data(TensorData::new(values, [indices.len(), channels, height, width]), device)
    }

    /// The labels, `[indices]`.
    pub fn targets(&self, indices: &[usize], device: &Device) -> Tensor<1, Int> {
        let labels: Vec<i64> = indices.iter().map(|&index| i64::from(self.labels[index])).collect();
        Tensor::from_data(TensorData::new(labels, [indices.len()]), device)
    }
}

/// For loaders; images are copied.
impl Dataset<LabeledImage> for Labeled {
    fn get(&self, index: usize) -> Result<LabeledImage, DatasetError> {
        let values = self.image(index).to_vec();
        Ok(LabeledImage { index, dims: self.dims, values, label: self.labels[index] })
    }

    fn len(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Labeled {
        let mut three = Labeled::with_capacity([1, 1, 2], 3);
        for i in 0..3u16 {
            three.push([f32::from(i), f32::from(i) + 0.5], 10 + i);
        }
        three
    }

    #[test]
    fn selects_images_with_their_labels() {
        let chosen = three().select(&[2, 0]);
        assert_eq!(chosen.values, [2.0, 2.5, 0.0, 0.5]);
        assert_eq!(chosen.labels, [12, 10]);
    }

    #[test]
    fn batches_follow_the_indices() {
        let (device, three) = (Device::flex(), three());
        let images = three.images(&[1, 1], &device);
        assert_eq!(images.dims(), [2, 1, 1, 2]);
        assert_eq!(images.into_data().iter::<f32>().collect::<Vec<_>>(), [1.0, 1.5, 1.0, 1.5]);
        let targets = three.targets(&[2], &device).into_data();
        assert_eq!(targets.iter::<i64>().collect::<Vec<_>>(), [12]);
    }

    #[test]
    fn truncates_values_and_labels_alike() {
        let mut two = three();
        two.truncate(2);
        assert_eq!((two.len(), two.values.len()), (2, 4));
        two.truncate(5);
        assert_eq!(two.len(), 2);
    }
}
