//! What can be wrong with a chain, with a protocol, and with what settles.

use burn_hebbian_core::RuleError;
use burn_hebbian_optim::UpdateError;

/// A chain, protocol or batch that nothing can be learned from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// A chain without a layer.
    #[error("chain: it has no layer")]
    Empty,
    /// A layer that does not fit the state below it.
    #[error("chain: edge {edge}: {reason}")]
    Shape {
        /// The edge, counted from 1.
        edge: usize,
        /// What does not fit.
        reason: String,
    },
    /// An activation that is no function of one number, or has a value that cannot be.
    #[error("chain: activation {activation}: {reason}")]
    Activation {
        /// The activation.
        activation: String,
        /// What is wrong.
        reason: String,
    },
    /// Inputs that are not those of the chain.
    #[error("chain: expected inputs of [n, {expected:?}], got {got:?}")]
    Input {
        /// The shape of one input.
        expected: Vec<usize>,
        /// The shape of the batch.
        got: Vec<usize>,
    },
    /// Targets that are not those of the output.
    #[error("targets: expected {expected:?}, got {got:?}")]
    Targets {
        /// Images and output neurons.
        expected: [usize; 2],
        /// The shape found.
        got: [usize; 2],
    },
    /// States that are not those of the chain.
    #[error("states of layer {layer}: expected {expected:?}, got {got:?}")]
    States {
        /// The layer, counted from 1.
        layer: usize,
        /// The shape of the batch's states.
        expected: Vec<usize>,
        /// The shape found.
        got: Vec<usize>,
    },
    /// A nudging of 0, or none that is finite: both phases would be the same, and their difference is divided by it.
    #[error("beta: must be finite and not 0, got {beta}")]
    Beta {
        /// The value.
        beta: f64,
    },
    /// A feedback factor outside (0, 1].
    #[error("gamma: must be in (0, 1], got {gamma}")]
    Gamma {
        /// The value.
        gamma: f64,
    },
    /// A share of the upper state outside 0..=1.
    #[error("alpha: must be in 0..=1, got {alpha}")]
    Alpha {
        /// The value.
        alpha: f64,
    },
    /// A bound on the residual that is not a positive number.
    #[error("bound of the residual: must be positive and finite, got {bound}")]
    Bound {
        /// The value.
        bound: f64,
    },
    /// Phases that make no protocol.
    #[error("phases: {reason}")]
    Phases {
        /// What is wrong.
        reason: String,
    },
    /// Layers in a sequence that the chain does not have.
    #[error("sequence: layers are counted from 1 to {layers}, got {layer}")]
    Sequence {
        /// The layer that was named.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// A chain that the method cannot work on.
    #[error("chain: {reason}")]
    Unsupported {
        /// Why not.
        reason: &'static str,
    },
    /// States that still move: nothing was learned from them.
    #[error(
        "phase {phase}: states still move by {residual:.1e} after {sweeps} sweeps, and were to move by less than {bound:e}: give them more sweeps, smaller weights or a larger bound, or say that so many sweeps are meant to be enough (`with_fixed_sweeps`)"
    )]
    Unsettled {
        /// The phase, counted from 1.
        phase: usize,
        /// The sweeps.
        sweeps: usize,
        /// By how much the last sweep moved a state.
        residual: f64,
        /// By how much it was to move.
        bound: f64,
    },
    /// A chain of which no layer learns.
    #[error(
        "no layer of the chain learned: build it from the model that the closure gets, and let the plan train its layers from given states (`LocalTraining::from_given_states`)"
    )]
    NothingLearned,
    /// A pass that was refused.
    #[error(transparent)]
    Update(#[from] UpdateError),
}

impl FeedbackError {
    pub(crate) fn activation(activation: impl std::fmt::Debug, reason: RuleError) -> Self {
        Self::Activation { activation: format!("{activation:?}"), reason: reason.to_string() }
    }
}
