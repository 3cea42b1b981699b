//! All phases of one batch.

use burn::tensor::Tensor;
use burn_hebbian_nn::StatePair;

use super::{
    OutputState, Phase, Settling, Start,
    sweep::{Pull, Sweeper},
};
use crate::{Chain, FeedbackError, States, chain::Net};

/// The states after a sweep, as whoever watches sees them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Moment<'s> {
    /// The phase, counted from 1.
    pub phase: usize,
    /// The sweep, counted from 1.
    pub sweep: usize,
    /// The states.
    pub states: &'s States,
}

/// What a phase came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PhaseEnd {
    /// Its last states.
    pub states: States,
    /// How many sweeps it took.
    pub sweeps: usize,
    /// By how much the last sweep moved any state: one number, still on the device.
    pub residual: Tensor<1>,
    /// The energy of every image, see [`Chain::energy`].
    pub energy: Tensor<1>,
}

/// What all phases of a batch came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settled {
    /// The phases in order.
    pub phases: Vec<PhaseEnd>,
}

impl Settled {
    /// By how much the last sweep of any phase moved any state. Waits for the device.
    pub fn residual(&self) -> f64 {
        self.phases.iter().map(|phase| read(&phase.residual)).fold(0.0, worse)
    }
}

/// The larger, NaN being larger than all.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

fn read(residual: &Tensor<1>) -> f64 {
    residual.clone().into_data().iter::<f64>().next().unwrap_or(f64::NAN)
}

/// What is learned from settled states.
pub(super) struct Lesson<'a> {
    net: Net<'a>,
    x: Tensor<2>,
    targets: Tensor<2>,
}

impl Lesson<'_> {
    /// Hands every layer the states of all phases that count.
    pub(super) fn teach(&self, settling: &Settling, settled: &Settled) {
        let counts = |(phase, _): &(&Phase, &PhaseEnd)| phase.weight != 0.0;
        let phases: Vec<_> = settling.phases.iter().zip(&settled.phases).filter(counts).collect();
        let layers = self.net.len();
        for (number, link) in self.net.links.iter().enumerate() {
            // of the lower layers the difference is smaller by γ for each layer above
            let factor = settling.gamma.powi((number + 1) as i32 - layers as i32);
            let pairs = phases.iter().map(|(phase, end)| {
                let states = end.states.values();
                let below = if number == 0 { &self.x } else { &states[number - 1] };
                link.pair(below.clone(), states[number].clone(), phase.weight * factor)
            });
            let pairs = pairs.collect();
            link.observe(if number == 0 { above_one(pairs) } else { pairs });
        }
        self.teach_readout(settling, settled);
    }

    /// The read-out descends the cost itself, in the mean over the phases that are nudged.
    fn teach_readout(&self, settling: &Settling, settled: &Settled) {
        let Some(readout) = &self.net.readout else { return };
        let nudged = |(phase, _): &(&Phase, &PhaseEnd)| phase.weight != 0.0 && phase.is_nudged();
        let phases: Vec<_> = settling.phases.iter().zip(&settled.phases).filter(nudged).collect();
        let share = 1.0 / phases.len().max(1) as f64;
        let pairs = phases.iter().map(|(_, end)| {
            let last = end.states.flat(self.net.len());
            let error = self.net.error(settling.cost, last.clone(), self.targets.clone());
            readout.pair(last, error, share)
        });
        readout.observe(pairs.collect());
    }
}

/// States above one input, which is the same in all phases: what they differ by meets it once, in one product of small numbers.
fn above_one(pairs: Vec<StatePair<2>>) -> Vec<StatePair<2>> {
    let add = |sum: StatePair<2>, next: StatePair<2>| {
        let next = next.state.mul_scalar(next.weight);
        StatePair::new(sum.input, sum.state.mul_scalar(sum.weight) + next, 1.0)
    };
    pairs.into_iter().reduce(add).into_iter().collect()
}

/// Settles all phases.
pub(super) fn settle<'a, const D: usize>(
    settling: &Settling,
    chain: &Chain<'a>,
    x: Tensor<D>,
    targets: Tensor<2>,
    initial: Option<States>,
    mut watch: impl FnMut(Moment),
) -> Result<(Settled, Lesson<'a>), FeedbackError> {
    settling.check()?;
    let net = Net::of(chain)?;
    let x = net.input(x)?;
    let images = x.dims()[0];
    let targets = net.targets(targets, images)?;
    let holds = |phase: &Phase| matches!(phase.output, OutputState::Held { .. });
    if net.readout.is_some() && settling.phases.iter().any(holds) {
        return Err(FeedbackError::Unsupported { reason: "a read-out has no state that could be held" });
    }
    let initial = begin(&net, &x, initial)?;
    let mut phases: Vec<PhaseEnd> = Vec::new();
    for (number, phase) in settling.phases.iter().enumerate() {
        let first = phases.first().map_or(initial.as_slice(), |first| first.states.values());
        let start = match phase.start {
            Start::Initial => initial.as_slice(),
            Start::EndOfFirst => first,
        };
        let mut sweeper = Sweeper::new(&net, settling.gamma, x.clone(), start.to_vec());
        let pull = match phase.output {
            OutputState::Free => Pull::Nothing,
            OutputState::Nudged { beta } => {
                Pull::Nudged { beta, cost: settling.cost, targets: Box::new(targets.clone()) }
            }
            OutputState::Held { share } => {
                let output = first[net.len() - 1].clone().mul_scalar(1.0 - share);
                sweeper.put(net.len(), output + targets.clone().mul_scalar(share));
                Pull::Held
            }
        };
        let end = run(settling, number + 1, phase.sweeps, sweeper, &pull, &net, &mut watch)?;
        phases.push(end);
    }
    Ok((Settled { phases }, Lesson { net, x, targets }))
}

/// Settles the first phase alone.
pub(super) fn free<const D: usize>(
    settling: &Settling,
    chain: &Chain,
    x: Tensor<D>,
) -> Result<PhaseEnd, FeedbackError> {
    settling.check()?;
    let net = Net::of(chain)?;
    let x = net.input(x)?;
    let sweeper = Sweeper::new(&net, settling.gamma, x.clone(), net.rest(&x));
    run(settling, 1, settling.phases[0].sweeps, sweeper, &Pull::Nothing, &net, &mut |_| ())
}

fn begin(net: &Net, x: &Tensor<2>, initial: Option<States>) -> Result<Vec<Tensor<2>>, FeedbackError> {
    let Some(initial) = initial else { return Ok(net.rest(x)) };
    net.check_states(initial.values(), x.dims()[0])?;
    Ok(initial.values().to_vec())
}

/// One phase.
fn run(
    settling: &Settling,
    phase: usize,
    sweeps: usize,
    mut sweeper: Sweeper,
    pull: &Pull,
    net: &Net,
    watch: &mut impl FnMut(Moment),
) -> Result<PhaseEnd, FeedbackError> {
    let mut residual = None;
    let mut taken = 0;
    for sweep in 1..=sweeps {
        let measured = settling.bound.is_some() || sweep == sweeps;
        residual = sweeper.sweep(settling.order, pull, measured);
        taken = sweep;
        watch(Moment { phase, sweep, states: &net.states(sweeper.states().to_vec())? });
        let rests = |bound: f64| residual.as_ref().is_none_or(|residual| read(residual) <= bound);
        if settling.bound.is_some_and(rests) {
            break;
        }
    }
    let x = &sweeper.states()[0];
    // a chain whose only layer is held has nothing that moves
    let residual = residual.unwrap_or_else(|| Tensor::zeros([1], (&x.device(), x.dtype())));
    if let Some(bound) = settling.bound {
        let left = read(&residual);
        if left.is_nan() || left > bound {
            return Err(FeedbackError::Unsettled { phase, sweeps: taken, residual: left, bound });
        }
    }
    let energy = sweeper.energy();
    let states = net.states(sweeper.states().to_vec())?;
    Ok(PhaseEnd { states, sweeps: taken, residual, energy })
}
