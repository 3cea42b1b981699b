//! What a piece of work allocates at its peak.

use burn_hebbian::lab::measure::measured;
use peak_alloc::PeakAlloc;

/// The bytes by which the peak of `work` is above what was allocated before it.
///
/// Threads and their scratch are there after a first run: run `work` once before.
pub fn peak_of(work: impl FnOnce()) -> usize {
    let before = PeakAlloc.current_usage();
    let ((), cost) = measured(work);
    cost.peak_bytes.saturating_sub(before)
}

/// Millions of bytes.
pub fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
