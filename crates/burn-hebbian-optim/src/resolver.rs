//! From a plan and a model's parameters to who trains each of them.

use std::{collections::HashMap, sync::Arc};

use burn::module::{ParamGroup, ParamGroupError, ParamId};
use burn_hebbian_core::{LocalRule, observe::LayerInfo};

use crate::{
    PlanError,
    assignment::{Assignment, LocalLayer, Role, Survey},
    plan::{Entry, Plan, Rest},
    training::{LocalTraining, RuleChoice, Training},
};

/// An entry with its pattern compiled.
struct Compiled<'a> {
    entry: &'a Entry,
    group: ParamGroup,
}

/// What a parameter is to a plan.
enum Kind<'a> {
    /// The weight of a local layer.
    Weight(&'a LayerInfo),
    /// The state of a local layer's rule.
    State,
    /// Another parameter of a local layer: its bias.
    Beside,
    /// Any other parameter.
    Plain,
}

pub(crate) struct Resolver<'a> {
    rest: Rest,
    epoch: Option<usize>,
    entries: Vec<Compiled<'a>>,
    parameters: Vec<(ParamId, String)>,
    layers: HashMap<ParamId, LayerInfo>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(plan: &'a Plan, survey: Survey, layers: Vec<LayerInfo>) -> Result<Self, PlanError> {
        let entries = plan.entries.iter().map(Compiled::new).collect::<Result<_, _>>()?;
        let layers = layers.into_iter().map(|layer| (layer.weight, layer)).collect();
        Ok(Self { rest: plan.rest, epoch: plan.epoch, entries, parameters: survey.parameters, layers })
    }

    pub(crate) fn resolve(self) -> Result<Assignment, PlanError> {
        for compiled in &self.entries {
            self.check_matches(compiled)?;
        }
        let roles = self
            .parameters
            .iter()
            .map(|(id, path)| Ok((*id, self.role(*id, path)?)))
            .collect::<Result<HashMap<_, _>, PlanError>>()?;
        let assignment = Assignment::new(roles, self.parameters);
        assignment.check_bias()?;
        Ok(assignment)
    }

    fn role(&self, id: ParamId, path: &str) -> Result<Role, PlanError> {
        let matched = self.entries.iter().rev().find(|compiled| self.holds(compiled, id, path));
        if matched.is_none() && self.entries.iter().any(|compiled| compiled.matches(id, path)) {
            return Ok(Role::Frozen); // its time is over, or has not come
        }
        match (self.kind(id, path), matched.map(|compiled| compiled.entry)) {
            (Kind::State, _) => Ok(Role::Frozen),
            (Kind::Weight(info), Some(Entry { pattern, training: Training::Local(training), .. })) => {
                training.check(pattern)?;
                local_layer(info, layer_path(path), training).map(Role::Local)
            }
            (Kind::Weight(info), None) if info.rule.is_some() => {
                local_layer(info, layer_path(path), &LocalTraining::of_the_layer()).map(Role::Local)
            }
            (Kind::Beside, None | Some(Entry { training: Training::Local(_), .. })) => self.role_beside(path),
            (_, Some(Entry { training: Training::Backprop, .. })) => Ok(Role::Backprop { by_pattern: true }),
            (_, Some(Entry { training: Training::Frozen, .. })) => Ok(Role::Frozen),
            (Kind::Plain, Some(_)) => Ok(self.role_beneath_local(id, path)),
            (_, None) => Ok(self.role_of_rest()),
        }
    }

    /// The role of a local layer's bias: it learns if the layer's rule learns it, and is frozen under another.
    fn role_beside(&self, path: &str) -> Result<Role, PlanError> {
        let weight = self
            .parameters
            .iter()
            .find(|(id, other)| self.layers.contains_key(id) && layer_path(other) == layer_path(path));
        let weight = weight.map(|(id, path)| self.role(*id, path)).transpose()?;
        Ok(match weight {
            Some(Role::Local(layer)) if layer.rule.learns_bias() => Role::Bias(layer),
            Some(Role::Local(_)) => Role::Frozen,
            _ => self.role_of_rest(),
        })
    }

    /// The role of a plain parameter that a local pattern covers: local patterns do not concern it.
    fn role_beneath_local(&self, id: ParamId, path: &str) -> Role {
        let concerned = |compiled: &&Compiled| {
            !matches!(compiled.entry.training, Training::Local(_)) && self.holds(compiled, id, path)
        };
        match self.entries.iter().rev().find(concerned).map(|compiled| &compiled.entry.training) {
            Some(Training::Backprop) => Role::Backprop { by_pattern: true },
            Some(_) => Role::Frozen,
            None => self.role_of_rest(),
        }
    }

    /// Whether the pattern matches the parameter, in this epoch.
    fn holds(&self, compiled: &Compiled, id: ParamId, path: &str) -> bool {
        compiled.entry.epochs.contain(self.epoch) && compiled.matches(id, path)
    }

    fn role_of_rest(&self) -> Role {
        match self.rest {
            Rest::Backprop => Role::Backprop { by_pattern: false },
            Rest::Frozen => Role::Frozen,
        }
    }

    fn kind(&self, id: ParamId, path: &str) -> Kind<'_> {
        if let Some(layer) = self.layers.get(&id) {
            return Kind::Weight(layer);
        }
        if self.layers.values().any(|layer| layer.state.is_some_and(|(state, _)| state == id)) {
            return Kind::State;
        }
        if self.layer_of(path).is_some() { Kind::Beside } else { Kind::Plain }
    }

    /// The local layer that the parameter at `path` belongs to.
    fn layer_of(&self, path: &str) -> Option<&LayerInfo> {
        let weight = |(id, other): &(ParamId, String)| {
            self.layers.get(id).filter(|_| layer_path(other) == layer_path(path))
        };
        self.parameters.iter().find_map(weight)
    }

    /// A pattern that selects nothing is a mistake, found before time is spent.
    fn check_matches(&self, compiled: &Compiled) -> Result<(), PlanError> {
        let pattern = || compiled.entry.pattern.clone();
        let mut matched = self.parameters.iter().filter(|(id, path)| compiled.matches(*id, path)).peekable();
        let Some((_, first)) = matched.peek() else {
            let paths: Vec<_> = self.parameters.iter().map(|(_, path)| path.as_str()).collect();
            return Err(PlanError::MatchesNothing { pattern: pattern(), paths: paths.join(", ") });
        };
        let local = matches!(compiled.entry.training, Training::Local(_));
        if local && !matched.any(|(id, _)| self.layers.contains_key(id)) {
            return Err(PlanError::NotLocal { pattern: pattern(), path: first.clone() });
        }
        Ok(())
    }
}

/// The parameters of a pattern: it matches a whole path, or a whole leading part of one.
pub(crate) fn anchored(pattern: &str) -> Result<ParamGroup, PlanError> {
    let anchored = format!(r"^(?:{pattern})(?:\.|$)");
    ParamGroup::from_regex(anchored).map_err(|ParamGroupError::InvalidPatternError(reason)| {
        PlanError::Pattern { pattern: pattern.to_string(), reason }
    })
}

impl<'a> Compiled<'a> {
    fn new(entry: &'a Entry) -> Result<Self, PlanError> {
        entry.epochs.check(&entry.pattern)?;
        Ok(Self { entry, group: anchored(&entry.pattern)? })
    }

    fn matches(&self, id: ParamId, path: &str) -> bool {
        self.group.matches(&id, Some(path))
    }
}

impl LocalTraining {
    fn check(&self, pattern: &str) -> Result<(), PlanError> {
        for constraint in &self.constraints {
            constraint.check(pattern)?;
        }
        let (local, backprop) = (self.local_share, self.backprop_share);
        let share = |share: f64| share.is_finite() && share >= 0.0;
        if share(local) && share(backprop) && local + backprop > 0.0 {
            return Ok(());
        }
        Err(PlanError::Shares { pattern: pattern.to_string(), local, backprop })
    }
}

/// The path of the layer that a parameter belongs to: `conv1` of `conv1.weight`.
fn layer_path(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(layer, _)| layer)
}

fn local_layer(info: &LayerInfo, path: &str, training: &LocalTraining) -> Result<Arc<LocalLayer>, PlanError> {
    let rule = match &training.rule {
        RuleChoice::OfTheLayer => info.rule.clone(),
        RuleChoice::Rule(rule) => Some(Arc::new((**rule).clone()) as Arc<dyn LocalRule>),
        RuleChoice::Custom(rule) => Some(rule.clone()),
    };
    // a model that is a layer itself is called by its weight
    let layer = if path.is_empty() { "weight" } else { path }.to_string();
    let Some(rule) = rule else {
        return Err(PlanError::NoRule { layer });
    };
    rule.check(&info.layout).map_err(|error| PlanError::Rule { layer: layer.clone(), error })?;
    // room of another length was made for another rule
    let len = rule.initial_state(&info.layout).map_or(0, |state| state.len());
    let state = info.state.filter(|(_, room)| *room == len).map(|(id, _)| id);
    Ok(Arc::new(LocalLayer {
        path: layer,
        layout: info.layout,
        rule,
        state,
        flow: training.flow,
        local_share: training.local_share,
        backprop_share: training.backprop_share,
        constraints: training.constraints.clone(),
    }))
}
