//! What can be wrong with spikes and what makes them.

/// Spikes, or a configuration of what makes them, that nothing can be done with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpikeError {
    /// Images that are no whole number of trains.
    #[error("train: {images} images are no whole number of trains of {steps} steps")]
    Steps {
        /// Steps of a train.
        steps: usize,
        /// Images there are.
        images: usize,
    },
    /// Trains that do not belong together.
    #[error("trains: {ours} steps of {our_images} images do not go with {theirs} steps of {their_images}")]
    Unlike {
        /// Steps of one.
        ours: usize,
        /// Images of one.
        our_images: usize,
        /// Steps of the other.
        theirs: usize,
        /// Images of the other.
        their_images: usize,
    },
    /// A time outside of the window.
    #[error("spike times: must be in 0..{steps}, or infinite for no spike, got {time}")]
    Time {
        /// Steps of the window.
        steps: usize,
        /// The time.
        time: f64,
    },
    /// A rate or intensity that is none.
    #[error("{name}: must be in 0..={most}, got {value}")]
    Intensity {
        /// What it is.
        name: &'static str,
        /// The largest one.
        most: f64,
        /// The value.
        value: f64,
    },
    /// A value that must be positive and finite is not.
    #[error("{name}: must be positive and finite, got {value}")]
    NotPositive {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A value that must be finite is not.
    #[error("{name}: must be finite, got {value}")]
    NotFinite {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A count that must be at least 1 is not.
    #[error("{name}: must be at least 1, got 0")]
    Zero {
        /// What is counted.
        name: &'static str,
    },
}

pub(crate) fn positive(name: &'static str, value: f64) -> Result<(), SpikeError> {
    if value.is_finite() && value > 0.0 { Ok(()) } else { Err(SpikeError::NotPositive { name, value }) }
}

pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<(), SpikeError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(SpikeError::Intensity { name, most: f64::INFINITY, value })
}

pub(crate) fn finite(name: &'static str, value: f64) -> Result<(), SpikeError> {
    if value.is_finite() { Ok(()) } else { Err(SpikeError::NotFinite { name, value }) }
}

pub(crate) fn at_least_one(name: &'static str, value: usize) -> Result<(), SpikeError> {
    if value > 0 { Ok(()) } else { Err(SpikeError::Zero { name }) }
}
