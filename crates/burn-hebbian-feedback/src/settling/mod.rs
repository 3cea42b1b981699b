//! Settling: states that follow each other until they rest, in phases that differ in what happens to the output.

mod phase;
mod presets;
mod run;
mod sweep;

use burn::{config::Config, tensor::Tensor};
use serde::{Deserialize, Serialize};

pub use phase::{OutputState, Phase, Start};
pub use presets::Sides;
pub use run::{Moment, PhaseEnd, Settled};
pub use sweep::Order;

use crate::{Chain, CostFunction, FeedbackError, Method, States};

/// The residual below which states count as settled, if nothing else is said.
const BOUND: f64 = 1e-3;

/// Contrastive learning by settled states: `ΔW_l = 1/N Σ_phases k γ^{l−L} corr(s_{l−1}, U_l s_l)`.
///
/// Presets are contrastive Hebbian learning, contrastive and coupled learning, and equilibrium propagation, one-sided and
/// centered; centered equilibrium propagation is the default. They differ in their phases, of which each settles the states of a
/// [`Chain`], and whose weights `k` add up to 0: what the phases have in common is not learned.
///
/// ```
/// # use burn::{module::Module, nn::{Linear, LinearConfig}, optim::SgdConfig, tensor::{Device, Distribution, Tensor}};
/// # use burn_hebbian_nn::Local;
/// # use burn_hebbian_optim::{LocalTraining, Plan};
/// use burn_hebbian_feedback::{Chain, Method, Settling};
///
/// #[derive(Module, Debug)]
/// struct Net {
///     hidden: Local<Linear>,
///     output: Local<Linear>,
/// }
///
/// impl Net {
///     fn chain(&self) -> Chain<'_> {
///         Chain::new([4]).layer(&self.hidden).layer(&self.output)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::flex();
/// # let linear = |i, o| LinearConfig::new(i, o).init(&device);
/// # let net = Net { hidden: linear(4, 8).into(), output: linear(8, 2).into() };
/// # let images = Tensor::<2>::random([16, 4], Distribution::Default, &device);
/// # let targets = Tensor::<2>::zeros([16, 2], &device);
/// let plan = Plan::new().local(".*", LocalTraining::from_given_states());
/// let (net, mut optim) = plan.init(net, SgdConfig::new())?;
///
/// // one step
/// let method = Settling::default();
/// let (settled, updates) = method.learn(&optim, &net, Net::chain, images, targets)?;
/// let net = optim.step(0.1, net, updates)?;
/// assert!(settled.residual() < 1e-3);
/// # let _ = net;
/// # Ok(()) }
/// ```
///
/// Every pass settles from states of 0, or from those that [`settle_from`](Self::settle_from) is given; none of them outlives it.
/// A phase whose states move by more than the bound at its last sweep is an error, and teaches nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settling {
    /// What happens in which phase; the first is free, and others may begin where it ends.
    pub phases: Vec<Phase>,
    /// What nudging descends.
    pub cost: CostFunction,
    /// The factor of feedback from the layer above, in (0, 1].
    pub gamma: f64,
    /// Which layers follow at once.
    pub order: Order,
    /// The residual, by how much a sweep moves any state, below which a phase ends before its last sweep, and above which it is
    /// an error. None runs every sweep and asks nothing: neither does it wait for the device.
    pub bound: Option<f64>,
}

impl Config for Settling {}

impl Default for Settling {
    /// Centered equilibrium propagation with β = 0.25 over at most three times 200 sweeps.
    fn default() -> Self {
        Self::equilibrium(Sides::Centered, 0.25, 200, 200).expect("0.25 is a nudging")
    }
}

impl Settling {
    /// These phases, with a squared error, feedback as it is, even layers after odd ones, and states that must settle.
    pub fn of(phases: Vec<Phase>) -> Self {
        let (cost, gamma, order) = (CostFunction::SquaredError, 1.0, Order::EvenOdd);
        Self { phases, cost, gamma, order, bound: Some(BOUND) }
    }

    /// With another cost.
    pub fn with_cost(self, cost: CostFunction) -> Self {
        Self { cost, ..self }
    }

    /// With another factor of feedback.
    pub fn with_gamma(self, gamma: f64) -> Self {
        Self { gamma, ..self }
    }

    /// With another order of layers.
    pub fn with_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// With another bound of the residual.
    pub fn with_bound(self, bound: f64) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// With exactly the sweeps of each phase, whether states rest then or not.
    pub fn with_fixed_sweeps(self) -> Self {
        Self { bound: None, ..self }
    }

    /// Settles all phases, and teaches nobody.
    ///
    /// # Errors
    ///
    /// If chain, batch or protocol are none, or states do not settle.
    pub fn settle<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
    ) -> Result<Settled, FeedbackError> {
        self.settle_from(chain, x, targets, None, |_| ())
    }

    /// As [`settle`](Self::settle), from these states, showing those of every sweep.
    ///
    /// # Errors
    ///
    /// As [`settle`](Self::settle).
    pub fn settle_from<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
        initial: Option<States>,
        watch: impl FnMut(Moment),
    ) -> Result<Settled, FeedbackError> {
        run::settle(self, chain, x, targets, initial, watch).map(|(settled, _)| settled)
    }

    /// As [`Method::teach`], from these states.
    ///
    /// # Errors
    ///
    /// As [`Method::teach`].
    pub fn teach_from<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
        initial: Option<States>,
    ) -> Result<Settled, FeedbackError> {
        let (settled, lesson) = run::settle(self, chain, x, targets, initial, |_| ())?;
        lesson.teach(self, &settled);
        Ok(settled)
    }

    /// What the chain answers to a batch when nobody teaches it: `[n, neurons]` after the first phase.
    ///
    /// # Errors
    ///
    /// As [`settle`](Self::settle).
    pub fn predict<const D: usize>(&self, chain: &Chain, x: Tensor<D>) -> Result<Tensor<2>, FeedbackError> {
        chain.answer(&run::free(self, chain, x)?.states)
    }

    /// Refuses numbers and phases that make no protocol.
    ///
    /// # Errors
    ///
    /// An error that states the value.
    pub fn check(&self) -> Result<(), FeedbackError> {
        if !(self.gamma > 0.0 && self.gamma <= 1.0) {
            return Err(FeedbackError::Gamma { gamma: self.gamma });
        }
        if let Some(bound) = self.bound
            && !(bound.is_finite() && bound > 0.0)
        {
            return Err(FeedbackError::Bound { bound });
        }
        phase::check(&self.phases)
    }
}

impl Method for Settling {
    type Report = Settled;

    fn teach<const D: usize>(
        &self,
        chain: &Chain,
        x: Tensor<D>,
        targets: Tensor<2>,
    ) -> Result<Settled, FeedbackError> {
        self.teach_from(chain, x, targets, None)
    }
}
