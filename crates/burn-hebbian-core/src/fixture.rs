//! A dense layer of numbers, for the tests of this crate: from rows of input to the update and the next state.

use alloc::{vec, vec::Vec};

use burn::tensor::{Device, Tensor, TensorData};

use crate::{
    Activity, Factors, LayerView, LocalRule, RecurrenceMask, Rule, Signals, WeightLayout, stages::mix,
};

/// Rows `[n, d]` in front of a layer of `[k, d]`, one group.
pub(crate) struct Dense {
    pub(crate) x: Tensor<2>,
    pub(crate) w: Tensor<2>,
}

/// What a step made.
pub(crate) struct Step {
    /// `ΔW` (ascent), row by row.
    pub(crate) delta: Vec<f32>,
    pub(crate) state: Vec<f32>,
    /// `Δb` (ascent).
    pub(crate) bias: Vec<f32>,
}

pub(crate) fn tensor<const D: usize>(values: &[f32], dims: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &Device::flex())
}

pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// Independent numbers, uniform in −1..1.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<f32> {
    let number = |i: usize| (mix(seed, i as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    (0..len).map(number).collect()
}

impl Dense {
    /// Noise into `neurons` neurons of four inputs.
    pub(crate) fn noise(seed: u64, rows: usize, neurons: usize) -> Self {
        Self {
            x: tensor(&noise(seed, rows * 4), [rows, 4]),
            w: tensor(&noise(99, neurons * 4), [neurons, 4]),
        }
    }

    /// Blank rows into the same.
    pub(crate) fn blank(rows: usize, neurons: usize) -> Self {
        Self { x: Tensor::zeros([rows, 4], &Device::flex()), ..Self::noise(0, 1, neurons) }
    }

    /// One step of a rule; a teacher lets every neuron learn.
    pub(crate) fn learn(&self, rule: &Rule, state: &[f32], bias: &[f32]) -> Step {
        let (n, layout) = (self.x.dims()[0], self.layout());
        let dot = self.x.clone().matmul(self.w.clone().transpose()).reshape([n, 1, layout.neurons, 1]);
        let signals = Signals::none().with_teacher(Tensor::ones([n, layout.neurons], &Device::flex()));
        let held = (!state.is_empty()).then(|| tensor(state, [state.len()]));
        let with_bias = Biased { dense: self, bias: tensor(bias, [layout.neurons]) };
        let activity = Activity::new(dot, signals, &with_bias).with_state(held.clone());
        let factors = rule.factors(&activity);
        let statistics = factors.statistics.clone();
        assert_eq!(statistics.as_ref().map_or(0, |sums| sums.dims()[0]), rule.statistics_len(&layout));
        let next = held.map(|held| rule.next_state(held, statistics.clone(), &layout));
        let bias = rule.bias_update(with_bias.bias.clone(), statistics, &layout);
        let delta = numbers(self.update(rule, factors));
        Step { delta, state: next.map(numbers).unwrap_or_default(), bias: numbers(bias) }
    }

    fn update(&self, rule: &Rule, factors: Factors) -> Tensor<4> {
        let (n, layout) = (self.x.dims()[0], self.layout());
        let flat = |c: Tensor<4>| c.reshape([n, layout.neurons]).transpose(); // [k, n]
        let mut sum = self.w.zeros_like();
        if let Some(c) = factors.coefficients {
            sum = sum + flat(c).matmul(self.x.clone());
        }
        if let Some(decay) = factors.decay {
            sum = sum - decay.transpose() * self.w.clone();
        }
        if let Some(matrix) = factors.matrix {
            let mixing = flat(matrix.left).matmul(flat(matrix.right).transpose());
            let mixing = if matrix.mask == RecurrenceMask::Full { mixing } else { mixing.tril(0) };
            sum = sum - mixing.matmul(self.w.clone());
        }
        if let Some(taps) = factors.taps {
            sum = sum - taps.reshape([1, n]).matmul(self.x.clone()) * self.w.clone();
        }
        let mass = match rule.finish().mass_len(&layout) {
            0 => None,
            1 => Some(tensor(&[n as f32], [1])),
            len => factors.mass.map(|mass| mass.reshape([len])),
        };
        rule.finish().apply(layout.view(sum), mass, &layout.view(self.w.clone()), &layout)
    }
}

/// The layer with a bias.
struct Biased<'a> {
    dense: &'a Dense,
    bias: Tensor<1>,
}

impl LayerView for Biased<'_> {
    fn layout(&self) -> WeightLayout {
        self.dense.layout()
    }

    fn patch_energy(&self) -> Tensor<4> {
        let n = self.dense.x.dims()[0];
        self.dense.x.clone().square().sum_dim(1).reshape([n, 1, 1, 1])
    }

    fn weight(&self) -> Tensor<4> {
        self.layout().view(self.dense.w.clone())
    }

    fn bias(&self) -> Option<Tensor<1>> {
        Some(self.bias.clone())
    }

    fn respond_with(&self, weight: Tensor<4>) -> Tensor<4> {
        let (n, [k, d]) = (self.dense.x.dims()[0], self.dense.w.dims());
        self.dense.x.clone().matmul(weight.reshape([k, d]).transpose()).reshape([n, 1, k, 1])
    }
}

impl Dense {
    pub(crate) fn layout(&self) -> WeightLayout {
        let [neurons, after] = self.w.dims();
        WeightLayout { groups: 1, before: 1, neurons, after }
    }

    /// The state that a rule starts with.
    pub(crate) fn start(&self, rule: &Rule) -> Vec<f32> {
        rule.initial_state(&self.layout()).unwrap_or_default()
    }

    /// No bias.
    pub(crate) fn unbiased(&self) -> Vec<f32> {
        vec![0.0; self.layout().neurons]
    }
}
