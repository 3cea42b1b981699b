//! How long a table takes yet.

use std::time::Duration;

/// Guesses from the rows that were run.
pub(crate) struct Estimate {
    left: usize,
    run: u32,
    took: Duration,
}

impl Estimate {
    /// Before the first of so many rows.
    pub(crate) fn new(rows: usize) -> Self {
        Self { left: rows, run: 0, took: Duration::ZERO }
    }

    /// A row was known already.
    pub(crate) fn skip(&mut self) {
        self.left -= 1;
    }

    /// A row was run; what is left, in words.
    pub(crate) fn add(&mut self, took: Duration) -> String {
        self.left -= 1;
        self.run += 1;
        self.took += took;
        match self.left {
            0 => String::new(),
            left => format!("; about {:.0} for {left} more rows", self.minutes().ceil()),
        }
    }

    fn minutes(&self) -> f64 {
        (self.took / self.run).as_secs_f64() / 60.0 * self.left as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_were_run_tell_how_long_the_others_take() {
        let mut estimate = Estimate::new(5);
        estimate.skip();
        assert_eq!(estimate.add(Duration::from_secs(60)), "; about 3 for 3 more rows");
        assert_eq!(estimate.add(Duration::from_secs(180)), "; about 4 for 2 more rows");
        estimate.skip();
        assert_eq!(estimate.add(Duration::from_secs(1)), "");
    }
}
