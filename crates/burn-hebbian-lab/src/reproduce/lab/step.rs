//! Steps of the work, as they are shown: a bar on a terminal, otherwise a line when one is finished.

use std::time::Instant;

use indicatif::ProgressBar;

use crate::{progress, reproduce::config::Blocks};

/// A step that runs.
pub(crate) struct Step {
    pub(crate) bar: ProgressBar,
    name: String,
    began: Instant,
}

impl Step {
    /// A step of so many parts.
    pub(crate) fn new(name: String, parts: usize) -> Self {
        let bar = progress::bar(parts).with_message(name.clone());
        Self { bar, name, began: Instant::now() }
    }

    /// Says that it is finished, and what came out.
    pub(crate) fn done(&self, outcome: &str) {
        self.bar.finish_and_clear();
        println!("    {}{outcome} ({:.1} s)", self.name, self.began.elapsed().as_secs_f64());
    }
}

/// The first and the last block in words.
pub(super) fn span([first, last]: &Blocks) -> String {
    if first == last { first.clone() } else { format!("{first} to {last}") }
}
