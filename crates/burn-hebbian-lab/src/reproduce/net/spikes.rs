//! Neurons that spike once at most, around the convolution of a block.

use burn::{nn::conv::Conv2d, tensor::Tensor};
use burn_hebbian_spikes::{
    SpikeError, Train,
    encode::{FirstSpikeEncoder, at_times},
    first_spike::FirstSpikes,
    readout::counts,
};

use super::block::Layer;
use crate::{prelude::*, reproduce::config::Spiking};

/// Images whose spikes are computed at a time: every one of them is as many as there are steps.
const PIECE: usize = 25;

/// How early each pixel of images spikes, of on- and off-center filters: 1 for at once, 0 for never.
pub(crate) fn encoded(encoder: &FirstSpikeEncoder, images: Tensor<4>) -> Tensor<4> {
    earliness(&encoder.encode(images).expect("an encoder has steps, a batch images"))
}

/// How early the spikes of a wave came.
fn earliness(wave: &Train<4>) -> Tensor<4> {
    counts(wave).div_scalar(wave.steps() as f64)
}

impl Spiking {
    /// The wave of an input that says how early its spikes came.
    fn wave(&self, earliness: Tensor<4>) -> Result<Train<4>, SpikeError> {
        let steps = self.steps as f64;
        // halves of a step: what was kept in half precision is whole again
        let lead = earliness.mul_scalar(steps).round();
        let never = lead.clone().lower_elem(0.5);
        at_times(lead.neg().add_scalar(steps).mask_fill(never, f64::INFINITY), self.steps)
    }

    fn neurons(&self) -> Result<FirstSpikes, SpikeError> {
        Ok(FirstSpikes::new(self.threshold, self.winners)?.with_radius(self.radius))
    }

    /// The winners of each image learn, if somebody observes.
    pub(crate) fn teach(&self, layer: &Layer, input: Tensor<4>) -> Result<(), SpikeError> {
        self.neurons()?.learn(conv(layer), &self.wave(input)?).map(drop)
    }

    /// How early each neuron spikes.
    pub(super) fn respond(&self, layer: &Layer, input: Tensor<4>) -> Result<Tensor<4>, SpikeError> {
        let (neurons, conv) = (self.neurons()?, conv(layer));
        let pieces = input.split(PIECE, 0).into_iter();
        let spikes = pieces.map(|piece| Ok(earliness(&neurons.forward(conv, &self.wave(piece)?))));
        Ok(Tensor::cat(spikes.collect::<Result<_, SpikeError>>()?, 0))
    }
}

fn conv(layer: &Layer) -> &Local<Conv2d> {
    match layer {
        Layer::Conv(conv) => conv,
        Layer::Linear(_) => panic!("checked: neurons that spike lie in convolutions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};
    use burn_hebbian_spikes::encode::latencies;

    #[test]
    fn earliness_says_all_of_a_wave() {
        let device = Device::flex();
        for steps in [1, 4, 15] {
            let images = Tensor::random([3, 2, 5, 4], Distribution::Uniform(-0.5, 1.0), &device);
            let wave = latencies(images, steps).unwrap();
            let json = format!(r#"{{ "steps": {steps}, "threshold": 1, "winners": 1, "radius": 0 }}"#);
            let spiking: Spiking = serde_json::from_str(&json).unwrap();
            // half precision, as features are kept
            let values = earliness(&wave).into_data();
            let kept = values.iter().map(|early: f32| half::f16::from_f32(early).to_f32());
            let kept: Vec<f32> = kept.collect();
            let kept = Tensor::<1>::from_floats(kept.as_slice(), &device).reshape([3, 2, 5, 4]);
            let again = spiking.wave(kept).unwrap();
            again.values().into_data().assert_eq(&wave.values().into_data(), false);
        }
    }
}
