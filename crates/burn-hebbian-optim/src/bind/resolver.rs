//! From a plan and a model's parameters to who trains each of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use burn::{
    module::{ParamGroup, ParamGroupError, ParamId},
    tensor::Device,
};
use burn_hebbian_core::{GivenStates, LocalRule};
use burn_hebbian_nn::observe::LayerInfo;

use super::{Assignment, Key, LocalLayer, Parameter, Role, Survey};
use crate::{
    LocalTraining, PlanError,
    plan::{Entry, EntryKind, Plan, Rest, RuleChoice},
};

/// What trains each parameter of the surveyed model in an epoch; every pattern and every rule is checked, but for what has
/// been frozen since.
pub(crate) fn resolve(
    plan: &Plan,
    epoch: usize,
    survey: &Survey,
    shared: &HashSet<ParamId>,
) -> Result<Assignment, PlanError> {
    let assignment = Resolver::new(plan, epoch, survey, shared)?.resolve()?;
    check_bias(&assignment.layers, &assignment.parameters)?;
    check_tied(&assignment.parameters)?;
    Ok(assignment)
}

/// What would train each parameter if nothing were frozen in the model: what is frozen now may thaw at any time.
pub(crate) fn resolve_thawed(
    plan: &Plan,
    epoch: usize,
    survey: &Survey,
    shared: &HashSet<ParamId>,
) -> Result<Assignment, PlanError> {
    Resolver::new(plan, epoch, &survey.thawed(), shared)?.resolve()
}

/// An entry with its pattern compiled.
struct Compiled<'a> {
    number: usize,
    entry: &'a Entry,
    group: ParamGroup,
    /// Whether it holds in the epoch.
    holds: bool,
}

impl Compiled<'_> {
    fn matches(&self, path: &str) -> bool {
        // patterns look at paths alone
        self.group.matches(&ParamId::from(0), Some(path))
    }
}

/// What a parameter is to a plan.
#[derive(Clone, Copy)]
enum Kind {
    /// The weight of the local layer at this place.
    Weight(usize),
    /// The state of a local layer's rule.
    State(usize),
    /// Another parameter of the local layer at this place: its bias.
    Beside(usize),
    Running {
        shared: bool,
    },
    /// Any other parameter.
    Plain,
}

struct Resolver<'a> {
    rest: Rest,
    check_every: Option<usize>,
    entries: Vec<Compiled<'a>>,
    survey: &'a Survey,
    shared: &'a HashSet<ParamId>,
    /// The parameters that are weights of local layers, by their place.
    weights: Vec<usize>,
}

impl<'a> Resolver<'a> {
    fn new(
        plan: &'a Plan,
        epoch: usize,
        survey: &'a Survey,
        shared: &'a HashSet<ParamId>,
    ) -> Result<Self, PlanError> {
        let compile = |(number, entry): (usize, &'a Entry)| {
            entry.check()?;
            let group = anchored(&entry.pattern)?;
            Ok(Compiled { number, entry, group, holds: entry.epochs.contain(epoch) })
        };
        let entries = plan.entries().iter().enumerate().map(compile).collect::<Result<_, PlanError>>()?;
        let check_every = plan.finite_check_every();
        Ok(Self { rest: plan.rest(), check_every, entries, survey, shared, weights: weights(survey) })
    }

    fn resolve(self) -> Result<Assignment, PlanError> {
        self.entries.iter().try_for_each(|compiled| self.check_matches(compiled))?;
        let layers = (0..self.weights.len()).map(|place| self.layer(place)).collect::<Result<Vec<_>, _>>()?;
        let parameters: Vec<Parameter> =
            (0..self.survey.paths.len()).map(|number| self.parameter(number, &layers)).collect();
        let key = Key { leaves: self.survey.leaves.clone(), found: self.survey.found.clone() };
        let shares_running =
            parameters.iter().any(|parameter| parameter.role == Role::Running { shared: true });
        let frozen_flags = self.survey.flags.iter().map(|path| self.freezes(path)).collect();
        let check_every =
            self.check_every.unwrap_or_else(|| self.survey.device.as_ref().map_or(1, default_steps));
        Ok(Assignment { key, parameters, layers, frozen_flags, check_every, shares_running })
    }

    /// Whether the plan freezes the module of a flag: norms then take their running statistics, as if the model had been
    /// frozen there.
    fn freezes(&self, path: &str) -> bool {
        let concerned =
            |compiled: &&Compiled| compiled.holds && !compiled.entry.is_local() && compiled.matches(path);
        let last = self.entries.iter().rev().find(concerned);
        last.is_some_and(|compiled| matches!(compiled.entry.training, EntryKind::Frozen))
    }

    fn parameter(&self, number: usize, layers: &[Option<Arc<LocalLayer>>]) -> Parameter {
        let deciding = self.deciding(number);
        Parameter {
            id: self.survey.leaves[number].id,
            path: self.survey.paths[number].clone(),
            shape: self.survey.shapes[number].clone(),
            role: self.role(number, layers),
            entry: deciding.map(|compiled| compiled.number),
            optional: deciding.is_some_and(|compiled| compiled.entry.optional),
        }
    }

    /// The last entry that matches a parameter, that holds, and that concerns it.
    fn deciding(&self, number: usize) -> Option<&Compiled<'a>> {
        let path = &self.survey.paths[number];
        let local = !matches!(self.kind(number), Kind::Plain | Kind::Running { .. });
        let concerned = |compiled: &&Compiled| {
            compiled.holds && (local || !compiled.entry.is_local()) && compiled.matches(path)
        };
        self.entries.iter().rev().find(concerned)
    }

    /// Whether an entry that does not hold matches the parameter: its time is over, or has not come.
    fn is_out_of_time(&self, number: usize) -> bool {
        let local = !matches!(self.kind(number), Kind::Plain | Kind::Running { .. });
        let path = &self.survey.paths[number];
        self.entries.iter().any(|compiled| (local || !compiled.entry.is_local()) && compiled.matches(path))
    }

    fn role(&self, number: usize, layers: &[Option<Arc<LocalLayer>>]) -> Role {
        let learns = |place: usize| layers[place].is_some();
        match self.kind(number) {
            Kind::Running { shared } => Role::Running { shared },
            Kind::State(place) if learns(place) => Role::State(place),
            Kind::State(_) => Role::Frozen,
            Kind::Weight(place) if learns(place) => Role::Local(place),
            Kind::Beside(place) if learns(place) => self.role_beside(number, place, layers),
            // a local layer in its training mode, or a plain one: by backprop or not at all
            Kind::Weight(place) | Kind::Beside(place) if !self.survey.found.layers[place].training => {
                Role::Frozen
            }
            _ if !self.survey.leaves[number].active => Role::Frozen,
            _ => self.role_of_plain(number),
        }
    }

    /// The role of the bias of a layer that learns locally.
    fn role_beside(&self, number: usize, place: usize, layers: &[Option<Arc<LocalLayer>>]) -> Role {
        let learned = layers[place].as_ref().is_some_and(|layer| layer.rule.learns_bias());
        match self.deciding(number).map(|compiled| &compiled.entry.training) {
            Some(EntryKind::Backprop) if self.survey.leaves[number].active => Role::Backprop,
            Some(EntryKind::Backprop | EntryKind::Frozen) => Role::Frozen,
            _ if learned => Role::Bias(place),
            _ => Role::Frozen,
        }
    }

    fn role_of_plain(&self, number: usize) -> Role {
        match self.deciding(number).map(|compiled| &compiled.entry.training) {
            Some(EntryKind::Backprop) => Role::Backprop,
            // the layer has a rule that does not learn now: it is frozen
            Some(EntryKind::Frozen | EntryKind::Local(_)) => Role::Frozen,
            None if self.is_out_of_time(number) => Role::Frozen,
            None => self.role_of_rest(),
        }
    }

    fn role_of_rest(&self) -> Role {
        match self.rest {
            Rest::Backprop => Role::Backprop,
            Rest::Frozen => Role::Frozen,
        }
    }

    fn kind(&self, number: usize) -> Kind {
        let id = self.survey.leaves[number].id;
        let found = &self.survey.found;
        if found.running.contains(&id) {
            return Kind::Running { shared: false };
        }
        if self.shared.contains(&id) {
            return Kind::Running { shared: true };
        }
        if let Some(place) = self.weights.iter().position(|weight| *weight == number) {
            return Kind::Weight(place);
        }
        let within = |weight: &usize| {
            layer_path(&self.survey.paths[*weight]) == layer_path(&self.survey.paths[number])
        };
        match self.weights.iter().position(within) {
            Some(place) if found.layers[place].state.is_some_and(|(state, _)| state == id) => {
                Kind::State(place)
            }
            Some(place) => Kind::Beside(place),
            None => Kind::Plain,
        }
    }

    /// The layer at this place, if it learns locally.
    fn layer(&self, place: usize) -> Result<Option<Arc<LocalLayer>>, PlanError> {
        let (info, weight) = (&self.survey.found.layers[place], self.weights[place]);
        let of_the_layer = LocalTraining::of_the_layer();
        let deciding = self.deciding(weight);
        let training = match deciding.map(|compiled| &compiled.entry.training) {
            Some(EntryKind::Local(training)) => &**training,
            None if info.rule.is_some() && !self.is_out_of_time(weight) => &of_the_layer,
            _ => return Ok(None),
        };
        training.check(deciding.map_or("", |compiled| &compiled.entry.pattern))?;
        let optional = deciding.is_some_and(|compiled| compiled.entry.optional);
        let layer = self.local_layer(info, weight, training, optional)?;
        let awake = info.training && self.survey.leaves[weight].active;
        Ok(awake.then(|| Arc::new(layer)))
    }

    fn local_layer(
        &self,
        info: &LayerInfo,
        weight: usize,
        training: &LocalTraining,
        optional: bool,
    ) -> Result<LocalLayer, PlanError> {
        let path = layer_name(&self.survey.paths[weight]).to_string();
        let rule = match &training.rule {
            RuleChoice::OfTheLayer => info.rule.clone(),
            RuleChoice::GivenStates => Some(Arc::new(GivenStates) as Arc<dyn LocalRule>),
            RuleChoice::Rule(rule) => Some(Arc::new((**rule).clone()) as Arc<dyn LocalRule>),
            RuleChoice::Custom(rule) => Some(rule.rule().clone()),
            RuleChoice::Named(named) => return Err(named.unread()),
        };
        let Some(rule) = rule else {
            return Err(PlanError::NoRule { layer: path });
        };
        rule.check(&info.layout).map_err(|error| PlanError::Rule { layer: path.clone(), error })?;
        Ok(LocalLayer {
            path,
            weight,
            layout: info.layout,
            rule,
            flow: training.flow,
            local_share: training.local_share,
            backprop_share: training.backprop_share,
            constraints: training.constraints.clone(),
            optional,
        })
    }

    /// A pattern that selects nothing is a mistake, found before time is spent.
    fn check_matches(&self, compiled: &Compiled) -> Result<(), PlanError> {
        let pattern = || compiled.entry.pattern.clone();
        let paths = &self.survey.paths;
        let matched: Vec<usize> =
            (0..paths.len()).filter(|number| compiled.matches(&paths[*number])).collect();
        let Some(first) = matched.first() else {
            return Err(PlanError::MatchesNothing { pattern: pattern(), paths: paths.join(", ") });
        };
        if compiled.entry.is_local() && !matched.iter().any(|number| self.weights.contains(number)) {
            return Err(PlanError::NotLocal { pattern: pattern(), path: paths[*first].clone() });
        }
        Ok(())
    }
}

/// A pattern that decides about nothing but what is frozen in the model teaches nobody: a mistake when a plan is bound.
pub(crate) fn check_frozen(plan: &Plan, assignment: &Assignment) -> Result<(), PlanError> {
    for (number, entry) in plan.entries().iter().enumerate() {
        let decided = |parameter: &&Parameter| parameter.entry == Some(number);
        let mut decided = assignment.parameters.iter().filter(decided).peekable();
        let Some(first) = decided.peek().map(|parameter| parameter.path.clone()) else { continue };
        let frozen = decided.all(|parameter| matches!(parameter.role, Role::Frozen | Role::Running { .. }));
        if frozen && !matches!(entry.training, EntryKind::Frozen) {
            return Err(PlanError::Frozen { pattern: entry.pattern.clone(), path: first });
        }
    }
    Ok(())
}

/// The local layers of a model, as they are called, that this owner did not bind.
pub(crate) fn strangers(survey: &Survey, owner: u64) -> impl Iterator<Item = String> {
    let layers = survey.found.layers.iter().zip(weights(survey));
    let strange = layers.filter(move |(layer, _)| layer.owner != owner);
    strange.map(|(_, weight)| layer_name(&survey.paths[weight]).to_string())
}

/// Where in a model's order the weights of its local layers are; clones of one layer have the same id.
fn weights(survey: &Survey) -> Vec<usize> {
    let mut from = 0;
    let mut next = |layer: &LayerInfo| {
        let found = survey.leaves[from..].iter().position(|leaf| leaf.id == layer.weight);
        let number = from + found.expect("a local layer visits its weight");
        from = number + 1;
        number
    };
    survey.found.layers.iter().map(&mut next).collect()
}

/// Refuses layers without the bias that their rule learns.
fn check_bias(layers: &[Option<Arc<LocalLayer>>], parameters: &[Parameter]) -> Result<(), PlanError> {
    let learns = |place| parameters.iter().any(|parameter| parameter.role == Role::Bias(place));
    let learning = layers.iter().enumerate().filter_map(|(place, layer)| Some((place, layer.as_ref()?)));
    for (place, layer) in learning {
        if layer.rule.needs_bias() && !learns(place) {
            return Err(PlanError::NoBias { layer: layer.path.clone() });
        }
    }
    Ok(())
}

/// Refuses one parameter under two paths: a gradient has one id, and would reach one of them.
fn check_tied(parameters: &[Parameter]) -> Result<(), PlanError> {
    let mut known: HashMap<ParamId, &Parameter> = HashMap::new();
    for parameter in parameters {
        let Some(first) = known.insert(parameter.id, parameter) else { continue };
        if [first.role, parameter.role].iter().any(|role| *role != Role::Frozen) {
            return Err(PlanError::Tied { first: first.path.clone(), second: parameter.path.clone() });
        }
    }
    Ok(())
}

/// The parameters of a pattern: it matches a whole path, or a whole leading part of one.
fn anchored(pattern: &str) -> Result<ParamGroup, PlanError> {
    let anchored = format!(r"^(?:{pattern})(?:\.|$)");
    ParamGroup::from_regex(anchored).map_err(|ParamGroupError::InvalidPatternError(reason)| {
        PlanError::Pattern { pattern: pattern.to_string(), reason }
    })
}

/// The path of the layer that a parameter belongs to: `conv1` of `conv1.weight`.
fn layer_path(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// What a layer is called: by its path, or by its weight if it is the model itself.
fn layer_name(weight: &str) -> &str {
    match layer_path(weight) {
        "" => weight,
        path => path,
    }
}

/// Steps between two looks on a device that works asynchronously.
const ASYNCHRONOUS_STEPS: usize = 100;

/// Steps between two looks, if nobody chose them.
fn default_steps(device: &Device) -> usize {
    // A device does not say whether it is asynchronous; all CubeCL runtimes are.
    if format!("{device:?}").contains("Cube") { ASYNCHRONOUS_STEPS } else { 1 }
}
