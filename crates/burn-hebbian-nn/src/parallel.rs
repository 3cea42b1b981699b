//! Work on all cores, where the crate is built for it.

/// `work` on every part, in parallel where threads are; results in order.
#[cfg(feature = "rayon")]
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    parts.into_par_iter().map(work).collect()
}

/// `work` on every part; results in order.
#[cfg(not(feature = "rayon"))]
pub(crate) fn map<T, R>(parts: Vec<T>, work: impl Fn(T) -> R) -> Vec<R> {
    parts.into_iter().map(work).collect()
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
