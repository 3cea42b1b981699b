//! Times on a device that works asynchronously.

use std::{
    hint::black_box,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use burn::tensor::Device;

use super::device::reason;
use crate::alternatives::median;

/// Runs before the first timed one: they tune, compile and allocate.
const WARM_UP: usize = 3;

/// A timed stretch is at least this long, so that waiting for the device counts little.
const STRETCH: f64 = 0.02;

/// Runs of a stretch at most: what they return is kept until its end.
const RUNS: usize = 50;

/// Takes medians of stretches of runs, until its time is over.
#[derive(Debug)]
pub struct Timer {
    device: Device,
    rounds: usize,
    ends: Instant,
}

impl Timer {
    /// Medians of `rounds` stretches, begun within so many seconds from now.
    pub fn new(device: Device, rounds: usize, seconds: u64) -> Self {
        Self { device, rounds, ends: Instant::now() + Duration::from_secs(seconds) }
    }

    /// Whether there is time for one more case; says so if not.
    pub fn has_time(&self, case: &str) -> bool {
        let has = Instant::now() < self.ends;
        if !has {
            eprintln!("left out, the time is over: {case}");
        }
        has
    }

    /// Median seconds of a run; `None` if it fails, for want of memory for example.
    ///
    /// The device is waited for before and after every stretch of runs, never inside one. What the runs return lives until
    /// the end of the stretch: a lazy backend would not compute what nobody holds.
    pub fn seconds<T>(&self, mut run: impl FnMut() -> T) -> Option<f64> {
        let timed = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..WARM_UP {
                self.stretch(1, &mut run);
            }
            let once = self.stretch(1, &mut run);
            let runs = ((STRETCH / once).ceil() as usize).clamp(1, RUNS);
            median((0..self.rounds).map(|_| self.stretch(runs, &mut run) / runs as f64).collect())
        }));
        timed.inspect_err(|panic| eprintln!("failed: {}", reason(&**panic))).ok()
    }

    /// Seconds of so many runs.
    fn stretch<T>(&self, runs: usize, run: &mut impl FnMut() -> T) -> f64 {
        self.wait();
        let start = Instant::now();
        let results: Vec<T> = (0..runs).map(|_| black_box(run())).collect();
        self.wait();
        let seconds = start.elapsed().as_secs_f64();
        drop(results);
        seconds
    }

    fn wait(&self) {
        self.device.sync().expect("the device has done what it was given");
    }
}
