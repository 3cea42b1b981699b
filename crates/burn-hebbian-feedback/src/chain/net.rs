//! A chain whose shapes meet.

use burn::tensor::Tensor;
use burn_hebbian_core::Activation;
use burn_hebbian_nn::{Bidirectional, StatePair};

use super::Chain;
use crate::{CostFunction, FeedbackError, Pool, States, pool::Cells};

/// A layer between two states of known shapes.
pub(crate) struct Link<'a> {
    layer: &'a dyn Bidirectional,
    pool: Pool,
    input: Vec<usize>,
    drive: Vec<usize>,
    output: Vec<usize>,
}

/// What comes from below: pooled, and from which cells.
#[derive(Clone)]
pub(crate) struct Drive {
    pub(crate) pooled: Tensor<2>,
    pub(crate) cells: Cells,
}

impl Link<'_> {
    /// `P(W below + b)`.
    pub(crate) fn drive(&self, below: Tensor<2>) -> Drive {
        let (pooled, cells) = self.pool.apply(self.respond(below), &self.drive);
        Drive { pooled, cells }
    }

    /// `W below + b`, not pooled.
    pub(crate) fn respond(&self, below: Tensor<2>) -> Tensor<2> {
        self.layer.drive(below, &self.input)
    }

    /// Pools values that lie where the drive does.
    pub(crate) fn pool(&self, values: Tensor<2>) -> Drive {
        let (pooled, cells) = self.pool.apply(values, &self.drive);
        Drive { pooled, cells }
    }

    /// `U above`.
    pub(crate) fn spread(&self, above: Tensor<2>, cells: &Cells) -> Tensor<2> {
        self.pool.spread(above, cells, &self.drive)
    }

    /// `Wᵀ values`, of values that lie where the drive does.
    pub(crate) fn feedback(&self, values: Tensor<2>) -> Tensor<2> {
        self.layer.feedback(values, &self.input)
    }

    /// From which cells the state above comes, unless that depends on the drive.
    pub(crate) fn fixed_cells(&self) -> Option<Cells> {
        self.pool.fixed_cells()
    }

    /// From which cells the state above comes; where that depends on the drive, it is computed.
    pub(crate) fn cells(&self, below: &Tensor<2>) -> Cells {
        self.fixed_cells().unwrap_or_else(|| self.drive(below.clone()).cells)
    }

    /// The states of a phase as the layer learns from them, `above` lying where the state does.
    pub(crate) fn pair(&self, below: Tensor<2>, above: Tensor<2>, weight: f64) -> StatePair<2> {
        let cells = self.cells(&below);
        let above = self.spread(above, &cells);
        StatePair::new(below, above, weight)
    }

    pub(crate) fn observe(&self, pairs: Vec<StatePair<2>>) {
        self.layer.observe(pairs, &self.input);
    }
}

/// A chain whose shapes meet.
pub(crate) struct Net<'a> {
    pub(crate) links: Vec<Link<'a>>,
    pub(crate) readout: Option<Link<'a>>,
    activation: Activation,
    output: Activation,
}

impl<'a> Net<'a> {
    pub(crate) fn of(chain: &Chain<'a>) -> Result<Self, FeedbackError> {
        if chain.edges.is_empty() {
            return Err(FeedbackError::Empty);
        }
        check_activation(chain.activation)?;
        check_activation(chain.output)?;
        let mut input = chain.input.clone();
        let mut links = Vec::new();
        for (number, edge) in chain.edges.iter().enumerate() {
            let link = link(number + 1, edge.layer, edge.pool, input)?;
            input = link.output.clone();
            links.push(link);
        }
        let readout = match chain.readout {
            Some(layer) => Some(link(links.len() + 1, layer, Pool::None, input)?),
            None => None,
        };
        Ok(Self { links, readout, activation: chain.activation, output: chain.output })
    }

    pub(crate) fn shapes(&self) -> Vec<Vec<usize>> {
        let input = self.links[0].input.clone();
        std::iter::once(input).chain(self.links.iter().map(|link| link.output.clone())).collect()
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// The activation of a layer, counted from 1, on its flat drive.
    pub(crate) fn activate(&self, layer: usize, z: Tensor<2>) -> Tensor<2> {
        let f = if layer == self.len() && self.readout.is_none() { self.output } else { self.activation };
        if f == Activation::Linear {
            return z;
        }
        let [n, elements] = z.dims();
        f.apply(z.reshape([n, 1, elements, 1])).reshape([n, elements])
    }

    pub(crate) fn output_is_linear(&self) -> bool {
        self.output == Activation::Linear
    }

    /// A batch as a flat state, outside the autodiff graph.
    pub(crate) fn input<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<2>, FeedbackError> {
        let (expected, got) = (&self.links[0].input, x.dims());
        let elements = expected.iter().product();
        let flat = D == 2 && got[1] == elements;
        if !(flat || got[1..] == expected[..]) || got[0] == 0 {
            return Err(FeedbackError::Input { expected: expected.clone(), got: got.to_vec() });
        }
        Ok(x.inner().reshape([got[0], elements]))
    }

    /// Targets of the output.
    pub(crate) fn targets(&self, targets: Tensor<2>, images: usize) -> Result<Tensor<2>, FeedbackError> {
        let output = self.readout.as_ref().unwrap_or(&self.links[self.len() - 1]);
        let (expected, got) = ([images, output.output.iter().product()], targets.dims());
        if got == expected { Ok(targets.inner()) } else { Err(FeedbackError::Targets { expected, got }) }
    }

    pub(crate) fn states(&self, values: Vec<Tensor<2>>) -> Result<States, FeedbackError> {
        self.check_states(&values, values.first().map_or(0, |values| values.dims()[0]))?;
        let shapes = self.links.iter().map(|link| link.output.clone()).collect();
        Ok(States::new(values.into_iter().map(Tensor::inner).collect(), shapes))
    }

    pub(crate) fn check_states(&self, values: &[Tensor<2>], images: usize) -> Result<(), FeedbackError> {
        for (number, link) in self.links.iter().enumerate() {
            let expected = [images, link.output.iter().product()];
            let got = values.get(number).map_or(Vec::new(), |values| values.dims().to_vec());
            if got != expected {
                return Err(FeedbackError::States { layer: number + 1, expected: expected.to_vec(), got });
            }
        }
        Ok(())
    }

    /// States of 0.
    pub(crate) fn rest(&self, x: &Tensor<2>) -> Vec<Tensor<2>> {
        let zeros = |link: &Link| {
            Tensor::zeros([x.dims()[0], link.output.iter().product()], (&x.device(), x.dtype()))
        };
        self.links.iter().map(zeros).collect()
    }

    pub(crate) fn energy(&self, x: &Tensor<2>, states: &[Tensor<2>]) -> Tensor<1> {
        let below = std::iter::once(x).chain(states);
        let terms = self.links.iter().zip(below).zip(states).map(|((link, below), state)| {
            let drive = link.drive(below.clone()).pooled;
            (drive * state.clone()).sum_dim(1)
        });
        let sum: Tensor<2> = terms.reduce(|sum, term| sum + term).expect("a chain has layers");
        sum.squeeze_dim::<1>(1).neg()
    }

    pub(crate) fn answer(&self, states: &[Tensor<2>]) -> Tensor<2> {
        let last = states[states.len() - 1].clone();
        match &self.readout {
            Some(readout) => readout.drive(last).pooled,
            None => last,
        }
    }

    /// `−∂cost/∂s` of the output, or of the last hidden layer through the read-out.
    pub(crate) fn pull(&self, cost: CostFunction, last: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        match &self.readout {
            None => cost.gradient(last, targets).neg(),
            Some(readout) => readout.feedback(self.error(cost, last, targets)),
        }
    }

    /// `−∂cost` with respect to the answer in a state of the last layer.
    pub(crate) fn error(&self, cost: CostFunction, last: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let answer = match &self.readout {
            Some(readout) => readout.drive(last).pooled,
            None => last,
        };
        cost.gradient(answer, targets).neg()
    }
}

fn link<'a>(
    edge: usize,
    layer: &'a dyn Bidirectional,
    pool: Pool,
    input: Vec<usize>,
) -> Result<Link<'a>, FeedbackError> {
    let misfit = |reason| FeedbackError::Shape { edge, reason };
    let drive = layer.output_shape(&input).map_err(misfit)?;
    let output = pool.output_shape(&drive).map_err(misfit)?;
    Ok(Link { layer, pool, input, drive, output })
}

/// Refuses activations that look at more than one number.
fn check_activation(activation: Activation) -> Result<(), FeedbackError> {
    activation.check().map_err(|reason| FeedbackError::activation(activation, reason))?;
    match activation {
        Activation::Triangle { .. } | Activation::Score { .. } | Activation::AdaptiveScore { .. } => {
            let reason = "it depends on the other neurons of its layer".to_string();
            Err(FeedbackError::Activation { activation: format!("{activation:?}"), reason })
        }
        _ => Ok(()),
    }
}
