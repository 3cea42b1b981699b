//! The epoch that runs, shared by what counts it and what follows it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// The number of the epoch that runs, counted from 1; clones share it.
///
/// A loader counts; a [`Hybrid`](crate::Hybrid) and its rates follow.
#[derive(Debug, Clone, Default)]
pub struct EpochCounter(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    epoch: AtomicUsize,
    /// Whether somebody counts.
    counting: AtomicBool,
}

impl EpochCounter {
    /// Before the first epoch.
    pub fn new() -> Self {
        Self::default()
    }

    /// After epoch `last`, to resume with the one that follows.
    pub fn after(last: usize) -> Self {
        let count = Count { epoch: AtomicUsize::new(last), ..Count::default() };
        Self(Arc::new(count))
    }

    /// The epoch that runs or ran last; 0 before the first.
    pub fn current(&self) -> usize {
        self.0.epoch.load(Relaxed)
    }

    pub(crate) fn begin(&self, epoch: usize) {
        self.0.epoch.store(epoch, Relaxed);
        self.0.counting.store(true, Relaxed);
    }

    /// Whether an epoch has begun since the counter was made.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.counting.load(Relaxed)
    }
}
