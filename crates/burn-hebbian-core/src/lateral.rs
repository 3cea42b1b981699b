//! Lateral feedback: a winner takes its neighbours on a map of neurons along.

use alloc::vec;
use alloc::vec::Vec;

use burn::tensor::{DType, Device, Tensor, TensorData};
use num_traits::Float;
use serde::{Deserialize, Serialize};

use crate::{RuleError, WeightLayout, error::positive, stage::Stage};

/// What a winner does to its neighbours, between competition and gate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Lateral {
    /// Nothing.
    #[default]
    None,
    /// The neurons of a group lie on a map (row by row), and neuron `p` gets `z_p = clip(Σ_q h(q − p) z_q, ±1)`.
    ///
    /// Distances are those of the largest coordinate (L∞). A neighbourhood reaches from `(size−1)/2` neurons before
    /// to `size−1−(size−1)/2` neurons after a neuron along each axis. After every step `h ← h^γ`, with `γ = σ^(1/τ)`
    /// (its square for Gaussians), so that a radius above 1 shrinks to 1 in `τ` steps and on; one of 1 stays. The
    /// exponent is the rule's state.
    ///
    /// Source: T. Kohonen, *Biol. Cybern.* 43 (1982), doi:10.1007/BF00337288; kernels and schedule: G. Lagani, master's
    /// thesis, University of Pisa (2019).
    Map {
        /// Size of the map along each of its axes; the product is the number of neurons in a group.
        size: Vec<usize>,
        /// The kernel.
        neighbourhood: Neighbourhood,
        /// The initial radius `σ`, positive; the map's own radius if not given.
        sigma: Option<f64>,
        /// Steps in which the radius shrinks to 1, positive.
        tau: f64,
    },
}

/// The kernel `h` of a neighbourhood, of distance `d` and radius `σ`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Neighbourhood {
    /// `exp(−d² / 2σ²)`.
    #[default]
    Gaussian,
    /// `exp(−d / σ)`.
    Exponential,
    /// `2h − √h` of the Gaussian: neighbours are taken along, farther ones pushed away.
    DifferenceOfGaussians,
    /// `2h − √h` of the exponential.
    DifferenceOfExponentials,
}

impl Neighbourhood {
    fn is_gaussian(self) -> bool {
        matches!(self, Self::Gaussian | Self::DifferenceOfGaussians)
    }

    fn is_difference(self) -> bool {
        matches!(self, Self::DifferenceOfGaussians | Self::DifferenceOfExponentials)
    }

    /// `−ln h` at distance `d`.
    fn energy(self, d: f64, sigma: f64) -> f64 {
        if self.is_gaussian() { d * d / (2.0 * sigma * sigma) } else { d / sigma }
    }
}

impl Lateral {
    /// The outcome of the competition, spread over the map; both `[n, groups, neurons, positions]`.
    ///
    /// `state` is this stage's own.
    pub(crate) fn of(&self, z: Option<Tensor<4>>, state: Option<Tensor<1>>) -> Option<Tensor<4>> {
        let Self::Map { size, neighbourhood, .. } = self else { return z };
        let z = z?;
        let exponent = state?.reshape([1, 1, 1, 1]);
        let h = (self.energies(size, *neighbourhood, &z.device()).cast(z.dtype()) * exponent).neg().exp();
        let h = if neighbourhood.is_difference() { h.clone().mul_scalar(2.0) - h.sqrt() } else { h };
        // [1, 1, k, k] · [n, g, k, p]: each neuron gathers from the winners around it
        let spread = h.matmul(z);
        Some(spread.clamp(-1.0, 1.0))
    }

    /// `−ln h` between neuron `p` (rows) and neuron `q` (columns); out of reach it is far beyond any exponent.
    fn energies(&self, size: &[usize], neighbourhood: Neighbourhood, device: &Device) -> Tensor<4> {
        let (neurons, sigma) = (size.iter().product::<usize>(), self.sigma());
        let energy = |p: usize, q: usize| match distance(p, q, size) {
            Some(d) => neighbourhood.energy(d as f64, sigma) as f32,
            None => 1e30,
        };
        let values = (0..neurons).flat_map(|p| (0..neurons).map(move |q| energy(p, q))).collect::<Vec<_>>();
        Tensor::from_data(TensorData::new(values, [1, 1, neurons, neurons]), (device, DType::F32))
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
        let cells = size.iter().product::<usize>();
        if cells == layout.neurons && (1..=3).contains(&size.len()) {
            return Ok(());
        }
        Err(RuleError::Map { size: size.clone(), cells, neurons: layout.neurons })
    }
}

impl Stage for Lateral {
    fn state_len(&self, _layout: &WeightLayout) -> usize {
        match self {
            Self::None => 0,
            Self::Map { .. } => 1,
        }
    }

    /// The exponent of `h`.
    fn initial_state(&self, layout: &WeightLayout) -> Vec<f32> {
        vec![1.0; self.state_len(layout)]
    }

    fn next_state(
        &self,
        state: Tensor<1>,
        _statistics: Option<Tensor<1>>,
        _layout: &WeightLayout,
    ) -> Tensor<1> {
        let Self::Map { neighbourhood, tau, .. } = self else { return state };
        let squared = if neighbourhood.is_gaussian() { 2.0 } else { 1.0 };
        state.mul_scalar(Float::powf(self.sigma(), squared / tau))
    }
}

/// Neurons a neighbourhood reaches before a neuron.
fn radius(size: usize) -> usize {
    (size - 1) / 2
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
