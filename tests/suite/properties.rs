//! Random layers and random rules against the oracle.

use burn::tensor::Device;
use burn_hebbian::{
    prelude::*,
    rules::{
        Activation, AntiHebbian, Competition, Gate, Homeostasis, Recombination, Recurrence, Reduction, Scale,
        Similarity, Surround, Variance,
    },
};
use burn_hebbian_tests::{
    any_layer::{self, AnyLayer, input},
    oracle::{self, Layer},
    values::vec,
};
use libtest_mimic::Trial;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::on_flex;

/// Of the largest value: f32 sums of a few hundred terms, powers and softmaxes of random steepness.
const TOLERANCE: f64 = 1e-4;

/// What is left of differences of numbers of order 1.
const ROUNDING: f64 = 2e-6;

const CASES: u32 = 800;

pub(crate) fn trials() -> Vec<Trial> {
    vec![on_flex("properties::random_rules_on_random_layers", random_rules_on_random_layers)]
}

/// The same cases everywhere and always.
fn random_rules_on_random_layers(device: &Device) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&(layer(), rule()), |(layer, rule)| {
        let (x, w) = (input(&layer, device), any_layer::weight(&layer, device));
        let expected = oracle::delta(&rule, &layer, &vec(x.clone()), &vec(w), None);
        let got = AnyLayer::new(&layer, device).with_rule(rule).learn(x, None);
        let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        for (got, expected) in vec(got).into_iter().zip(expected) {
            let error = (got - expected).abs();
            prop_assert!(
                error <= TOLERANCE * largest + ROUNDING,
                "{got}, expected {expected} (largest {largest})"
            );
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// One axis of a convolution: kernel, stride, dilation, padding, and elements beyond what the kernel needs.
#[derive(Debug, Clone)]
struct Axis {
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
    beyond: usize,
}

impl Axis {
    /// Elements of the input, at least one.
    fn input(&self) -> usize {
        (self.dilation * (self.kernel - 1) + 1 + self.beyond).saturating_sub(2 * self.padding).max(1)
    }

    /// Elements of a transposed layer's input, so many that padding leaves an output.
    fn input_transposed(&self) -> usize {
        1 + (2 * self.padding).div_ceil(self.stride) + self.beyond / 2
    }
}

fn axis() -> impl Strategy<Value = Axis> {
    (1..=3_usize, 1..=3_usize, 1..=2_usize, 0..=2_usize, 0..=3_usize).prop_map(
        |(kernel, stride, dilation, padding, beyond)| Axis { kernel, stride, dilation, padding, beyond },
    )
}

/// An axis that a layer lacks.
const NO_AXIS: Axis = Axis { kernel: 1, stride: 1, dilation: 1, padding: 0, beyond: 0 };

/// One to three axes, transposed or not, of two or three channels (patches of one element have cosines of ±1 and
/// nothing between, ties that rounding decides), in one to three groups of at least three neurons.
fn layer() -> impl Strategy<Value = Layer> {
    let number = prop_oneof![3 => Just(1_usize), 3 => Just(2), 1 => Just(3)];
    let axes = (number, [axis(), axis(), axis()]);
    (axes, any::<bool>(), 1..=3_usize, 2..=3_usize, 3..=5_usize, 1..=3_usize).prop_map(
        |((number, mut axes), transposed, groups, channels, neurons, images)| {
            axes[..3 - number].fill(NO_AXIS);
            let [depth, height, width] = axes.each_ref().map(|axis| match transposed {
                true => axis.input_transposed(),
                false => axis.input(),
            });
            let rows = if transposed { [channels * groups, neurons] } else { [neurons * groups, channels] };
            let [d, h, w] = axes.each_ref().map(|axis| axis.kernel);
            Layer {
                axes: number,
                input: [images, channels * groups, depth, height, width],
                weight: [rows[0], rows[1], d, h, w],
                stride: axes.each_ref().map(|axis| axis.stride),
                padding: axes.each_ref().map(|axis| (axis.padding, axis.padding)),
                reflect: false,
                dilation: axes.each_ref().map(|axis| axis.dilation),
                groups,
                transposed,
                padding_out: [0; 3],
            }
        },
    )
}

fn similarity() -> impl Strategy<Value = Similarity> {
    prop_oneof![
        Just(Similarity::Dot),
        Just(Similarity::Projection),
        Just(Similarity::Cosine),
        (0.5..4.0).prop_map(|power| Similarity::RaisedCosine { power }),
        (0.5..3.0).prop_map(|sigma| Similarity::Gaussian { sigma: Some(sigma) }),
        (1.5..4.0).prop_map(|p| Similarity::Lebesgue { p }),
    ]
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Linear),
        Just(Activation::Relu),
        Just(Activation::Tanh),
        (0.5..3.0).prop_map(|power| Activation::Repu { power }),
        (0.5..3.0).prop_map(|power| Activation::Triangle { power }),
        (0.0..=1.0).prop_map(|sub_gaussian| Activation::Score { sub_gaussian }),
    ]
}

/// Groups have at least three neurons.
fn competition() -> impl Strategy<Value = Competition> {
    prop_oneof![
        Just(Competition::None),
        Just(Competition::Activity),
        (1..=3_usize, -0.5..0.5).prop_map(|(k, losers)| Competition::KWinners { k, losers }),
        (0.05..2.0).prop_map(|temperature| Competition::Softmax { temperature }),
        (0.05..2.0).prop_map(|temperature| Competition::SignedSoftmax { temperature }),
        (2..=3_usize, 0.0..1.0).prop_map(|(k, delta)| Competition::Ranked { k, delta }),
        (0.1..2.0).prop_map(|power| Competition::PowerSoftmax { power }),
        (0.1..2.0).prop_map(|temperature| Competition::AdaptiveSoftmax { temperature, momentum: 0.3 }),
        (0.5..5.0, 0..5_usize).prop_map(|(gain, steps)| {
            Competition::AntiHebbian(AntiHebbian { target: 0.2, rate: 0.1, threshold_rate: 0.1, gain, steps })
        }),
    ]
}

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![
        Just(Gate::Competition),
        Just(Gate::Hebb),
        Just(Gate::Derivative),
        Just(Gate::Difference),
        Just(Gate::SoftmaxDifference),
        Just(Gate::Bcm { momentum: 0.1 }),
    ]
}

fn recurrence() -> impl Strategy<Value = Recurrence> {
    let recombination = prop_oneof![Just(Recombination::Similarity), Just(Recombination::Activity)];
    prop_oneof![
        Just(Recurrence::None),
        Just(Recurrence::Instar),
        Just(Recurrence::SignedInstar),
        Just(Recurrence::Outstar),
        Just(Recurrence::Oja),
        Just(Recurrence::Subspace),
        Just(Recurrence::Sanger),
        (any::<bool>(), any::<bool>(), recombination).prop_map(
            |(hierarchical, normalized, recombination)| Recurrence::Ica {
                hierarchical,
                normalized,
                recombination
            }
        ),
    ]
}

/// Any stages that do not contradict each other; no normalization, which blows rounding up to any size.
fn rule() -> impl Strategy<Value = Rule> {
    let stages = (similarity(), activation(), competition(), gate(), recurrence());
    let reduction = prop_oneof![Just(Reduction::Sum), Just(Reduction::Mean), Just(Reduction::Weighted)];
    let scaling = (0.0..1.0, 0.01..0.5).prop_map(|(target, rate)| Homeostasis::Scaling { target, rate });
    let homeostasis = prop_oneof![3 => Just(Homeostasis::None), 1 => scaling];
    let variance = prop_oneof![3 => Just(Variance::Fixed), 1 => Just(Variance::running())];
    let surround = prop_oneof![3 => Just(Surround::None), 1 => Just(Surround::difference_of_gaussians())];
    let rest = (reduction, homeostasis, variance, surround, any::<bool>());
    (stages, rest).prop_map(|(stages, rest)| {
        let (similarity, activation, competition, gate, recurrence) = stages;
        let (reduction, homeostasis, variance, surround, scaled) = rest;
        // every neuron would learn every patch alike, which is refused
        let gate =
            if competition == Competition::None && gate == Gate::Competition { Gate::Hebb } else { gate };
        // nor can the outstar's decay, the same for all neurons, be weighted by neuron
        let reduction = if recurrence == Recurrence::Outstar { Reduction::Mean } else { reduction };
        Rule::hebb()
            .with_similarity(similarity)
            .with_activation(activation)
            .with_competition(competition)
            .with_gate(gate)
            .with_recurrence(recurrence)
            .with_reduction(reduction)
            .with_homeostasis(homeostasis)
            .with_variance(variance)
            .with_surround(surround)
            .with_scale(if scaled { Scale::InverseSqrtFanIn } else { Scale::None })
    })
}
