//! When a neuron spikes, and what a spike does to it.

use serde::{Deserialize, Serialize};

/// How a potential is compared with the threshold; libraries differ, and with it who spikes on a tie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// A spike above the threshold, `u > θ`: snnTorch, Norse.
    #[default]
    Above,
    /// A spike from the threshold on, `u ≥ θ`: SpikingJelly, BindsNET.
    From,
}

/// What a spike does to the potential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// Takes the threshold off (soft reset).
    #[default]
    Subtract,
    /// Sets it to this (hard reset).
    To(f64),
    /// Nothing.
    None,
}

/// When a potential is reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetAt {
    /// In the step of the spike: the potential that is kept is reset.
    #[default]
    Step,
    /// In the next step: the potential that is kept is that of the spike, and what it was is reset before the next input is
    /// added; snnTorch's default.
    NextStep,
    /// In the step of the spike; of a potential that is above the threshold even so, a soft reset takes the threshold off in the next
    /// step too, before it is compared, and gives it back if there is no spike. snnTorch without its reset delay.
    Carried,
}

/// What a neuron does after a spike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refractory {
    /// It goes on.
    #[default]
    None,
    /// For so many steps the potential stays as it is; the synaptic current goes on. Norse.
    Freeze {
        /// Steps after the spike.
        steps: f64,
    },
    /// For so long no input arrives; the leak goes on. BindsNET.
    BlockInput {
        /// How long, in the unit of `step`.
        duration: f64,
        /// The length of a step.
        step: f64,
    },
}
