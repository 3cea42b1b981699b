//! Settings of cases, as they are written down.

use burn_hebbian::{
    feedback::{CostFunction, Order, OutputState, Phase, Pool, Settling, Start},
    rules::Activation,
};
use serde::Deserialize;

/// One edge between two states.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Edge {
    #[serde(default)]
    pub(super) kind: String,
    pub(super) kernel: Option<[usize; 2]>,
    pub(super) stride: Option<[usize; 2]>,
    pub(super) padding: Option<[usize; 2]>,
    pub(super) dilation: Option<[usize; 2]>,
    pub(super) groups: Option<usize>,
    pub(super) pool: Option<String>,
}

impl Edge {
    pub(super) fn pool(&self) -> Result<Pool, String> {
        match self.pool.as_deref() {
            None | Some("none") => Ok(Pool::None),
            Some("max") => Ok(Pool::max(2)),
            Some("avg" | "average") => Ok(Pool::average(2)),
            Some(other) => Err(format!("no pooling `{other}`")),
        }
    }
}

/// The shape of a net.
#[derive(Debug, Deserialize)]
pub(super) struct NetHyper {
    pub(super) layers: Vec<Vec<usize>>,
    pub(super) edges: Vec<Edge>,
    pub(super) activation: String,
    pub(super) output_activation: String,
    loss: Option<String>,
}

/// The activation of that name.
pub(super) fn activation(name: &str) -> Result<Activation, String> {
    Ok(match name {
        "linear" => Activation::Linear,
        "relu" => Activation::Relu,
        "tanh" => Activation::Tanh,
        "clip01" => Activation::HardSigmoid { slope: 1.0 },
        "clip_half" => Activation::HardSigmoid { slope: 0.5 },
        "sigmoid" => Activation::Sigmoid { slope: 1.0, threshold: 0.0 },
        "sigmoid4" => Activation::Sigmoid { slope: 4.0, threshold: 0.5 },
        other => return Err(format!("no activation `{other}`")),
    })
}

impl NetHyper {
    /// Whether the last edge is a read-out.
    pub(super) fn reads_out(&self) -> bool {
        self.output_activation == "outside the system"
    }

    pub(super) fn cost(&self) -> Result<CostFunction, String> {
        match self.loss.as_deref() {
            None | Some("squared") => Ok(CostFunction::SquaredError),
            Some("squared-no-half") => Ok(CostFunction::SumOfSquares),
            Some(loss) if loss.starts_with("cross-entropy") => Ok(CostFunction::CrossEntropy),
            Some(other) => Err(format!("no loss `{other}`")),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct PhaseHyper {
    pub(super) name: String,
    start: String,
    output: String,
    value: Option<f64>,
    sweeps: usize,
}

impl PhaseHyper {
    fn phase(&self) -> Result<Phase, String> {
        let value = self.value.ok_or_else(|| format!("phase `{}` has no value", self.name));
        let output = match self.output.as_str() {
            "free" => OutputState::Free,
            "nudge" | "nudge_readout" => OutputState::Nudged { beta: value? },
            "hold" => OutputState::Held { share: value? },
            other => return Err(format!("no output `{other}`")),
        };
        let start = match self.start.as_str() {
            "init" | "zeros" => Start::Initial,
            "end of free" => Start::EndOfFirst,
            other => return Err(format!("no start `{other}`")),
        };
        Ok(Phase::new(output, self.sweeps).from(start))
    }
}

/// How a net settles and learns.
#[derive(Debug, Deserialize)]
pub(super) struct SettleHyper {
    pub(super) phases: Vec<PhaseHyper>,
    order: String,
    gamma: Option<f64>,
    minuend: String,
    subtrahend: String,
    divide_by: f64,
    /// The sweeps of which states are stored; all of them without it.
    pub(super) sweeps_stored: Option<Vec<usize>>,
    pub(super) rate_online: Option<f64>,
}

impl SettleHyper {
    /// The protocol, with weights by what is subtracted from what.
    pub(super) fn settling(&self, net: &NetHyper) -> Result<Settling, String> {
        self.settling_of(net, |name| {
            let counts = |counted: &str| if name == counted { 1.0 / self.divide_by } else { 0.0 };
            counts(&self.minuend) - counts(&self.subtrahend)
        })
    }

    /// The protocol, with these weights of the phases.
    pub(super) fn settling_of(
        &self,
        net: &NetHyper,
        weight: impl Fn(&str) -> f64,
    ) -> Result<Settling, String> {
        let phases = self.phases.iter().map(|phase| Ok(phase.phase()?.weighing(weight(&phase.name))));
        let settling = Settling::of(phases.collect::<Result<_, String>>()?).with_fixed_sweeps();
        let settling = settling.with_cost(net.cost()?).with_order(order(&self.order)?);
        Ok(settling.with_gamma(self.gamma.unwrap_or(1.0)))
    }

    /// Whether states after this sweep are stored.
    pub(super) fn stores(&self, sweep: usize) -> bool {
        self.sweeps_stored.as_ref().is_none_or(|stored| stored.contains(&sweep))
    }
}

pub(super) fn order(name: &str) -> Result<Order, String> {
    match name {
        "alternating" => Ok(Order::EvenOdd),
        "synchronous" => Ok(Order::Synchronous),
        "upward" => Ok(Order::Upward),
        other => Err(format!("no order `{other}`")),
    }
}
