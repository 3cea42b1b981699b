//! What trains each parameter of a model.

use std::sync::Arc;

use burn::module::ParamId;
use burn_hebbian_core::{LocalRule, Signals, WeightLayout};
use burn_hebbian_nn::observe::{Collected, GradientFlow};

use super::Leaf;
use crate::{Constraint, UpdateError};

/// What trains each parameter of a model; parameters are known by their number in the model's order.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) key: Key,
    pub(crate) parameters: Vec<Parameter>,
    /// Local layers in the model's order; those that do not learn locally are none.
    pub(crate) layers: Vec<Option<Arc<LocalLayer>>>,
    /// Which flags for training behavior the plan turns off, in the model's order.
    pub(crate) frozen_flags: Vec<bool>,
    /// Steps between two looks at whether updates are finite, 0 for never.
    pub(crate) check_every: usize,
    /// Whether some running statistics move in every forward pass, in all clones of the model.
    pub(crate) shares_running: bool,
}

/// What an assignment was made for: ids change when a record is loaded, layers are frozen and get other rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) found: Collected,
}

/// A float parameter and what trains it.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) id: ParamId,
    pub(crate) path: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) role: Role,
    /// The entry of the plan that decides about it, if one does.
    pub(crate) entry: Option<usize>,
    /// Whether a step may leave it out.
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The weight of the local layer at this place.
    Local(usize),
    /// The bias of the local layer at this place, whose rule learns it.
    Bias(usize),
    /// The state of the rule of the local layer at this place.
    State(usize),
    /// A running statistic.
    Running {
        /// Whether a forward pass moves it by itself.
        shared: bool,
    },
    Backprop,
    Frozen,
}

/// A layer that learns locally.
#[derive(Debug)]
pub(crate) struct LocalLayer {
    pub(crate) path: String,
    /// The parameter that is its weight.
    pub(crate) weight: usize,
    pub(crate) layout: WeightLayout,
    pub(crate) rule: Arc<dyn LocalRule>,
    pub(crate) flow: GradientFlow,
    pub(crate) local_share: f64,
    pub(crate) backprop_share: f64,
    pub(crate) constraints: Vec<Constraint>,
    /// Whether a step may leave it out.
    pub(crate) optional: bool,
}

impl Assignment {
    /// The local layers that learn, with their places.
    pub(crate) fn learning(&self) -> impl Iterator<Item = (usize, &Arc<LocalLayer>)> {
        self.layers.iter().enumerate().filter_map(|(place, layer)| Some((place, layer.as_ref()?)))
    }

    pub(crate) fn layer(&self, place: usize) -> Option<&Arc<LocalLayer>> {
        self.layers.get(place)?.as_ref()
    }

    /// The local layer whose weight a parameter is.
    pub(crate) fn layer_of(&self, parameter: usize) -> Option<&Arc<LocalLayer>> {
        match self.parameters.get(parameter)?.role {
            Role::Local(place) => self.layer(place),
            _ => None,
        }
    }

    /// What messages call a parameter: that of a local layer by the layer's path.
    pub(crate) fn name(&self, parameter: usize) -> &str {
        let Some(known) = self.parameters.get(parameter) else { return "" };
        let (Role::Local(place) | Role::Bias(place) | Role::State(place)) = known.role else {
            return &known.path;
        };
        self.layer(place).map_or(&known.path, |layer| &layer.path)
    }

    /// The parameter of a running statistic.
    pub(crate) fn running(&self, id: ParamId) -> Option<&Parameter> {
        let is_it =
            |parameter: &&Parameter| parameter.id == id && matches!(parameter.role, Role::Running { .. });
        self.parameters.iter().find(is_it)
    }

    /// Whether anything learns by backprop, in part or in whole.
    pub(crate) fn needs_backward(&self) -> bool {
        let by_it = |parameter: &Parameter| parameter.role == Role::Backprop;
        self.parameters.iter().any(by_it) || self.learning().any(|(_, layer)| layer.mixes_backprop())
    }

    /// Refuses signals that a layer cannot learn from, and third factors for layers that are not there.
    pub(crate) fn check_signals(&self, signals: &Signals) -> Result<(), UpdateError> {
        let known = |path: &str| self.learning().any(|(_, layer)| layer.path == path);
        if let Some(path) = signals.modulated_layers().find(|path| !known(path)) {
            return Err(UpdateError::ThirdFactor { layer: path.to_string() });
        }
        for (_, layer) in self.learning() {
            let checked = layer.rule.check_signals(&signals.for_layer(&layer.path), &layer.layout);
            checked.map_err(|error| UpdateError::Signals { layer: layer.path.clone(), error })?;
        }
        Ok(())
    }
}
