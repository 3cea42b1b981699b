//! Batches that are made ahead of the training.

mod pass;

use std::sync::Arc;

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderIterator, batcher::Batcher},
        dataset::{Dataset, DatasetError},
    },
    tensor::Device,
};

use burn_hebbian_train::{EpochCounter, OrderedLoader};

use pass::{Inline, Source, Threads};

/// The batches of an [`OrderedLoader`], in its order, made by threads of their own while a model trains.
///
/// Of `w` workers, each reads every `w`-th batch: decodes its images, augments them, moves them to the device. It holds
/// one batch that is made and one that it makes, so that `2 w` batches lie in memory beside the one that is trained on.
/// What comes, and in which order, does not depend on the number of workers; an error comes in the place of its batch,
/// and a panic of a worker is one of the thread that trains. Without workers batches are made when they are asked for.
///
/// It is worth its threads where decoding takes long and the backend leaves cores idle.
///
/// ```
/// use burn::{data::dataloader::DataLoader, tensor::Device};
/// use burn_hebbian_lab::data::{ImageBatcher, Labeled, ReadAheadLoader};
/// use burn_hebbian_train::EpochCounter;
///
/// let mut images = Labeled::with_capacity([1, 2, 2], 5); // or an `ImageFolder`
/// (0..5).for_each(|label| images.push([0.1, 0.2, 0.3, 0.4], label));
///
/// let loader = ReadAheadLoader::new(images, ImageBatcher::new(), 2, &Device::flex())
///     .shuffled(7, &EpochCounter::new())
///     .with_workers(2);
/// let sizes: Vec<usize> = loader.iter().map(|batch| batch.unwrap().input.dims()[0]).collect();
/// assert_eq!(sizes, [2, 2, 1]);
/// ```
pub struct ReadAheadLoader<I, O> {
    source: Arc<Source<I, O>>,
    batch_size: usize,
    /// The places of every batch, in the order of the epoch.
    order: Arc<dyn DataLoader<Vec<usize>>>,
    workers: usize,
}

impl<I, O> ReadAheadLoader<I, O> {
    /// Batches of `batch_size` items as they lie, made by one worker; the last one of an epoch may be smaller.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    pub fn new(
        dataset: impl Dataset<I> + 'static,
        batcher: impl Batcher<I, O> + 'static,
        batch_size: usize,
        device: &Device,
    ) -> Self {
        let order = Arc::new(places(dataset.len(), batch_size));
        let (dataset, batcher) = (Arc::new(dataset), Arc::new(batcher));
        let source = Arc::new(Source { dataset, batcher, device: device.clone() });
        Self { source, batch_size, order, workers: 1 }
    }

    /// With an order of its own for every epoch, as by [`OrderedLoader::shuffled`].
    pub fn shuffled(self, seed: u64, epochs: &EpochCounter) -> Self {
        let places = places(self.source.dataset.len(), self.batch_size);
        Self { order: Arc::new(places.shuffled(seed, epochs)), ..self }
    }

    /// Epochs of items as they lie are counted by `epochs`, as by [`OrderedLoader::counted_by`].
    pub fn counted_by(self, epochs: &EpochCounter) -> Self {
        let places = places(self.source.dataset.len(), self.batch_size);
        Self { order: Arc::new(places.counted_by(epochs)), ..self }
    }

    /// Threads that make batches; with none the thread that asks for a batch makes it.
    pub fn with_workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    fn copy(&self, device: &Device, order: Arc<dyn DataLoader<Vec<usize>>>) -> Self {
        let Source { dataset, batcher, .. } = &*self.source;
        let source = Source { dataset: dataset.clone(), batcher: batcher.clone(), device: device.clone() };
        Self { source: Arc::new(source), batch_size: self.batch_size, order, workers: self.workers }
    }
}

impl<I: 'static, O: Send + 'static> DataLoader<O> for ReadAheadLoader<I, O> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<O> + 'a> {
        // an order of places, which nothing on disk can spoil
        let batches: Vec<Vec<usize>> = self.order.iter().flatten().collect();
        match self.workers {
            0 => Box::new(Inline::new(self.source.clone(), batches)),
            workers => Box::new(Threads::start(&self.source, batches, workers)),
        }
    }

    fn num_items(&self) -> usize {
        self.order.num_items()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<O>> {
        Arc::new(self.copy(device, self.order.to_device(device)))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<O>> {
        Arc::new(self.copy(&self.source.device, self.order.slice(start, end)))
    }
}

/// The places of a data set, as items of their own.
struct Places(usize);

impl Dataset<usize> for Places {
    fn get(&self, index: usize) -> Result<usize, DatasetError> {
        Ok(index)
    }

    fn len(&self) -> usize {
        self.0
    }
}

/// A batch of places.
struct Together;

impl Batcher<usize, Vec<usize>> for Together {
    fn batch(&self, places: Vec<usize>, _device: &Device) -> Vec<usize> {
        places
    }
}

fn places(items: usize, batch_size: usize) -> OrderedLoader<usize, Vec<usize>> {
    OrderedLoader::new(Places(items), Together, batch_size, &Device::default())
}

#[cfg(test)]
mod tests;
