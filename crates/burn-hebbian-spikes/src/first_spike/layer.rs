//! A layer of first-spike neurons.

use burn_hebbian_core::Span;
use burn_hebbian_nn::Synapses;

use super::{Winners, fire, fire_last, inhibit, winners};
use crate::{
    SpikeError, Train,
    error::{at_least_one, not_negative},
};

/// The neurons on top of a layer's synapses that spike once at most, and who of them learns.
///
/// ```
/// # use burn::{nn::{Initializer, conv::Conv2dConfig}, optim::SgdConfig, tensor::{Device, Distribution, Tensor}};
/// # use burn_hebbian_core::{Rule, Signals};
/// # use burn_hebbian_nn::Local;
/// # use burn_hebbian_optim::Plan;
/// use burn_hebbian_spikes::{encode::latencies, first_spike::FirstSpikes};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
///
/// let start = Initializer::Normal { mean: 0.8, std: 0.05 };
/// let conv = Conv2dConfig::new([1, 4], [3, 3]).with_bias(false).with_initializer(start).init(&device);
/// let layer = Local::new(conv).with_rule(Rule::rank_order_stdp(0.004, -0.003));
/// let (layer, mut optim) = Plan::new().init(layer, SgdConfig::new())?;
///
/// let neurons = FirstSpikes::new(2.0, 3)?.with_radius(1);
/// let wave = latencies(Tensor::random([1, 1, 8, 8], Distribution::Default, &device), 15)?;
/// let (learned, seen) = optim.observe(&layer, Signals::none(), |layer| neurons.learn(layer, &wave))?;
/// let layer = optim.step(1.0, layer, seen.local_only())?;
/// assert_eq!(learned?.spikes.values().dims(), [15, 4, 6, 6]);
/// # let _ = layer;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstSpikes {
    threshold: Option<f64>,
    winners: usize,
    radius: usize,
    inhibition: bool,
}

/// What a layer that learns comes to.
#[derive(Debug, Clone)]
pub struct Learned<const X: usize> {
    /// The potentials.
    pub potentials: Train<X>,
    /// The wave of spikes, without inhibition.
    pub spikes: Train<X>,
    /// Who learned.
    pub winners: Winners,
}

impl FirstSpikes {
    /// Neurons that spike above a threshold, of which up to so many learn from an image; under point-wise inhibition, without a
    /// radius.
    ///
    /// # Errors
    ///
    /// If the threshold is not finite or negative (at 0 the first input makes a neuron spike), or nobody learns.
    pub fn new(threshold: f64, winners: usize) -> Result<Self, SpikeError> {
        not_negative("threshold of first spikes", threshold)?;
        at_least_one("winners of an image", winners)?;
        Ok(Self { threshold: Some(threshold), winners, radius: 0, inhibition: true })
    }

    /// Neurons without a threshold, one of which decides: the one whose potential is largest at the end.
    pub fn deciding() -> Self {
        Self { threshold: None, winners: 1, radius: 0, inhibition: false }
    }

    /// With winners that take their surroundings out of the running: all maps, no farther than `radius` along every axis.
    pub fn with_radius(mut self, radius: usize) -> Self {
        self.radius = radius;
        self
    }

    /// With point-wise inhibition before winners are chosen, or without.
    pub fn with_inhibition(mut self, inhibition: bool) -> Self {
        self.inhibition = inhibition;
        self
    }

    /// Spikes of potentials.
    pub fn fire<const X: usize>(&self, potentials: &Train<X>) -> Train<X> {
        match self.threshold {
            Some(threshold) => fire(potentials, threshold),
            None => fire_last(potentials),
        }
    }

    /// The layer's wave of spikes, from which nobody learns.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn forward<const X: usize>(&self, synapses: &impl Synapses<X>, wave: &Train<X>) -> Train<X> {
        self.fire(&wave.map(|wave| synapses.currents(wave)))
    }

    /// Potentials, spikes and winners.
    ///
    /// # Errors
    ///
    /// None but of [`winners`](fn@winners).
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn compete<const X: usize>(
        &self,
        synapses: &impl Synapses<X>,
        wave: &Train<X>,
    ) -> Result<Learned<X>, SpikeError> {
        let potentials = wave.map(|wave| synapses.currents(wave));
        let spikes = self.fire(&potentials);
        let kept = if self.inhibition { Some(inhibit(&potentials, &spikes)?) } else { None };
        let winners = winners(&potentials, &spikes, kept, self.winners, self.radius)?;
        Ok(Learned { potentials, spikes, winners })
    }

    /// The same, and in a pass that is observed the layer learns from its winners. Signals have one row an image.
    ///
    /// # Errors
    ///
    /// None but of [`winners`](fn@winners).
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn learn<const X: usize>(
        &self,
        synapses: &impl Synapses<X>,
        wave: &Train<X>,
    ) -> Result<Learned<X>, SpikeError> {
        let learned = self.compete(synapses, wave)?;
        let winners = &learned.winners;
        let responses = winners.responses(&learned.potentials.values());
        synapses.learn_from(winners.inputs(wave), responses, Span::trains(winners.k()));
        Ok(learned)
    }
}
