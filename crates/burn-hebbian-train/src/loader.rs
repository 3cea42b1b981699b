//! Batches in an order that a training can be resumed with.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderIterator, Progress, batcher::Batcher},
        dataset::{Dataset, DatasetError},
    },
    tensor::Device,
};

use crate::{epochs::EpochCounter, order::shuffled};

/// Batches of a data set, one after the other, in an order that is a function of seed and epoch alone.
///
/// burn-train asks for a new pass in every epoch; the passes are counted, and the count is told to an
/// [`EpochCounter`]. A training that is resumed, with a counter that starts [after](EpochCounter::after) the last epoch,
/// sees the batches that it would have seen.
///
/// For several devices every epoch's order is cut: each device sees a part of it, in other epochs other items.
///
/// ```
/// use std::sync::Arc;
///
/// use burn::{
///     data::{dataloader::{DataLoader, batcher::Batcher}, dataset::InMemDataset},
///     tensor::Device,
/// };
/// use burn_hebbian_train::{EpochCounter, OrderedLoader};
///
/// struct Numbers;
///
/// impl Batcher<u8, Vec<u8>> for Numbers {
///     fn batch(&self, items: Vec<u8>, _device: &Device) -> Vec<u8> {
///         items
///     }
/// }
///
/// let epochs = EpochCounter::new();
/// let data = InMemDataset::new((0..5).collect());
/// let loader = OrderedLoader::new(data, Numbers, 2, &Device::flex()).shuffled(7, &epochs);
/// let first: Vec<_> = loader.iter().map(Result::unwrap).collect();
/// assert_eq!((first.len(), epochs.current()), (3, 1));
/// ```
pub struct OrderedLoader<I, O> {
    dataset: Arc<dyn Dataset<I>>,
    batcher: Arc<dyn Batcher<I, O>>,
    batch_size: usize,
    device: Device,
    /// The seed of the orders; without one items come as they lie.
    seed: Option<u64>,
    /// The places of each epoch's order that this loader reads.
    places: Range<usize>,
    epochs: EpochCounter,
    /// The last epoch that this loader began.
    begun: AtomicUsize,
}

impl<I, O> OrderedLoader<I, O> {
    /// Batches of `batch_size` items as they lie; the last one of an epoch may be smaller.
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
        assert!(batch_size > 0, "a batch of 0 items");
        Self {
            places: 0..dataset.len(),
            dataset: Arc::new(dataset),
            batcher: Arc::new(batcher),
            batch_size,
            device: device.clone(),
            seed: None,
            epochs: EpochCounter::new(),
            begun: AtomicUsize::new(0),
        }
    }

    /// With an order of its own for every epoch, counted by `epochs` from where it stands.
    pub fn shuffled(self, seed: u64, epochs: &EpochCounter) -> Self {
        Self { seed: Some(seed), ..self }.counted_by(epochs)
    }

    /// Epochs are counted by `epochs`, from where it stands.
    pub fn counted_by(self, epochs: &EpochCounter) -> Self {
        Self { begun: AtomicUsize::new(epochs.current()), epochs: epochs.clone(), ..self }
    }

    /// The items of an epoch that this loader reads, in order.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let items = self.dataset.len();
        match self.seed {
            Some(seed) => shuffled(items, seed, epoch)[self.places.clone()].to_vec(),
            None => self.places.clone().collect(),
        }
    }

    fn copy(&self, device: &Device, places: Range<usize>) -> Self {
        Self {
            dataset: self.dataset.clone(),
            batcher: self.batcher.clone(),
            batch_size: self.batch_size,
            device: device.clone(),
            seed: self.seed,
            places,
            epochs: self.epochs.clone(),
            begun: AtomicUsize::new(self.begun.load(Relaxed)),
        }
    }
}

impl<I: 'static, O: 'static> DataLoader<O> for OrderedLoader<I, O> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<O> + 'a> {
        let epoch = self.begun.fetch_add(1, Relaxed) + 1;
        self.epochs.begin(epoch);
        Box::new(Batches { loader: self, order: self.order(epoch), read: 0 })
    }

    fn num_items(&self) -> usize {
        self.places.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<O>> {
        Arc::new(self.copy(device, self.places.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<O>> {
        let first = self.places.start;
        // clamp: no places beyond this loader's own
        let places = (first + start).min(self.places.end)..(first + end).min(self.places.end);
        Arc::new(self.copy(&self.device, places))
    }
}

/// One pass.
struct Batches<'a, I, O> {
    loader: &'a OrderedLoader<I, O>,
    order: Vec<usize>,
    read: usize,
}

impl<I, O> Iterator for Batches<'_, I, O> {
    type Item = Result<O, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.order[self.read..].chunks(self.loader.batch_size).next()?.to_vec();
        self.read += batch.len();
        let items = self.loader.dataset.get_many(batch);
        Some(items.map(|items| self.loader.batcher.batch(items, &self.loader.device)))
    }
}

impl<I, O> DataLoaderIterator<O> for Batches<'_, I, O> {
    fn progress(&self) -> Progress {
        Progress::new(self.read, self.order.len(), Some("items".to_string()))
    }
}

#[cfg(test)]
mod tests {
    use burn::data::{dataloader::split::split_dataloader, dataset::InMemDataset};

    use super::*;

    struct Items;

    impl Batcher<u8, (Vec<u8>, Device)> for Items {
        fn batch(&self, items: Vec<u8>, device: &Device) -> (Vec<u8>, Device) {
            (items, device.clone())
        }
    }

    type Loader = OrderedLoader<u8, (Vec<u8>, Device)>;

    fn loader(epochs: &EpochCounter) -> Loader {
        let data = InMemDataset::new((0..11).collect());
        OrderedLoader::new(data, Items, 4, &Device::flex()).shuffled(5, epochs)
    }

    fn pass(loader: &dyn DataLoader<(Vec<u8>, Device)>) -> Vec<Vec<u8>> {
        loader.iter().map(|batch| batch.unwrap().0).collect()
    }

    #[test]
    fn a_resumed_loader_gives_what_an_uninterrupted_one_gives() {
        let whole = loader(&EpochCounter::new());
        let passes: Vec<_> = (0..4).map(|_| pass(&whole)).collect();
        assert!(passes[0] != passes[1] && passes[2] != passes[3]);
        let resumed = loader(&EpochCounter::after(2));
        // moved, as burn-train moves it
        let resumed = resumed.to_device(&Device::flex());
        assert_eq!([pass(&*resumed), pass(&*resumed)], passes[2..]);
    }

    #[test]
    fn passes_are_counted_by_the_copy_that_is_read() {
        let epochs = EpochCounter::new();
        let original = loader(&epochs);
        let copy = original.to_device(&Device::flex());
        for epoch in 1..=3 {
            pass(&*copy);
            assert_eq!(epochs.current(), epoch);
        }
        pass(&original);
        assert_eq!(epochs.current(), 1, "the original has begun its first epoch");
    }

    #[test]
    fn the_parts_of_several_devices_are_the_epoch_cut_in_pieces() {
        let epochs = EpochCounter::new();
        let devices = [Device::flex(), Device::flex().autodiff()];
        let parts = split_dataloader(Arc::new(loader(&epochs)), &devices);
        assert_eq!((parts[0].num_items(), parts[1].num_items()), (5, 6));
        let whole = loader(&EpochCounter::new());
        for epoch in 1..=2 {
            let seen: Vec<Vec<u8>> = parts.iter().map(|part| pass(&**part).concat()).collect();
            assert_eq!(seen.concat(), pass(&whole).concat());
            assert_eq!((seen[0].len(), epochs.current()), (5, epoch));
        }
        let on_autodiff = |part: &Arc<dyn DataLoader<(Vec<u8>, Device)>>| {
            part.iter().next().unwrap().unwrap().1.is_autodiff()
        };
        assert_eq!([on_autodiff(&parts[0]), on_autodiff(&parts[1])], [false, true]);
    }

    #[test]
    fn progress_ends_with_the_last_batch() {
        let loader = loader(&EpochCounter::new());
        let mut batches = loader.iter();
        let mut sizes = Vec::new();
        while let Some(batch) = batches.next() {
            sizes.push(batch.unwrap().0.len());
            assert_eq!(batches.progress().is_completed(), sizes.iter().sum::<usize>() == 11);
        }
        assert_eq!(sizes, [4, 4, 3]);
    }

    #[test]
    fn without_a_seed_items_come_as_they_lie() {
        let loader = OrderedLoader::new(InMemDataset::new((0..5).collect()), Items, 2, &Device::flex());
        assert_eq!(pass(&loader), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(pass(&*loader.slice(1, 9)), [vec![1, 2], vec![3, 4]]);
    }
}
