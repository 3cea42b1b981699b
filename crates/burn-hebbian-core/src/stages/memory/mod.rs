//! What the stages of a rule keep between steps.

pub(crate) mod blank;
pub(crate) mod running;
pub(crate) mod steps;

use alloc::{boxed::Box, vec, vec::Vec};

use burn::tensor::Tensor;

use crate::{
    WeightLayout,
    precision::{whole, whole_type},
};

/// What a stage keeps between steps, of one layer.
///
/// A pass emits statistics, sums over patches that add up over micro-batches and devices; the next state is made
/// from them once, after all summing. All micro-batches of a step see the same state.
pub(crate) trait Memory {
    /// The state at the start of training; empty if statistics are all there is.
    fn initial(&self) -> Vec<f32>;

    /// Number of values in the state.
    fn state_len(&self) -> usize {
        self.initial().len()
    }

    /// Number of statistics.
    fn statistics_len(&self) -> usize {
        0
    }

    /// The statistics of one pass, of [`statistics_len`](Self::statistics_len) values.
    fn statistics(&self, seen: &Seen, state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        let _ = (seen, state);
        None
    }

    /// The state after a step; called only if there is one.
    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        let _ = statistics;
        state
    }

    /// Whether the stage keeps its state, and its share in the bias, where a step showed nothing but blank patches: what
    /// averages over patches would run down to 0, what makes up for too little activity would run away.
    fn rests(&self) -> bool {
        true
    }
}

/// A stage of a rule that may keep something between steps.
pub(crate) trait Stage {
    /// What it keeps of a layer of this layout, if anything.
    fn memory(&self, layout: &WeightLayout) -> Option<Box<dyn Memory>>;
}

/// Running means of what `of` sums up, with the number of patches at the end; at first 0.
pub(crate) struct Means<F> {
    pub(crate) len: usize,
    pub(crate) momentum: f64,
    pub(crate) of: F,
}

impl<F: Fn(&Seen) -> Tensor<1>> Memory for Means<F> {
    fn initial(&self) -> Vec<f32> {
        vec![0.0; self.len]
    }

    fn statistics_len(&self) -> usize {
        self.len + 1
    }

    fn statistics(&self, seen: &Seen, _state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        Some((self.of)(seen))
    }

    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        match statistics {
            Some(statistics) => blend_means(state, statistics, self.momentum),
            None => state,
        }
    }
}

/// What statistics are made of, each `[n, groups, neurons, positions]`; there if a stage needs it.
#[derive(Default)]
pub(crate) struct Seen {
    /// The similarities.
    pub(crate) s: Option<Tensor<4>>,
    /// The activities.
    pub(crate) y: Option<Tensor<4>>,
    /// The outcome of the competition, before lateral feedback.
    pub(crate) z: Option<Tensor<4>>,
    /// Presentations of spikes.
    pub(crate) presentations: usize,
}

impl Seen {
    pub(crate) fn similarity(&self) -> Tensor<4> {
        self.s.clone().expect("similarities are kept for the stages that read them")
    }

    pub(crate) fn activity(&self) -> Tensor<4> {
        self.y.clone().expect("activities are kept for the stages that read them")
    }

    pub(crate) fn outcome(&self) -> Tensor<4> {
        self.z.clone().expect("the outcome is kept for the stages that read it")
    }
}

/// Sums over images and positions, one a neuron: `[n, groups, neurons, positions]` → `[groups · neurons]`.
pub(crate) fn sums(values: Tensor<4>) -> Tensor<1> {
    let [_, groups, neurons, _] = values.dims();
    whole(values).sum_dims(&[0, 3]).reshape([groups * neurons])
}

/// The number of patches, as a tensor beside `values`.
pub(crate) fn patches(values: &Tensor<4>) -> Tensor<1> {
    let [n, _, _, positions] = values.dims();
    Tensor::full([1], (n * positions) as f64, (&values.device(), whole_type(values.dtype())))
}

/// Numbers of every neuron as they broadcast over patches: `[groups · neurons]` → `[1, groups, neurons, 1]`.
pub(crate) fn per_neuron(values: Tensor<1>, layout: &WeightLayout) -> Tensor<4> {
    values.reshape([1, layout.groups, layout.neurons, 1])
}

/// A state or statistics vector taken apart from front to back.
pub(crate) struct Cursor {
    values: Tensor<1>,
    at: usize,
}

impl Cursor {
    pub(crate) fn new(values: Tensor<1>) -> Self {
        Self { values, at: 0 }
    }

    /// The next `len` values, at least one.
    pub(crate) fn take(&mut self, len: usize) -> Tensor<1> {
        self.at += len;
        self.values.clone().narrow(0, self.at - len, len)
    }
}

/// Moves running means, all of a state, towards the means of this step; `statistics` are sums and the number of patches.
fn blend_means(state: Tensor<1>, statistics: Tensor<1>, momentum: f64) -> Tensor<1> {
    let len = state.dims()[0];
    let mut statistics = Cursor::new(statistics);
    let sums = statistics.take(len);
    // clamp: a step without a patch, whose state is thrown away, does not divide by 0.
    blend(state, sums / statistics.take(1).clamp_min(1.0), momentum)
}

/// Moves a running mean towards the mean of this step: `old + momentum (new − old)`.
///
/// Not `(1 − momentum) old + momentum new`: a factor that is rounded, at every one of many steps, adds up.
pub(crate) fn blend(old: Tensor<1>, new: Tensor<1>, momentum: f64) -> Tensor<1> {
    old.clone() + (new - old).mul_scalar(momentum)
}
