//! Features that are read row by row.

use crate::{data::Labeled, evaluation::EvaluationError};

/// Labeled features that need not be in memory.
pub trait FeatureRows {
    /// Channels, height, width.
    fn dims(&self) -> [usize; 3];

    /// One label a feature.
    fn labels(&self) -> &[u16];

    /// Reads a feature, as planes of rows, into as many values as [`dims`](Self::dims) say.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn read(&self, index: usize, values: &mut [f32]) -> Result<(), EvaluationError>;
}

/// Those in memory.
impl FeatureRows for Labeled {
    fn dims(&self) -> [usize; 3] {
        self.dims
    }

    fn labels(&self) -> &[u16] {
        &self.labels
    }

    fn read(&self, index: usize, values: &mut [f32]) -> Result<(), EvaluationError> {
        values.copy_from_slice(self.image(index));
        Ok(())
    }
}

/// That there are features, of these classes.
pub(super) fn check(
    set: &'static str,
    features: &impl FeatureRows,
    classes: usize,
) -> Result<(), EvaluationError> {
    let labels = features.labels();
    if labels.is_empty() || features.dims().contains(&0) {
        return Err(EvaluationError::Empty { set });
    }
    match labels.iter().position(|label| usize::from(*label) >= classes) {
        None => Ok(()),
        Some(index) => Err(EvaluationError::Label { set, index, label: usize::from(labels[index]), classes }),
    }
}
