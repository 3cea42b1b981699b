//! Random abstention: neurons that won often sit out, so that all get their turn.

use alloc::{boxed::Box, vec, vec::Vec};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    WeightLayout,
    precision::indicator,
    stages::memory::{Cursor, Memory, Seen, Stage, patches, per_neuron, sums},
};

/// Whether neurons sit out at random.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{Abstention, DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// let rule = Rule::hard_wta().with_abstention(Abstention::Random { seed: 1 });
/// // the first neuron wins two patches, the second one
/// let inputs = [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]];
/// let layer = DenseView::from_data([[1.0, 0.0], [0.0, 1.0]], inputs, &device);
/// let state = layer.step(&rule, Signals::none()).unwrap().state.unwrap();
/// let victories = state.narrow(0, 0, 2); // (2, 1) − 1
/// victories.into_data().assert_eq(&[1.0, 0.0].into(), false);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Abstention {
    /// No.
    #[default]
    None,
    /// Neuron `k` sits out a step with probability `v_k / max(1, max_j v_j + M / K)`, `M` being the patches of the last
    /// step, `K` the neurons of its group. `v` counts wins: after each step `v ← v + wins`, `v ← v − min_j v_j`.
    ///
    /// One draw a neuron and step, from a stream of its own that is part of the rule's state: a run that is saved and
    /// loaded draws what it would have drawn. The generator is Wichmann and Hill's (1982, *Appl. Stat.* 31, AS 183),
    /// exact in `f32`, the same on every backend; a model that is cast to half precision as a whole loses that.
    ///
    /// Source: G. Lagani, "HebbianLearning" (code, 2020–2023); there a neuron that sits out scores 0 and still wins
    /// where the others score less, here it cannot win.
    Random {
        /// Where the streams start.
        seed: u64,
    },
}

/// Modulus and multiplier of the generator's three parts; products stay below 2²⁴.
const PARTS: [(u32, u32); 3] = [(30269, 171), (30307, 172), (30323, 170)];

impl Abstention {
    /// 0 for the neurons that sit out, 1 for the others: `[1, groups, neurons, 1]`.
    pub(crate) fn of(&self, state: Option<Tensor<1>>, layout: &WeightLayout) -> Option<Tensor<4>> {
        if *self == Self::None {
            return None;
        }
        let State { victories, streams, patches } = State::of(state?, layout);
        let share = patches.div_scalar(layout.neurons as f64).reshape([1, 1, 1, 1]);
        let victories = per_neuron(victories, layout);
        let probability = victories.clone() / (victories.max_dim(2) + share).clamp_min(1.0);
        let draw = per_neuron(uniform(streams), layout);
        let dtype = draw.dtype();
        Some(indicator(draw.greater_equal(probability), dtype))
    }
}

struct State {
    /// `[groups · neurons]`.
    victories: Tensor<1>,
    /// `[groups · neurons]` each.
    streams: [Tensor<1>; 3],
    /// `[1]`.
    patches: Tensor<1>,
}

impl State {
    fn of(state: Tensor<1>, layout: &WeightLayout) -> Self {
        let neurons = layout.total_neurons();
        let mut state = Cursor::new(state);
        Self {
            victories: state.take(neurons),
            streams: [state.take(neurons), state.take(neurons), state.take(neurons)],
            patches: state.take(1),
        }
    }
}

impl Stage for Abstention {
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        match *self {
            Self::None => None,
            Self::Random { seed } => Some(Box::new(Victories { seed, layout: *layout })),
        }
    }
}

/// Victories, streams of random numbers, and the number of patches of the last step.
struct Victories {
    seed: u64,
    layout: WeightLayout,
}

impl Memory for Victories {
    fn initial(&self) -> Vec<f32> {
        let neurons = self.layout.total_neurons();
        let start = |part: usize| {
            let modulus = u64::from(PARTS[part].0);
            // 1..modulus: a part that starts at 0 stays there
            (0..neurons).map(move |k| (mix(self.seed, (3 * k + part) as u64) % (modulus - 1) + 1) as f32)
        };
        let streams = (0..PARTS.len()).flat_map(start);
        vec![0.0; neurons].into_iter().chain(streams).chain([0.0]).collect()
    }

    fn state_len(&self) -> usize {
        (1 + PARTS.len()) * self.layout.total_neurons() + 1
    }

    fn statistics_len(&self) -> usize {
        self.layout.total_neurons() + 1
    }

    /// Wins, and the number of patches; a soft winner wins in part.
    fn statistics(&self, seen: &Seen, _state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        let z = seen.outcome();
        let patches = patches(&z);
        Some(Tensor::cat(vec![sums(z.clamp_min(0.0)), patches], 0))
    }

    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        let (Some(statistics), layout) = (statistics, &self.layout) else { return state };
        let State { victories, streams, .. } = State::of(state, layout);
        let mut statistics = Cursor::new(statistics);
        let (wins, patches) = (statistics.take(layout.total_neurons()), statistics.take(1));
        let victories = (victories + wins).reshape([layout.groups, layout.neurons]);
        let victories = victories.clone() - victories.min_dim(1);
        let mut next = vec![victories.reshape([layout.total_neurons()])];
        next.extend(streams.into_iter().zip(PARTS).map(|(stream, part)| advance(stream, part)));
        next.push(patches);
        Tensor::cat(next, 0)
    }

    fn rests(&self) -> bool {
        false
    }
}

/// The draws that the streams stand at, uniform in 0..1.
fn uniform(streams: [Tensor<1>; 3]) -> Tensor<1> {
    let [a, b, c] = streams;
    let sum = a.div_scalar(PARTS[0].0) + b.div_scalar(PARTS[1].0) + c.div_scalar(PARTS[2].0);
    sum.clone() - sum.floor()
}

/// `multiplier · stream mod modulus`, in exact integer arithmetic on floats.
fn advance(stream: Tensor<1>, (modulus, multiplier): (u32, u32)) -> Tensor<1> {
    let product = stream.mul_scalar(multiplier);
    let quotient = product.clone().div_scalar(modulus).floor();
    let rest = product - quotient.mul_scalar(modulus);
    // a division that rounds across a whole number is off by one modulus
    let dtype = rest.dtype();
    let rest = rest.clone() + indicator(rest.lower_elem(0.0), dtype).mul_scalar(modulus);
    rest.clone() - indicator(rest.greater_equal_elem(modulus), dtype).mul_scalar(modulus)
}

/// Seed and index, mixed (the finalizer of SplitMix64).
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
