//! Blocks whose neurons spike once at most.

use serde::{Deserialize, Serialize};

/// Neurons that spike once at most, on an input that says how early its spikes came, 1 for at once and 0 for never. A rule of
/// spikes trains them by the winners of each image; rules of responses see the input as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spiking {
    pub(crate) steps: usize,
    /// Potentials that neurons spike above.
    pub(crate) threshold: f64,
    /// Neurons that learn from an image.
    pub(crate) winners: usize,
    /// How far a winner keeps others away.
    pub(crate) radius: usize,
    #[serde(default)]
    pub(crate) hands_on: HandsOn,
}

/// What a block of spiking neurons hands on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HandsOn {
    /// Potentials, in the mean over time: the layer's output.
    #[default]
    Potentials,
    /// How early each neuron spiked.
    Spikes,
}
