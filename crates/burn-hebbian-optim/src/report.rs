//! What trains each parameter, for a person to read.

use std::fmt;

use burn::module::Module;
use burn_hebbian_core::Signals;

use crate::{
    BoundPlan, UpdateError,
    bind::{LocalLayer, Parameter, Role},
    plan::describe,
};

/// What trains each parameter of a model under a plan, in the model's order.
///
/// ```
/// # use burn::{nn::LinearConfig, tensor::Device};
/// # use burn_hebbian_core::Rule;
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_optim::Plan;
///
/// let net = Local::new(LinearConfig::new(2, 2).init(&Device::flex()));
/// let (_, bound) = Plan::new().local("weight", Rule::oja()).bind(net).unwrap();
/// let report = bound.report().to_string();
/// assert_eq!(report, "weight  local: Rule { recurrence: Oja }\nbias    frozen\n");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Path and trainer of every float parameter.
    pub parameters: Vec<(String, TrainedBy)>,
    /// The local layers that a [rehearsal](BoundPlan::rehearse) never reached.
    pub unreached: Vec<String>,
}

/// What trains one parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TrainedBy {
    /// A local rule, described by its stages.
    Local {
        /// The rule.
        rule: String,
        /// α of the local update.
        local_share: f64,
        /// α of the backprop gradient.
        backprop_share: f64,
    },
    /// Backprop.
    Backprop,
    /// The inputs of a norm: a running statistic.
    Statistics,
    /// Nothing.
    Frozen,
}

impl BoundPlan {
    /// What trains each parameter.
    pub fn report(&self) -> Report {
        let assignment = self.assignment();
        let by = |parameter: &Parameter| match parameter.role {
            Role::Local(place) | Role::Bias(place) => {
                assignment.layer(place).map_or(TrainedBy::Frozen, |layer| TrainedBy::local(layer))
            }
            Role::Backprop => TrainedBy::Backprop,
            Role::Running { .. } => TrainedBy::Statistics,
            _ => TrainedBy::Frozen,
        };
        let parameters =
            assignment.parameters.iter().map(|parameter| (parameter.path.clone(), by(parameter))).collect();
        Report { parameters, unreached: Vec::new() }
    }

    /// The local layers that learn, in the model's order.
    pub fn local_layers(&self) -> Vec<String> {
        self.assignment().learning().map(|(_, layer)| layer.path.clone()).collect()
    }

    /// Whether anything learns by backprop, in part or in whole: whether a step needs a backward pass.
    pub fn needs_backward(&self) -> bool {
        self.assignment().needs_backward()
    }

    /// As [`report`](Self::report), with the local layers that one forward pass never reaches; nothing is learned, and
    /// nothing moves.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    pub fn rehearse<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce(&M) -> R,
    ) -> Result<Report, UpdateError> {
        let (_, seen) = self.observe(model, signals, forward)?;
        let unreached = seen.unreached().into_iter().map(ToString::to_string).collect();
        Ok(Report { unreached, ..self.report() })
    }
}

impl TrainedBy {
    fn local(layer: &LocalLayer) -> Self {
        Self::Local {
            rule: describe(&*layer.rule),
            local_share: layer.local_share,
            backprop_share: layer.backprop_share,
        }
    }
}

impl fmt::Display for TrainedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { rule, local_share, backprop_share: 0.0 } if *local_share == 1.0 => {
                write!(f, "local: {rule}")
            }
            Self::Local { rule, local_share, backprop_share } => {
                write!(f, "{local_share} · local + {backprop_share} · backprop: {rule}")
            }
            Self::Backprop => f.write_str("backprop"),
            Self::Statistics => f.write_str("running statistics"),
            Self::Frozen => f.write_str("frozen"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.parameters.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
        for (path, by) in &self.parameters {
            writeln!(f, "{path:width$}  {by}")?;
        }
        for layer in &self.unreached {
            writeln!(f, "{layer}: the forward pass never reached this layer, it will not learn")?;
        }
        Ok(())
    }
}
