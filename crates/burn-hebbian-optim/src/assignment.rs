//! A plan resolved on a model: what trains each parameter id.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};
use burn_hebbian_core::{
    LocalRule, Signals, WeightLayout,
    observe::{GradientFlow, LayerInfo, census},
};

use crate::{Constraint, PlanError, plan::Plan, resolver::Resolver};

/// What trains each parameter of a model, by id.
#[derive(Debug)]
pub(crate) struct Assignment {
    roles: HashMap<ParamId, Role>,
    /// The parameters in the model's order.
    pub(crate) parameters: Vec<(ParamId, String)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Role {
    Local(Arc<LocalLayer>),
    /// The bias of a local layer whose rule learns it.
    Bias(Arc<LocalLayer>),
    /// By backprop: because a pattern says so, or as the rest.
    Backprop {
        by_pattern: bool,
    },
    Frozen,
}

/// A layer that learns locally.
#[derive(Debug)]
pub(crate) struct LocalLayer {
    pub(crate) path: String,
    pub(crate) layout: WeightLayout,
    pub(crate) rule: Arc<dyn LocalRule>,
    /// Where the layer keeps the rule's state, if it has room for it.
    pub(crate) state: Option<ParamId>,
    pub(crate) flow: GradientFlow,
    pub(crate) local_share: f64,
    pub(crate) backprop_share: f64,
    pub(crate) constraints: Vec<Constraint>,
}

impl Assignment {
    pub(crate) fn new(roles: HashMap<ParamId, Role>, parameters: Vec<(ParamId, String)>) -> Self {
        Self { roles, parameters }
    }

    pub(crate) fn role(&self, id: ParamId) -> Option<&Role> {
        self.roles.get(&id)
    }

    pub(crate) fn local(&self, id: ParamId) -> Option<&Arc<LocalLayer>> {
        match self.roles.get(&id) {
            Some(Role::Local(layer)) => Some(layer),
            _ => None,
        }
    }

    /// Refuses layers without room for the state of their rule.
    pub(crate) fn check_state(&self) -> Result<(), PlanError> {
        let lacks_room =
            |layer: &LocalLayer| layer.state.is_none() && layer.rule.initial_state(&layer.layout).is_some();
        match self.local_layers().find(|(_, layer)| lacks_room(layer)) {
            Some((_, layer)) => Err(PlanError::NoState { layer: layer.path.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses layers without the bias that their rule learns.
    pub(crate) fn check_bias(&self) -> Result<(), PlanError> {
        let learns = |path: &str| {
            self.roles.values().any(|role| matches!(role, Role::Bias(layer) if layer.path == path))
        };
        let lacks = |layer: &LocalLayer| layer.rule.learns_bias() && !learns(&layer.path);
        match self.local_layers().find(|(_, layer)| lacks(layer)) {
            Some((_, layer)) => Err(PlanError::NoBias { layer: layer.path.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses third factors for layers that are not there.
    pub(crate) fn check_signals(&self, signals: &Signals) -> Result<(), PlanError> {
        let known = |path: &str| self.local_layers().any(|(_, layer)| layer.path == path);
        match signals.modulated_layers().find(|path| !known(path)) {
            Some(path) => Err(PlanError::ThirdFactor { layer: path.to_string() }),
            None => Ok(()),
        }
    }

    /// Whether a rule trains the parameter, a weight or a bias.
    pub(crate) fn learns_locally(&self, id: ParamId) -> bool {
        matches!(self.role(id), Some(Role::Local(_) | Role::Bias(_)))
    }

    /// The local layers with the ids of their weights, in the model's order.
    pub(crate) fn local_layers(&self) -> impl Iterator<Item = (ParamId, &Arc<LocalLayer>)> {
        self.parameters.iter().filter_map(|(id, _)| Some((*id, self.local(*id)?)))
    }
}

/// The last assignment and what it was made for; ids change when a record is loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cache(Arc<Mutex<Option<Cached>>>);

/// What an assignment was made for, and the assignment.
type Cached = (Key, Arc<Assignment>);

/// Parameter ids, and the rule each local layer carries, by address (compared, never read).
#[derive(Debug, PartialEq, Eq)]
struct Key {
    parameters: Vec<ParamId>,
    rules: Vec<usize>,
}

impl Key {
    fn of(survey: &Survey, layers: &[LayerInfo]) -> Self {
        let address = |rule: &Arc<dyn LocalRule>| Arc::as_ptr(rule).cast::<()>() as usize;
        Self {
            parameters: survey.parameters.iter().map(|(id, _)| *id).collect(),
            rules: layers.iter().map(|layer| layer.rule.as_ref().map_or(0, address)).collect(),
        }
    }
}

impl Cache {
    fn get(&self, key: &Key) -> Option<Arc<Assignment>> {
        let cached = self.0.lock().ok()?;
        let (known, assignment) = cached.as_ref()?;
        (known == key).then(|| assignment.clone())
    }

    fn put(&self, key: Key, assignment: Arc<Assignment>) {
        if let Ok(mut cached) = self.0.lock() {
            *cached = Some((key, assignment));
        }
    }
}

/// The paths of a model's float parameters.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    path: Vec<String>,
    pub(crate) parameters: Vec<(ParamId, String)>,
}

impl ModuleVisitor for Survey {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.parameters.push((param.id, self.path.join(".")));
    }
}

impl Plan {
    /// What trains each parameter of `model`; every pattern and every rule is checked.
    pub(crate) fn assign<M: Module>(&self, model: &M) -> Result<Arc<Assignment>, PlanError> {
        let mut survey = Survey::default();
        let layers = census(|| model.visit(&mut survey));
        let key = Key::of(&survey, &layers);
        if let Some(known) = self.cache.get(&key) {
            return Ok(known);
        }
        let assignment = Arc::new(Resolver::new(self, survey, layers)?.resolve()?);
        self.cache.put(key, assignment.clone());
        Ok(assignment)
    }
}
