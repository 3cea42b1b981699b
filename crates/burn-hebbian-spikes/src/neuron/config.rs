//! What a neuron is like.

use burn::config::Config;

use super::{Comparison, Refractory, Reset, ResetAt, Surrogate};
use crate::{
    SpikeError,
    error::{finite, not_negative, positive},
};

/// An integrate-and-fire neuron: `u = λ (v − rest) + rest + gain · input`, a spike where `u` passes the threshold, a reset.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// use burn_hebbian_spikes::{Train, neuron::LifConfig};
/// # let device = Device::flex();
///
/// // halves at every step, and spikes above 1
/// let neuron = LifConfig::new(0.5).init().unwrap();
/// let currents = Tensor::<2>::from_data([[0.75], [0.75], [0.75]], &device);
/// let recorded = neuron.record(&Train::new(currents, 3).unwrap(), None);
/// // 0.75; 0.375 + 0.75 = 1.125, a spike takes 1 off; 0.0625 + 0.75
/// recorded.spikes.values().into_data().assert_eq(&[[0.0], [1.0], [0.0]].into(), false);
/// recorded.potentials.values().into_data().assert_eq(&[[0.75], [0.125], [0.8125]].into(), false);
/// ```
///
/// Source: W. Gerstner et al., *Neuronal Dynamics* (2014); each option names the library that has it.
#[derive(Config, Debug, PartialEq)]
pub struct LifConfig {
    /// The factor `λ` of a step: `e^(−dt/τ)`, or `1 − dt/τ`; 1 for a perfect integrator.
    pub decay: f64,
    /// The threshold.
    #[config(default = 1.0)]
    pub threshold: f64,
    /// What the potential leaks to, and starts at.
    #[config(default = 0.0)]
    pub rest: f64,
    /// What the input is multiplied by.
    #[config(default = 1.0)]
    pub gain: f64,
    /// How potentials are compared with the threshold.
    #[config(default = "Comparison::Above")]
    pub comparison: Comparison,
    /// What a spike does to the potential.
    #[config(default = "Reset::Subtract")]
    pub reset: Reset,
    /// When it does.
    #[config(default = "ResetAt::Step")]
    pub reset_at: ResetAt,
    /// What a neuron does after a spike.
    #[config(default = "Refractory::None")]
    pub refractory: Refractory,
    /// The factor of a step of a synaptic current that inputs add to before it drives the potential; without one inputs do.
    pub current_decay: Option<f64>,
    /// What backprop takes for the derivative of a spike.
    pub surrogate: Option<Surrogate>,
}

impl LifConfig {
    /// A neuron that does not leak.
    pub fn perfect() -> Self {
        Self::new(1.0)
    }

    /// Refuses what makes no neuron.
    pub(super) fn check(&self) -> Result<(), SpikeError> {
        for (name, value) in [
            ("neuron decay", self.decay),
            ("neuron threshold", self.threshold),
            ("neuron rest", self.rest),
            ("neuron gain", self.gain),
        ] {
            finite(name, value)?;
        }
        positive("threshold above rest", self.threshold - self.rest)?;
        match self.reset {
            Reset::Subtract => positive("threshold that a spike takes off", self.threshold)?,
            Reset::To(value) => {
                finite("reset potential", value)?;
                positive("threshold above reset", self.threshold - value)?;
            }
            Reset::None => {}
        }
        match self.refractory {
            Refractory::None => {}
            Refractory::Freeze { steps } => not_negative("refractory steps", steps)?,
            Refractory::BlockInput { duration, step } => {
                not_negative("refractory time", duration)?;
                positive("length of a step", step)?;
            }
        }
        if let Some(decay) = self.current_decay {
            finite("current decay", decay)?;
        }
        if let Some(surrogate) = &self.surrogate {
            positive("surrogate sharpness", surrogate.sharpness())?;
        }
        Ok(())
    }
}
