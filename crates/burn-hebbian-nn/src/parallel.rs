//! Work on all cores, where the crate is built for it.

/// `work` on every part, in parallel where threads are; results in order.
#[cfg(feature = "rayon")]
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    match threads().min(parts.len()) {
        0 | 1 => parts.into_iter().map(work).collect(),
        _ => parts.into_par_iter().map(work).collect(),
    }
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
