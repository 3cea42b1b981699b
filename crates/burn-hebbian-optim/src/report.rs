//! What trains each parameter, for a person to read.

use std::fmt;

use burn::module::Module;

use crate::{
    PlanError,
    assignment::{LocalLayer, Role},
    plan::Plan,
};

/// What trains each parameter of a model under a plan, in the model's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Path and trainer of every float parameter.
    pub parameters: Vec<(String, TrainedBy)>,
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
        Ok(Report { parameters: assignment.parameters.iter().map(trainer).collect() })
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
        Ok(())
    }
}
