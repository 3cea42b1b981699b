//! STDP by the order of first spikes.

use alloc::{vec, vec::Vec};

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::{
    Activity, Factors, RuleError, WeightLayout,
    error::{finite, positive},
    stages::memory::{Memory, Seen},
};

/// STDP by the order of first spikes: at a winner's spike, `Δw = a₊` of inputs that have spiked by then and `a₋` of those that have
/// not, in the padding too.
///
/// The input is the wave at a winner's step, in which a spike stays 1, and the response 1 for the winner and 0 elsewhere:
/// `ΔW = (a₊ − a₋) corr(x, z) + a₋ Σ z`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RankOrder {
    /// The rates of a step; of rewarded images, if there are rates of punished ones.
    pub rates: Rates,
    /// Rates of each neuron, in the place of [`rates`](Self::rates); one pair a neuron, all groups together, or none.
    pub per_neuron: Vec<Rates>,
    /// The rates of images with a negative third factor. With these, the factor's magnitude multiplies the pair that its sign
    /// chooses; without, it multiplies the rates.
    pub punishment: Option<Rates>,
    /// Whether rates grow.
    pub growth: Option<Growth>,
}

/// What early and late inputs change a weight by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// `a₊`, of inputs that spiked no later than the winner.
    pub plus: f64,
    /// `a₋`, of inputs that spiked later or never; negative to depress.
    pub minus: f64,
}

/// Rates that double: at image `i`, counted from 1, they are those of the start times `2^⌊i / every⌋`, up to where `a₊` is
/// `max`; all of them by the same factor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Images between two doublings, at least 1.
    pub every: usize,
    /// The largest `a₊`.
    pub max: f64,
}

/// State: images presented so far.
pub(super) struct Presented;

impl Memory for Presented {
    fn initial(&self) -> Vec<f32> {
        vec![0.0]
    }

    fn statistics_len(&self) -> usize {
        1
    }

    fn statistics(&self, seen: &Seen, _state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        let like = seen.similarity();
        Some(Tensor::full([1], seen.presentations as f64, (&like.device(), like.dtype())))
    }

    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        match statistics {
            Some(presented) => state + presented,
            None => state,
        }
    }

    fn rests(&self) -> bool {
        false
    }
}

impl RankOrder {
    /// The same rates for all neurons and images.
    pub fn new(rates: Rates) -> Self {
        Self { rates, ..Self::default() }
    }

    /// With rates of each neuron.
    pub fn with_per_neuron(mut self, rates: Vec<Rates>) -> Self {
        self.per_neuron = rates;
        self
    }

    /// With rates of images whose third factor is negative.
    pub fn with_punishment(mut self, rates: Rates) -> Self {
        self.punishment = Some(rates);
        self
    }

    /// With rates that double every so many images, until `a₊` is `max`.
    pub fn with_growth(mut self, growth: Growth) -> Self {
        self.growth = Some(growth);
        self
    }

    pub(super) fn factors(&self, activity: &Activity, state: Option<Tensor<1>>) -> Factors {
        let winners = activity.whole_dot();
        let [plus, minus] = self.rates_of(&winners, &activity.layout());
        let (early, late) = match (activity.third_factor(), self.punishment) {
            (None, _) => (winners.clone() * plus, winners * minus),
            (Some(reward), None) => {
                let winners = winners * reward;
                (winners.clone() * plus, winners * minus)
            }
            (Some(reward), Some(punishment)) => {
                let rewarded = winners.clone() * reward.clone().clamp_min(0.0);
                let punished = winners * reward.neg().clamp_min(0.0);
                (
                    rewarded.clone() * plus + punished.clone().mul_scalar(punishment.plus),
                    rewarded * minus + punished.mul_scalar(punishment.minus),
                )
            }
        };
        let [early, late] = match self.growth.zip(state) {
            None => [early, late],
            Some((growth, presented)) => {
                let factor = growth.factor(self.first_plus(), presented).reshape([1, 1, 1, 1]);
                [early, late].map(|part| part * factor.clone())
            }
        };
        Factors::new(early - late.clone()).with_offset_of(late)
    }

    /// `a₊` and `a₋` as they broadcast over the winners.
    fn rates_of(&self, like: &Tensor<4>, layout: &WeightLayout) -> [Tensor<4>; 2] {
        let options = (&like.device(), like.dtype());
        let of = |rate: fn(&Rates) -> f64| {
            if self.per_neuron.is_empty() {
                return Tensor::full([1, 1, 1, 1], rate(&self.rates), options);
            }
            let values: Vec<f64> = self.per_neuron.iter().map(rate).collect();
            Tensor::from_data(TensorData::new(values, [1, layout.groups, layout.neurons, 1]), options)
        };
        [of(|rates| rates.plus), of(|rates| rates.minus)]
    }

    fn first_plus(&self) -> f64 {
        self.per_neuron.first().unwrap_or(&self.rates).plus
    }

    pub(super) fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        let neurons = layout.total_neurons();
        if !self.per_neuron.is_empty() && self.per_neuron.len() != neurons {
            return Err(RuleError::RatesPerNeuron { neurons, rates: self.per_neuron.len() });
        }
        for rates in [&self.rates].into_iter().chain(&self.per_neuron).chain(&self.punishment) {
            finite("rate of early inputs", rates.plus)?;
            finite("rate of late inputs", rates.minus)?;
        }
        let Some(Growth { every, max }) = self.growth else { return Ok(()) };
        positive("largest rate of early inputs", max)?;
        positive("rate of early inputs that doubles", self.first_plus())?;
        if every == 0 {
            return Err(RuleError::NotPositive { name: "images between two doublings", value: 0.0 });
        }
        Ok(())
    }
}

impl Growth {
    /// What rates that start at `plus` are multiplied by after so many images, at the next one.
    fn factor(&self, plus: f64, presented: Tensor<1>) -> Tensor<1> {
        let most = (self.max / plus).max(1.0);
        // beyond the bound anyway, and no power that leaves the type
        let doublings = presented.add_scalar(1.0).div_scalar(self.every as f64).floor().clamp_max(100.0);
        doublings.mul_scalar(core::f64::consts::LN_2).exp().round().clamp_max(most)
    }
}
