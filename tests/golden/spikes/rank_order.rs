//! First-spike layers.

use burn::{
    nn::{PaddingConfig2d, pool::MaxPool2dConfig},
    tensor::{Tensor, ops::PadMode},
};
use burn_hebbian::{
    nn::Synapses,
    prelude::*,
    rules::{Bounds, RankOrder, Rates, Timing},
    spikes::{
        Train,
        encode::{DifferenceOfGaussians, FirstSpikeEncoder, Gaussians},
        first_spike::{FirstSpikes, Learned, inhibit, inhibited},
        readout::{decisions, rewards},
    },
};
use serde_json::Value;

use super::{
    case::{Case, device},
    layers::{first_spike_layer, step},
};

/// The encoder that settings describe.
fn encoder(settings: &Value, steps: usize) -> Result<FirstSpikeEncoder, String> {
    let number = |value: &Value| value.as_f64().ok_or_else(|| format!("no number: {value}"));
    let integer = |key: &str| {
        let value = settings[key].as_u64().ok_or_else(|| format!("{key}: no whole number"))?;
        Ok::<_, String>(value as usize)
    };
    let filters = settings["dog"].as_array().ok_or("dog: no list")?.iter().map(|filter| {
        let size = filter[0].as_u64().ok_or("dog: no size")? as usize;
        Ok::<_, String>(Gaussians { size, center: number(&filter[1])?, surround: number(&filter[2])? })
    });
    let filters = filters.collect::<Result<Vec<_>, _>>()?;
    let filters = DifferenceOfGaussians::new(filters).map_err(|error| error.to_string())?;
    let encoder = FirstSpikeEncoder::new(filters, steps).map_err(|error| error.to_string())?;
    Ok(encoder
        .with_padding(integer("padding")?)
        .with_threshold(number(&settings["threshold"])?)
        .with_radius(integer("radius")?))
}

pub(super) fn encode(case: &Case) -> Result<(), String> {
    let encoder = encoder(&case.settings(), case.integer("T")?)?;
    let images: Tensor<4> = case.tensor("image")?;
    case.compare("kernels", encoder.filters.kernels(&device()).into_data())?;
    case.compare("filtered", encoder.filtered(images.clone()).into_data())?;
    case.compare("normalized", encoder.normalized(images.clone()).into_data())?;
    let wave = encoder.encode(images).map_err(|error| error.to_string())?;
    case.compare("wave", wave.values().into_data())
}

fn bounds(case: &Case) -> Result<Bounds, String> {
    let (min, max) = (case.number("lb")?, case.number("ub")?);
    Ok(if case.flag("stabilizer")? { Bounds::Soft { min, max } } else { Bounds::Hard { min, max } })
}

fn rank_order(rule: RankOrder, bounds: Bounds) -> Rule {
    Rule::rank_order_stdp(0.0, 0.0).with_timing(Timing::RankOrder(rule)).with_bounds(bounds)
}

/// One image of a train.
fn image(train: &Train<4>, n: usize) -> Train<4> {
    Train::of_steps((0..train.steps()).map(|t| train.at(t).narrow(0, n, 1)).collect())
}

pub(super) fn stdp(case: &Case) -> Result<(), String> {
    let mut wave = case.train::<4>("wave")?;
    if case.has("image") {
        let encoder = encoder(case.setting("encoding")?, wave.steps())?;
        wave = encoder.encode(case.tensor("image")?).map_err(|error| error.to_string())?;
        case.compare("wave", wave.values().into_data())?;
    }
    let padding = case.integers("padding")?.try_into().map_err(|_| "padding: not two axes")?;
    let neurons = FirstSpikes::new(case.number("theta")?, case.integer("k")?);
    let neurons = neurons.map_err(|error| error.to_string())?.with_radius(case.integer("radius")?);
    learn(case, &wave, first_spike_layer(case.tensor("w")?, padding), &neurons)
}

pub(super) fn deep(case: &Case) -> Result<(), String> {
    let wave = case.train::<4>("wave")?;
    let padding = case.integers("padding1")?.try_into().map_err(|_| "padding1: not two axes")?;
    let first = first_spike_layer(case.tensor("w1")?, padding);
    let potentials = wave.map(|wave| first.currents(wave));
    case.compare("potential1", potentials.values().into_data())?;
    let neurons = FirstSpikes::new(case.number("theta1")?, 1).map_err(|error| error.to_string())?;
    let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]);
    let pool = pool.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init();
    let pooled = neurons.fire(&potentials).map(|wave| pool.forward(wave));
    let padded = pooled.map(|wave| wave.pad((1, 1, 1, 1), PadMode::Constant(0.0)));
    let input = inhibited(&padded).map_err(|error| error.to_string())?;
    case.compare("input2", input.values().into_data())?;
    let neurons = FirstSpikes::new(case.number("theta2")?, case.integer("k")?);
    let neurons = neurons.map_err(|error| error.to_string())?.with_radius(case.integer("radius")?);
    learn(case, &input, first_spike_layer(case.tensor("w")?, [0, 0]), &neurons)
}

/// A layer that learns image by image.
fn learn(
    case: &Case,
    wave: &Train<4>,
    mut layer: HebbianConv2d,
    neurons: &FirstSpikes,
) -> Result<(), String> {
    let [images, maps, _] = case.tensor::<3>("rates")?.dims();
    let rates: Vec<Rates> =
        case.values("rates")?.chunks(2).map(|pair| Rates { plus: pair[0], minus: pair[1] }).collect();
    let mut seen = Seen::default();
    for (n, rates) in (0..images).zip(rates.chunks(maps)) {
        let rule = rank_order(RankOrder::default().with_per_neuron(rates.to_vec()), bounds(case)?);
        let wave = image(wave, n);
        let teach = |layer: &HebbianConv2d| neurons.learn(layer, &wave);
        let (next, learned) = step(layer, &rule, 1.0, Signals::none(), teach)?;
        layer = next;
        seen.push(learned.map_err(|error| error.to_string())?, &layer)?;
    }
    seen.compare(case)
}

pub(super) fn rewarded(case: &Case) -> Result<(), String> {
    let wave = case.train::<4>("wave")?;
    let padding = case.integers("padding")?.try_into().map_err(|_| "padding: not two axes")?;
    let mut layer = first_spike_layer(case.tensor("w")?, padding);
    let neurons = FirstSpikes::deciding().with_radius(case.integer("radius")?);
    let (classes, labels) = (case.integers("decision_map")?, case.integers_of("labels")?);
    let (mut seen, mut decided, mut reward) = (Seen::default(), Vec::new(), Vec::new());
    for (n, rates) in case.values("rates")?.chunks(4).enumerate() {
        let [plus, minus, anti_plus, anti_minus] = [rates[0], rates[1], rates[2], rates[3]];
        let rule = RankOrder::new(Rates { plus, minus })
            .with_punishment(Rates { plus: anti_plus, minus: anti_minus });
        let rule = rank_order(rule, bounds(case)?);
        let wave = image(&wave, n);
        let competed = neurons.compete(&layer, &wave).map_err(|error| error.to_string())?;
        let winner = competed.winners.neurons.clone().reshape([1]);
        let decision = decisions(winner, &classes).map_err(|error| error.to_string())?;
        let third_factor = rewards(decision.clone(), labels.clone().narrow(0, n, 1));
        // a silent image calls nothing, not even a clamp
        if decision.clone().into_scalar::<i64>() >= 0 {
            let signals = Signals::none().with_third_factor(third_factor.clone());
            (layer, _) = step(layer, &rule, 1.0, signals, |layer| neurons.learn(layer, &wave).map(|_| ()))?;
        }
        seen.push(competed, &layer)?;
        decided.push(decision.float());
        reward.push(third_factor);
    }
    case.compare_stacked("decision", decided)?;
    case.compare_stacked("reward", reward)?;
    seen.compare(case)
}

/// What came out, image by image.
#[derive(Default)]
struct Seen {
    potentials: Vec<Tensor<5>>,
    kept: Vec<Tensor<4>>,
    winners: Vec<Tensor<3>>,
    times: Vec<Tensor<2>>,
    weights: Vec<Tensor<4>>,
}

impl Seen {
    fn push(&mut self, learned: Learned<4>, layer: &HebbianConv2d) -> Result<(), String> {
        let Learned { potentials, spikes, winners, .. } = learned;
        self.kept.push(inhibit(&potentials, &spikes).map_err(|error| error.to_string())?);
        self.potentials.push(potentials.values().unsqueeze_dim(1));
        self.winners.push(winners.coordinates().float());
        self.times.push(winners.steps.float());
        self.weights.push(layer.layer().weight.val());
        Ok(())
    }

    fn compare(self, case: &Case) -> Result<(), String> {
        case.compare("potential", Tensor::cat(self.potentials, 1).into_data())?;
        case.compare_if_there("kept", self.kept)?;
        case.compare_stacked("winners", self.winners)?;
        case.compare_stacked("winner_time", self.times)?;
        case.compare_stacked("weights", self.weights)
    }
}
