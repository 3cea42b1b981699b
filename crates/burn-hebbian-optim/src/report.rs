//! What trains each parameter, for a person to read.

use std::fmt;

use burn::module::Module;
use burn_hebbian_core::Signals;

use crate::{
    PlanError,
    assignment::{LocalLayer, Role},
    plan::Plan,
};

/// What trains each parameter of a model under a plan, in the model's order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Path and trainer of every float parameter.
    pub parameters: Vec<(String, TrainedBy)>,
    /// The local layers that a [rehearsal](Plan::rehearse) never reached.
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
    /// Backprop, if the parameter requires gradients.
    Backprop,
    /// Nothing.
    Frozen,
}

impl Plan {
    /// What trains each parameter of `model`.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    pub fn report<M: Module>(&self, model: &M) -> Result<Report, PlanError> {
        let assignment = self.assign(model)?;
        let trainer = |(id, path): &(_, String)| {
            let by = match assignment.role(*id) {
                Some(Role::Local(layer) | Role::Bias(layer)) => TrainedBy::local(layer),
                Some(Role::Frozen) => TrainedBy::Frozen,
                _ => TrainedBy::Backprop,
            };
            (path.clone(), by)
        };
        let parameters = assignment.parameters.iter().map(trainer).collect();
        Ok(Report { parameters, unreached: Vec::new() })
    }

    /// Whether anything in `model` learns by backprop, in part or in whole: whether a step needs a backward pass.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    pub fn needs_backward<M: Module>(&self, model: &M) -> Result<bool, PlanError> {
        let assignment = self.assign(model)?;
        let learns_by_it = |(id, _): &(_, _)| match assignment.role(*id) {
            Some(Role::Backprop { .. }) => true,
            Some(Role::Local(layer)) => layer.mixes_backprop(),
            _ => false,
        };
        Ok(assignment.parameters.iter().any(learns_by_it))
    }

    /// As [`report`](Self::report), with the local layers that one forward pass never reaches on this thread; nothing
    /// is learnt.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the model.
    ///
    /// # Panics
    ///
    /// As [`observe`](Self::observe).
    pub fn rehearse<M: Module, R>(
        &self,
        model: &M,
        signals: Signals,
        forward: impl FnOnce() -> R,
    ) -> Result<Report, PlanError> {
        let (_, updates) = self.observe(model, signals, forward)?;
        let unreached = updates.unreached().into_iter().map(ToString::to_string).collect();
        Ok(Report { unreached, ..self.report(model)? })
    }
}

impl TrainedBy {
    fn local(layer: &LocalLayer) -> Self {
        Self::Local {
            rule: format!("{:?}", layer.rule),
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
