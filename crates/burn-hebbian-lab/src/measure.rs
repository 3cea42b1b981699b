//! Seconds, peak memory, mean and spread.

use std::{fmt, time::Instant};

use peak_alloc::PeakAlloc;

/// The counts of the allocator, if the program has it as its global one.
static MEMORY: PeakAlloc = PeakAlloc;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a run cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Wall-clock time.
    pub seconds: f64,
    /// The most memory the process had allocated at one time, with what it keeps from one measurement to the next.
    pub peak_bytes: usize,
}

impl Cost {
    /// The peak in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.peak_bytes as f64 / f64::from(1 << 20)
    }
}

/// Runs `work` and measures it. One measurement at a time: the peak is the process's, and 0 unless the program's global
/// allocator is `peak_alloc::PeakAlloc`.
pub fn measured<R>(work: impl FnOnce() -> R) -> (R, Cost) {
    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let result = work();
    let cost = Cost { seconds: start.elapsed().as_secs_f64(), peak_bytes: MEMORY.peak_usage() };
    (result, cost)
}

/// Mean and spread of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the sample; 0 for a single number.
    pub deviation: f64,
    /// The smallest number.
    pub min: f64,
    /// The largest number.
    pub max: f64,
}

impl Spread {
    /// Mean and spread of `values`, NaN if there are none.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self {
            mean,
            // clamp: one number has no spread.
            deviation: (squares / (n - 1.0).max(1.0)).sqrt(),
            min: values.iter().copied().fold(f64::NAN, f64::min),
            max: values.iter().copied().fold(f64::NAN, f64::max),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, deviation, min, max } = self;
        write!(f, "{mean:.2} ± {deviation:.2} ({min:.2} – {max:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_of_a_sample() {
        let spread = Spread::of(&[1.0, 2.0, 6.0]);
        assert_eq!((spread.mean, spread.min, spread.max), (3.0, 1.0, 6.0));
        assert!((spread.deviation - 7f64.sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of(&[4.0]).deviation, 0.0);
        assert!(Spread::of(&[]).mean.is_nan());
    }

    #[test]
    fn measures_what_is_allocated() {
        let (len, cost) = measured(|| vec![1u8; 1 << 22].len());
        assert_eq!(len, 1 << 22);
        assert!(cost.peak_mib() >= 4.0);
    }
}
