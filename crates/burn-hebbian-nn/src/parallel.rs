//! Work on all cores, where the crate is built for it.

/// `work` on every part, in parallel where threads are; results in order.
///
/// A thread that is not one of rayon's works too, instead of sleeping until the others are done: of two threads only one is
/// woken, and what it was too late for is done.
#[cfg(feature = "rayon")]
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    use std::sync::{Mutex, PoisonError};
    let threads = threads().min(parts.len());
    if threads < 2 {
        return parts.into_iter().map(work).collect();
    }
    if rayon::current_thread_index().is_some() {
        return parts.into_par_iter().map(work).collect();
    }
    let (count, parts) = (parts.len(), Mutex::new(parts.into_iter().enumerate()));
    let done = Mutex::new(Vec::with_capacity(count));
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some((place, part)) = next() {
            let result = work(part);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
        }
    };
    rayon::in_place_scope(|scope| {
        (1..threads).for_each(|_| scope.spawn(|_| run()));
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// `work` on every part; results in order.
#[cfg(not(feature = "rayon"))]
pub(crate) fn map<T, R>(parts: Vec<T>, work: impl Fn(T) -> R) -> Vec<R> {
    parts.into_iter().map(work).collect()
}

/// [`map`], on one thread if there are too few values for the others to be woken.
pub(crate) fn map_many<T: Send, R: Send>(
    values: usize,
    parts: Vec<T>,
    work: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    /// Values that one thread copies meanwhile.
    const MANY: usize = 1 << 16;
    if values < MANY { parts.into_iter().map(work).collect() } else { map(parts, work) }
}

/// How many parts are worked on at a time.
#[cfg(feature = "rayon")]
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// How many parts are worked on at a time.
#[cfg(not(feature = "rayon"))]
pub(crate) fn threads() -> usize {
    1
}
