//! Competition by learned inhibition.

use alloc::{vec, vec::Vec};

use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

use crate::{
    RuleError, WeightLayout,
    error::{finite, positive, share},
    stages::memory::{Cursor, Memory, Seen, patches, per_neuron, sums},
};

/// Competition by inhibition that is learned itself, Földiák's.
///
/// Outputs settle from similarities `s` by `steps` iterations, half way each, of
/// `z ← 1 / (1 + exp(−gain (s + V z − t)))`. After each step of training
///
/// ```text
/// ΔV_kj = −rate (⟨z_k z_j⟩ − target²), V ≤ 0, V_kk = 0      Δt_k = threshold_rate (⟨z_k⟩ − target)
/// ```
///
/// with means over the step's patches, so that outputs decorrelate and each neuron is active in a share `target` of
/// them. `V` and `t` start at 0; blank batches do not move them.
///
/// Source: P. Földiák, "Forming sparse representations by local anti-Hebbian learning", *Biol. Cybern.* 64 (1990),
/// doi:10.1007/BF02331346; there outputs are rounded to 0 or 1 once settled.
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{AntiHebbian, Competition, DenseView, Rule, Signals};
/// # let device = Device::flex();
///
/// let inhibition = AntiHebbian { target: 0.5, rate: 0.4, threshold_rate: 0.2, gain: 10.0, steps: 20 };
/// let rule = Rule::instar().with_competition(Competition::AntiHebbian(inhibition));
/// // both neurons are active: they learn to inhibit each other by 0.4 (1 − 0.25), and a threshold of 0.2 (1 − 0.5)
/// let layer = DenseView::from_data([[1.0], [1.0]], [[9.0]], &device);
/// let state = layer.step(&rule, Signals::none()).unwrap().state.unwrap();
/// let expected = [0.0, -0.3, -0.3, 0.0, 0.1, 0.1].into();
/// state.into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AntiHebbian {
    /// The share of patches a neuron should be active in, in 0..=1.
    pub target: f64,
    /// How fast inhibition is learned.
    pub rate: f64,
    /// How fast thresholds are learned.
    pub threshold_rate: f64,
    /// Steepness of the outputs, positive.
    pub gain: f64,
    /// Iterations of settling.
    pub steps: usize,
}

impl AntiHebbian {
    /// The outputs that similarities settle to.
    pub(super) fn settle(&self, s: Tensor<4>, state: Tensor<1>, layout: &WeightLayout) -> Tensor<4> {
        let (lateral, thresholds) = parts(state, layout);
        let lateral = lateral.unsqueeze_dim::<4>(0);
        let drive = s - per_neuron(thresholds, layout);
        let respond = |total: Tensor<4>| sigmoid(total.mul_scalar(self.gain));
        let first = respond(drive.clone());
        (0..self.steps).fold(first, |y, _| {
            // [1, g, k, k] · [n, g, k, p]; half way each time, or strong inhibition would swing
            let next = respond(drive.clone() + lateral.clone().matmul(y.clone()));
            (y + next).mul_scalar(0.5)
        })
    }

    pub(super) fn check(&self) -> Result<(), RuleError> {
        share("anti-Hebbian target activity", self.target)?;
        finite("anti-Hebbian rate", self.rate)?;
        finite("anti-Hebbian threshold rate", self.threshold_rate)?;
        positive("anti-Hebbian gain", self.gain)
    }
}

/// Lateral weights and thresholds.
pub(super) struct Inhibition {
    pub(super) by: AntiHebbian,
    pub(super) layout: WeightLayout,
}

impl Memory for Inhibition {
    fn initial(&self) -> Vec<f32> {
        vec![0.0; self.state_len()]
    }

    fn state_len(&self) -> usize {
        self.layout.total_neurons() * (self.layout.neurons + 1)
    }

    fn statistics_len(&self) -> usize {
        self.state_len() + 1
    }

    /// `Σ y_k y_j`, `Σ y_k` and the number of patches.
    fn statistics(&self, seen: &Seen, _state: Option<Tensor<1>>) -> Option<Tensor<1>> {
        let y = seen.outcome();
        let [_, groups, neurons, _] = y.dims();
        let pairs = y.clone().matmul(y.clone().swap_dims(2, 3)).sum_dim(0);
        let count = patches(&y);
        Some(Tensor::cat(vec![pairs.reshape([groups * neurons * neurons]), sums(y), count], 0))
    }

    fn next(&self, state: Tensor<1>, statistics: Option<Tensor<1>>) -> Tensor<1> {
        let (Some(statistics), Self { by, layout }) = (statistics, self) else { return state };
        let (lateral, thresholds) = parts(state, layout);
        let mut statistics = Cursor::new(statistics);
        let pairs = statistics.take(layout.total_neurons() * layout.neurons).reshape(lateral.dims());
        let totals = statistics.take(layout.total_neurons());
        // clamp: a step without a patch, whose state is thrown away, does not divide by 0.
        let count = statistics.take(1).clamp_min(1.0);
        let excess = (pairs / count.clone().reshape([1, 1, 1])).sub_scalar(by.target * by.target);
        let lateral = (lateral - excess.mul_scalar(by.rate)).clamp_max(0.0);
        let lateral = lateral.clone() - lateral.clone() * identity(&lateral, layout);
        let drift = (totals / count).sub_scalar(by.target);
        let thresholds = thresholds + drift.mul_scalar(by.threshold_rate);
        let len = layout.total_neurons() * layout.neurons;
        Tensor::cat(vec![lateral.reshape([len]), thresholds], 0)
    }
}

/// Lateral weights `[groups, neurons, neurons]` and thresholds `[groups · neurons]`.
fn parts(state: Tensor<1>, layout: &WeightLayout) -> (Tensor<3>, Tensor<1>) {
    let WeightLayout { groups, neurons, .. } = *layout;
    let mut state = Cursor::new(state);
    let lateral = state.take(groups * neurons * neurons).reshape([groups, neurons, neurons]);
    (lateral, state.take(groups * neurons))
}

/// `[1, neurons, neurons]`.
fn identity(like: &Tensor<3>, layout: &WeightLayout) -> Tensor<3> {
    Tensor::<2>::eye(layout.neurons, &like.device()).cast(like.dtype()).unsqueeze_dim(0)
}
