//! Lateral feedback: a winner takes its neighbors on a map of neurons along.

use alloc::{boxed::Box, vec, vec::Vec};

use burn::tensor::{DType, Device, Tensor, TensorData};
use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::{
    RuleError, WeightLayout,
    error::positive,
    stages::memory::{Memory, Stage, steps},
};

/// `−ln h` at the distance of two neurons out of each other's reach: `h` is 0 at any radius.
const OUT_OF_REACH: f32 = 1e30;

/// Bounds of `ln(−ln h)` at distance 1. Clamp: below the first every neighbor has `h = 1`, above the second `h = 0`, in
/// any float; beyond them, powers would leave the finite numbers, and `0 · ∞` at distance 0 would be NaN.
const LN_ENERGY: [f64; 2] = [-40.0, 8.0];

/// What a winner does to its neighbors, between competition and gate.
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{DenseView, Lateral, Neighborhood, Rule, Signals};
/// # let device = Device::flex();
///
/// // five neurons in a row, all alike: of equals the first wins
/// let layer = DenseView::from_data([[1.0]; 5], [[2.0]], &device);
/// let (size, neighborhood) = (vec![5], Neighborhood::Gaussian);
/// let map = Lateral::Map { size, neighborhood, sigma: Some(2.0), tau: 1000.0 };
/// let update = layer.update(&Rule::hard_wta().with_lateral(map), Signals::none()).unwrap();
/// // exp(−d² / 8) of x − w = 1, within reach
/// let expected = [[1.0], [f32::exp(-1.0 / 8.0)], [f32::exp(-4.0 / 8.0)], [0.0], [0.0]].into();
/// update.into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Lateral {
    /// Nothing.
    #[default]
    None,
    /// The neurons of a group lie on a map (row by row), and neuron `p` gets `z_p = clip(Σ_q h(q − p) z_q, ±1)`.
    ///
    /// Distances are those of the largest coordinate (L∞). A neighborhood reaches from `(size−1)/2` neurons before
    /// to `size−1−(size−1)/2` neurons after a neuron along each axis. After every step `h ← h^γ`, with
    /// `γ = max(σ, 1)^(1/τ)` (its square for Gaussians): after `t` steps a radius `σ > 1` is `σ^(1 − t/τ)`, 1 after `τ`
    /// steps and on towards 0, where the winner learns alone; one of 1 or less stays as it is. The number of steps is the
    /// rule's state, in four digits to base 256, the lowest first.
    ///
    /// Source: T. Kohonen, *Biol. Cybern.* 43 (1982), doi:10.1007/BF00337288; kernels and schedule: G. Lagani, master's
    /// thesis, University of Pisa (2019).
    Map {
        /// Size of the map along each of its axes; the product is the number of neurons in a group.
        size: Vec<usize>,
        /// The kernel.
        neighborhood: Neighborhood,
        /// The initial radius `σ`, positive; the map's own radius if not given.
        sigma: Option<f64>,
        /// Steps in which the radius shrinks to 1, positive.
        tau: f64,
    },
}

/// The kernel `h` of a neighborhood, of distance `d` and radius `σ`.
///
/// ```
/// # use burn::tensor::{Device, Tolerance};
/// use burn_hebbian_core::{DenseView, Lateral, Neighborhood, Rule, Signals};
/// # let device = Device::flex();
///
/// // of three neurons alike the first wins; the second gets h of distance 1 and radius 1, the third is out of reach
/// let layer = DenseView::from_data([[1.0]; 3], [[2.0]], &device);
/// for (neighborhood, h) in
///     [(Neighborhood::Gaussian, f32::exp(-0.5)), (Neighborhood::Exponential, f32::exp(-1.0))]
/// {
///     let map = Lateral::Map { size: vec![3], neighborhood, sigma: Some(1.0), tau: 1000.0 };
///     let update = layer.update(&Rule::hard_wta().with_lateral(map), Signals::none()).unwrap();
///     update.into_data().assert_approx_eq::<f32>(&[[1.0], [h], [0.0]].into(), Tolerance::default());
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Neighborhood {
    /// `exp(−d² / 2σ²)`.
    #[default]
    Gaussian,
    /// `exp(−d / σ)`.
    Exponential,
    /// `2h − √h` of the Gaussian: neighbors are taken along, farther ones pushed away.
    DifferenceOfGaussians,
    /// `2h − √h` of the exponential.
    DifferenceOfExponentials,
}

impl Neighborhood {
    fn is_gaussian(self) -> bool {
        matches!(self, Self::Gaussian | Self::DifferenceOfGaussians)
    }

    fn is_difference(self) -> bool {
        matches!(self, Self::DifferenceOfGaussians | Self::DifferenceOfExponentials)
    }

    /// `−ln h` at distance `d`, in units of that at distance 1.
    fn relative_energy(self, d: f64) -> f64 {
        if self.is_gaussian() { d * d } else { d }
    }

    /// `ln(−ln h)` at distance 1, as `start + t · each` after `t` steps: a logarithm, which no radius and no number of
    /// steps takes out of the finite numbers.
    fn ln_energy(self, sigma: f64, tau: f64) -> [f64; 2] {
        let power = if self.is_gaussian() { 2.0 } else { 1.0 };
        let ln_two = if self.is_gaussian() { core::f64::consts::LN_2 } else { 0.0 };
        let ln_sigma = Float::ln(sigma);
        // clamp: a step of this size takes any radius past all bounds
        let each = (power * ln_sigma.max(0.0) / tau).min(1e4);
        [-power * ln_sigma - ln_two, each]
    }
}

impl Lateral {
    /// The outcome of the competition, spread over the map; both `[n, groups, neurons, positions]`.
    ///
    /// `state` is this stage's own.
    pub(crate) fn of(&self, z: Option<Tensor<4>>, state: Option<Tensor<1>>) -> Option<Tensor<4>> {
        let Self::Map { size, neighborhood, tau, .. } = self else { return z };
        let z = z?;
        let [start, each] = neighborhood.ln_energy(self.sigma(), *tau);
        let ln_energy = steps::times(state?.cast(DType::F32), each).add_scalar(start);
        let energy = ln_energy.clamp(LN_ENERGY[0], LN_ENERGY[1]).exp().reshape([1, 1, 1, 1]);
        let h = (relative_energies(size, *neighborhood, &z.device()) * energy).neg().exp();
        let h = if neighborhood.is_difference() { h.clone().mul_scalar(2.0) - h.sqrt() } else { h };
        // [1, 1, k, k] · [n, g, k, p]: each neuron gathers from the winners around it
        let spread = h.cast(z.dtype()).matmul(z);
        Some(spread.clamp(-1.0, 1.0))
    }

    fn sigma(&self) -> f64 {
        match self {
            Self::Map { sigma: Some(sigma), .. } => *sigma,
            Self::Map { size, .. } => size.iter().map(|size| radius(*size)).max().unwrap_or(0).max(1) as f64,
            Self::None => 1.0,
        }
    }

    pub(crate) fn check(&self, layout: &WeightLayout) -> Result<(), RuleError> {
        let Self::Map { size, tau, .. } = self else { return Ok(()) };
        positive("map radius", self.sigma())?;
        positive("map time constant tau", *tau)?;
        let cells = size.iter().fold(1_usize, |cells, size| cells.saturating_mul(*size));
        if cells == layout.neurons && (1..=3).contains(&size.len()) {
            return Ok(());
        }
        Err(RuleError::Map { size: size.clone(), cells, neurons: layout.neurons })
    }
}

impl Stage for Lateral {
    fn memory(&self, _layout: &WeightLayout) -> Option<Box<dyn Memory>> {
        match self {
            Self::None => None,
            Self::Map { .. } => Some(Box::new(Steps)),
        }
    }
}

/// The number of steps.
struct Steps;

impl Memory for Steps {
    fn initial(&self) -> Vec<f32> {
        vec![0.0; steps::DIGITS]
    }

    fn next(&self, state: Tensor<1>, _statistics: Option<Tensor<1>>) -> Tensor<1> {
        steps::next(state)
    }

    fn rests(&self) -> bool {
        false
    }
}

/// `−ln h` between neuron `p` (rows) and neuron `q` (columns), in units of that at distance 1: `[1, 1, k, k]`.
fn relative_energies(size: &[usize], neighborhood: Neighborhood, device: &Device) -> Tensor<4> {
    let neurons = size.iter().product::<usize>();
    let energy = |p: usize, q: usize| match distance(p, q, size) {
        Some(d) => neighborhood.relative_energy(d as f64) as f32,
        None => OUT_OF_REACH,
    };
    let values = (0..neurons).flat_map(|p| (0..neurons).map(move |q| energy(p, q))).collect::<Vec<_>>();
    Tensor::from_data(TensorData::new(values, [1, 1, neurons, neurons]), (device, DType::F32))
}

/// Neurons a neighborhood reaches before a neuron.
fn radius(size: usize) -> usize {
    // an axis of no neurons is refused, after its radius was asked for
    size.saturating_sub(1) / 2
}

/// The L∞ distance from `p` to `q` on the map, if `q` is within reach of `p`.
fn distance(mut p: usize, mut q: usize, size: &[usize]) -> Option<usize> {
    let mut largest = 0;
    for &size in size.iter().rev() {
        let (at, other) = (p % size, q % size);
        (p, q) = (p / size, q / size);
        let reach = if other < at { radius(size) } else { size - 1 - radius(size) };
        if at.abs_diff(other) > reach {
            return None;
        }
        largest = largest.max(at.abs_diff(other));
    }
    Some(largest)
}
