//! How the images of an activity lie in time.

use serde::{Deserialize, Serialize};

use crate::RuleError;

/// How the images of an activity lie in time: `steps` steps of as many presentations each, time outermost.
///
/// A layer that is taught from spikes sees time as a part of its batch: image `t · presentations + n` is presentation `n` at
/// step `t`.
///
/// ```
/// use burn_hebbian_core::Span;
///
/// let span = Span::trains(15);
/// assert_eq!(span.presentations(60), Ok(4));
/// let error = span.presentations(61).unwrap_err().to_string();
/// assert_eq!(error, "trains of 15 steps: 61 images are no whole number of them");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Steps of each presentation, at least 1.
    pub steps: usize,
    /// What input and responses are.
    pub part: Part,
}

/// What input and responses of a layer that is taught from spikes are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Spikes on both sides, whole trains of them.
    #[default]
    Trains,
    /// Traces of the spikes of the input, and the spikes of the neurons: what makes weights grow.
    Potentiation,
    /// The spikes of the input, and traces of the spikes of the neurons: what makes weights shrink.
    Depression,
}

impl Default for Span {
    /// Images without time: trains of one step.
    fn default() -> Self {
        Self::trains(1)
    }
}

impl Span {
    /// Whole trains of so many steps.
    pub fn trains(steps: usize) -> Self {
        Self { steps, part: Part::Trains }
    }

    /// Traces of the input and spikes of the neurons.
    pub fn potentiation(steps: usize) -> Self {
        Self { steps, part: Part::Potentiation }
    }

    /// Spikes of the input and traces of the neurons.
    pub fn depression(steps: usize) -> Self {
        Self { steps, part: Part::Depression }
    }

    /// The presentations that so many images are.
    ///
    /// # Errors
    ///
    /// If they are no whole number of them.
    pub fn presentations(&self, images: usize) -> Result<usize, RuleError> {
        if self.steps > 0 && images > 0 && images.is_multiple_of(self.steps) {
            return Ok(images / self.steps);
        }
        Err(RuleError::Span { steps: self.steps, images })
    }
}
