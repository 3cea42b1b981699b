//! The epoch that runs, shared by what counts it and what follows it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The number of the epoch that runs, counted from 1; clones share it.
///
/// An [`OrderedLoader`](crate::OrderedLoader) counts; a [`Hybrid`](crate::Hybrid) and its rates follow.
#[derive(Debug, Clone, Default)]
pub struct EpochCounter(Arc<AtomicUsize>);

impl EpochCounter {
    /// Before the first epoch.
    pub fn new() -> Self {
        Self::default()
    }

    /// After epoch `last`, to resume with the one that follows.
    pub fn after(last: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(last)))
    }

    /// The epoch that runs or ran last; 0 before the first.
    pub fn current(&self) -> usize {
        self.0.load(Relaxed)
    }

    pub(crate) fn begin(&self, epoch: usize) {
        self.0.store(epoch, Relaxed);
    }
}
