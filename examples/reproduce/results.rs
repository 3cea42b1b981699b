//! Results of an experiment: one file a row and seed, one for all, a table.

use serde::{Deserialize, Serialize};

/// What one evaluation of one block gave with one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) row: String,
    pub(crate) block: String,
    pub(crate) evaluation: String,
    pub(crate) labels: String,
    pub(crate) seed: u64,
    /// Test accuracy in percent.
    pub(crate) test: f64,
    /// Accuracy in percent on the images it was chosen by, if there were any.
    pub(crate) validation: Option<f64>,
    pub(crate) published: Option<f64>,
}
