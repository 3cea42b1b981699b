//! Sweeps: every layer follows its neighbors once.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    CostFunction,
    chain::{Drive, Net},
};

/// Which layers follow their neighbors at once, and which first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// `s_1, s_3, …` at once, then `s_2, s_4, …`: converges in a fraction of the sweeps of the synchronous order.
    #[default]
    EvenOdd,
    /// All at once, from the states of the last sweep.
    Synchronous,
    /// `s_1`, then `s_2`, and so on, each from what the one before it has become.
    Upward,
}

impl Order {
    /// The layers that follow at once, in order, of so many that follow at all.
    fn groups(self, layers: usize) -> Vec<Vec<usize>> {
        let every_other = |first| (first..=layers).step_by(2).collect::<Vec<_>>();
        let groups = match self {
            Self::Synchronous => vec![(1..=layers).collect()],
            Self::EvenOdd => vec![every_other(1), every_other(2)],
            Self::Upward => (1..=layers).map(|layer| vec![layer]).collect(),
        };
        groups.into_iter().filter(|group| !group.is_empty()).collect()
    }
}

/// What pulls at the output of a phase.
pub(super) enum Pull {
    Nothing,
    /// The output is held where it is.
    Held,
    Nudged {
        beta: f64,
        cost: CostFunction,
        targets: Box<Tensor<2>>,
    },
}

/// States on their way, and the drives that still hold.
pub(super) struct Sweeper<'n, 'a> {
    net: &'n Net<'a>,
    gamma: f64,
    x: Tensor<2>,
    states: Vec<Tensor<2>>,
    /// By edge; none where the state below has moved since.
    drives: Vec<Option<Drive>>,
}

impl<'n, 'a> Sweeper<'n, 'a> {
    pub(super) fn new(net: &'n Net<'a>, gamma: f64, x: Tensor<2>, states: Vec<Tensor<2>>) -> Self {
        let drives = vec![None; net.len()];
        Self { net, gamma, x, states, drives }
    }

    pub(super) fn states(&self) -> &[Tensor<2>] {
        &self.states
    }

    /// Puts a state in the place of a layer's, counted from 1.
    pub(super) fn put(&mut self, layer: usize, state: Tensor<2>) {
        self.states[layer - 1] = state;
        if let Some(drive) = self.drives.get_mut(layer) {
            *drive = None;
        }
    }

    /// `P(W s_{l−1}) + b` of a layer's own edge.
    fn drive(&mut self, layer: usize) -> Drive {
        let below = if layer == 1 { &self.x } else { &self.states[layer - 2] };
        let link = &self.net.links[layer - 1];
        self.drives[layer - 1].get_or_insert_with(|| link.drive(below.clone())).clone()
    }

    /// The energy of every image.
    pub(super) fn energy(&mut self) -> Tensor<1> {
        let terms = (1..=self.net.len()).map(|layer| {
            let drive = self.drive(layer).pooled;
            (drive * self.states[layer - 1].clone()).sum_dim(1)
        });
        let sum: Tensor<2> = terms.reduce(|sum, term| sum + term).expect("a chain has layers");
        sum.squeeze_dim::<1>(1).neg()
    }

    /// One sweep; if asked, by how much any state has moved.
    pub(super) fn sweep(&mut self, order: Order, pull: &Pull, measured: bool) -> Option<Tensor<1>> {
        let layers = self.net.len() - usize::from(matches!(pull, Pull::Held));
        let mut moved = Vec::new();
        for group in order.groups(layers) {
            let next: Vec<_> = group.iter().map(|layer| self.next(*layer, pull)).collect();
            for (layer, state) in group.into_iter().zip(next) {
                if measured {
                    moved.push((state.clone() - self.states[layer - 1].clone()).abs().max());
                }
                self.put(layer, state);
            }
        }
        (!moved.is_empty()).then(|| Tensor::cat(moved, 0).max())
    }

    /// What the neighbors of a layer make of its state.
    fn next(&mut self, layer: usize, pull: &Pull) -> Tensor<2> {
        let mut z = self.drive(layer).pooled;
        if layer < self.net.len() {
            z = z + self.feedback(layer);
        } else if let Pull::Nudged { beta, cost, targets } = pull
            && *beta != 0.0
        {
            let pull = self.net.pull(*cost, self.states[layer - 1].clone(), (**targets).clone());
            z = z + pull.mul_scalar(*beta);
        }
        self.net.activate(layer, z)
    }

    /// `γ W_{l+1}ᵀ U_{l+1}(s_{l+1})`, in the cells of the current drive.
    fn feedback(&mut self, layer: usize) -> Tensor<2> {
        let fixed = self.net.links[layer].fixed_cells();
        let cells = fixed.unwrap_or_else(|| self.drive(layer + 1).cells);
        let link = &self.net.links[layer];
        let feedback = link.feedback(link.spread(self.states[layer].clone(), &cells));
        if self.gamma == 1.0 { feedback } else { feedback.mul_scalar(self.gamma) }
    }
}
