//! A loader whose passes are counted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use burn::{
    data::dataloader::{DataLoader, DataLoaderIterator},
    tensor::Device,
};

use crate::EpochCounter;

/// Any loader, burn-train's own for one, with its passes told to an [`EpochCounter`].
pub(crate) struct Counted<O> {
    loader: Arc<dyn DataLoader<O>>,
    epochs: EpochCounter,
    /// The last epoch that this loader began.
    begun: AtomicUsize,
}

impl<O> Counted<O> {
    /// From where the counter stands.
    pub(crate) fn new(loader: Arc<dyn DataLoader<O>>, epochs: &EpochCounter) -> Self {
        Self { loader, epochs: epochs.clone(), begun: AtomicUsize::new(epochs.current()) }
    }

    /// With another loader, as far as this one is.
    fn around(&self, loader: Arc<dyn DataLoader<O>>) -> Arc<Self> {
        let begun = AtomicUsize::new(self.begun.load(Relaxed));
        Arc::new(Self { loader, epochs: self.epochs.clone(), begun })
    }
}

impl<O: 'static> DataLoader<O> for Counted<O> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<O> + 'a> {
        self.epochs.begin(self.begun.fetch_add(1, Relaxed) + 1);
        self.loader.iter()
    }

    fn num_items(&self) -> usize {
        self.loader.num_items()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<O>> {
        self.around(self.loader.to_device(device))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<O>> {
        self.around(self.loader.slice(start, end))
    }
}
