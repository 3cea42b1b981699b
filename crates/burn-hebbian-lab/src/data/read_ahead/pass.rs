//! One pass over the batches, by the thread that asks for them or by others.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use burn::{
    data::{
        dataloader::{DataLoaderIterator, Progress, batcher::Batcher},
        dataset::{Dataset, DatasetError},
    },
    tensor::Device,
};

/// Batches of one worker that are made and not yet asked for.
const AHEAD: usize = 1;

/// What batches are made of.
pub(super) struct Source<I, O> {
    pub(super) dataset: Arc<dyn Dataset<I>>,
    pub(super) batcher: Arc<dyn Batcher<I, O>>,
    pub(super) device: Device,
}

impl<I, O> Source<I, O> {
    fn batch(&self, places: Vec<usize>) -> Result<O, DatasetError> {
        self.dataset.get_many(places).map(|items| self.batcher.batch(items, &self.device))
    }
}

/// Batches that are made when they are asked for.
pub(super) struct Inline<I, O> {
    source: Arc<Source<I, O>>,
    batches: std::vec::IntoIter<Vec<usize>>,
    read: Read,
}

impl<I, O> Inline<I, O> {
    pub(super) fn new(source: Arc<Source<I, O>>, batches: Vec<Vec<usize>>) -> Self {
        Self { source, read: Read::of(&batches), batches: batches.into_iter() }
    }
}

impl<I, O> Iterator for Inline<I, O> {
    type Item = Result<O, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let places = self.batches.next()?;
        self.read.next();
        Some(self.source.batch(places))
    }
}

impl<I, O> DataLoaderIterator<O> for Inline<I, O> {
    fn progress(&self) -> Progress {
        self.read.progress()
    }
}

/// Batches that threads make in turn.
pub(super) struct Threads<O> {
    /// One for each worker; gone where it has panicked.
    workers: Vec<Option<Worker<O>>>,
    read: Read,
}

struct Worker<O> {
    batches: Receiver<Result<O, DatasetError>>,
    thread: JoinHandle<()>,
}

impl<O: Send + 'static> Threads<O> {
    pub(super) fn start<I: 'static>(
        source: &Arc<Source<I, O>>,
        batches: Vec<Vec<usize>>,
        workers: usize,
    ) -> Self {
        let read = Read::of(&batches);
        let mut shares = vec![vec![]; workers];
        for (index, places) in batches.into_iter().enumerate() {
            shares[index % workers].push(places);
        }
        let start = |share: Vec<Vec<usize>>| {
            let (sender, batches) = sync_channel(AHEAD);
            let source = source.clone();
            Some(Worker { batches, thread: thread::spawn(move || make(&source, share, &sender)) })
        };
        Self { workers: shares.into_iter().map(start).collect(), read }
    }
}

/// Makes batches until all are made or nobody waits for them.
fn make<I, O>(source: &Source<I, O>, share: Vec<Vec<usize>>, batches: &SyncSender<Result<O, DatasetError>>) {
    for places in share {
        if batches.send(source.batch(places)).is_err() {
            return;
        }
    }
}

impl<O> Iterator for Threads<O> {
    type Item = Result<O, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.read.next()? % self.workers.len();
        let worker = self.workers[index].take()?;
        match worker.batches.recv() {
            Ok(batch) => {
                self.workers[index] = Some(worker);
                Some(batch)
            }
            // a worker ends before its last batch in a panic alone
            Err(_) => resume_unwind(worker.thread.join().err()?),
        }
    }
}

impl<O> DataLoaderIterator<O> for Threads<O> {
    fn progress(&self) -> Progress {
        self.read.progress()
    }
}

/// No thread outlives the pass: the next one tells the batcher another epoch.
impl<O> Drop for Threads<O> {
    fn drop(&mut self) {
        for Worker { batches, thread } in self.workers.drain(..).flatten() {
            drop(batches);
            // a panic on a batch that nobody asked for concerns nobody
            let _ = thread.join();
        }
    }
}

/// How far a pass is.
struct Read {
    /// The items of each batch.
    sizes: Vec<usize>,
    /// Batches that were given.
    batches: usize,
}

impl Read {
    fn of(batches: &[Vec<usize>]) -> Self {
        Self { sizes: batches.iter().map(Vec::len).collect(), batches: 0 }
    }

    /// Counts the next batch: which one it is, if there is one.
    fn next(&mut self) -> Option<usize> {
        let index = self.batches;
        (index < self.sizes.len()).then(|| {
            self.batches += 1;
            index
        })
    }

    fn progress(&self) -> Progress {
        let items = |sizes: &[usize]| sizes.iter().sum();
        Progress::new(items(&self.sizes[..self.batches]), items(&self.sizes), Some("items".to_string()))
    }
}
