//! The seam between layers and whoever observes a forward pass.
//!
//! An observer never watches a model itself but a copy of it, made for one pass, whose layers know that pass: each holds a
//! [`Seat`]. What no seat is held by does not teach: neither the model nor any other copy of it, whatever thread runs
//! it. A cloned layer has no seat.
//!
//! While a module is visited or mapped its local layers meet here, on the current thread, whoever asked for it:
//!
//! - [`collect`]: what the layers of a module are;
//! - [`with_binding`]: layers learn who owns them, and get room for the state of their rules;
//! - [`with_seats`]: the layers of a copy take their seats.

use std::{cell::RefCell, collections::BTreeMap, fmt, sync::Arc};

use burn::{module::ParamId, tensor::Tensor};
use burn_hebbian_core::{LocalRule, RuleError, Signals, Sums, WeightLayout};

/// Whether a backprop gradient may cross a local layer to the layers below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradientFlow {
    /// It ends here: the layer runs on plain tensors and keeps nothing for a backward pass.
    #[default]
    Block,
    /// It goes through the layer's input, as if the weight were a constant.
    Pass,
}

/// What an observer wants of a layer in a forward pass.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The rule to learn by.
    pub rule: Arc<dyn LocalRule>,
    /// Whether gradients cross the layer.
    pub flow: GradientFlow,
    /// Whether backprop has a share in the weight too, so that it stays in the autodiff graph.
    pub backprop: bool,
}

/// A forward pass that is observed. Layers are known by their place, their number in the order of the model.
pub trait Pass: Send + Sync {
    /// What to do with the layer; `None` leaves it alone.
    fn selection(&self, place: usize) -> Option<Selection>;

    /// The signals for the layer.
    fn signals(&self, place: usize) -> Signals;

    /// Takes a layer's sums; a layer that runs twice reports twice.
    fn report(&self, place: usize, sums: Sums);

    /// Takes the reason why a layer cannot learn from what it was given.
    fn refuse(&self, place: usize, reason: RuleError);

    /// Takes by how much running statistics are to move; a norm that runs twice reports twice.
    fn report_running(&self, id: ParamId, shift: Tensor<1>);
}

/// A layer's place in a pass that is observed, if it has one.
///
/// A clone has none: only the layers of the copy that the pass was made for teach.
#[derive(Default)]
pub struct Seat(Option<(Arc<dyn Pass>, usize)>);

impl Seat {
    /// The pass and the layer's place in it.
    pub fn pass(&self) -> Option<(&dyn Pass, usize)> {
        self.0.as_ref().map(|(pass, place)| (&**pass, *place))
    }
}

impl Clone for Seat {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Seat(taken)" } else { "Seat(none)" })
    }
}

/// A local layer as it announces itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerInfo {
    /// The id of its weight.
    pub weight: ParamId,
    /// Where the neurons lie in the weight.
    pub layout: WeightLayout,
    /// The id and length of the state it keeps for its rule, if any.
    pub state: Option<(ParamId, usize)>,
    /// The rule the layer carries itself, if any.
    pub rule: Option<Arc<dyn LocalRule>>,
    /// The rule that a plan bound it to, if any.
    pub learns_by: Option<Arc<dyn LocalRule>>,
    /// Whether it is in training mode, neither frozen nor a copy for validation.
    pub training: bool,
    /// Who bound it, 0 for nobody.
    pub owner: u64,
}

impl PartialEq for LayerInfo {
    /// Rules of the layers' own are the same if they are one object.
    fn eq(&self, other: &Self) -> bool {
        let address =
            |rule: &Option<Arc<dyn LocalRule>>| rule.as_ref().map(|rule| Arc::as_ptr(rule).cast::<()>());
        (self.weight, self.layout, self.state, self.training, self.owner)
            == (other.weight, other.layout, other.state, other.training, other.owner)
            && address(&self.rule) == address(&other.rule)
    }
}

/// What a module consists of, beside its parameters, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Collected {
    /// Local layers.
    pub layers: Vec<LayerInfo>,
    /// Running statistics of norms that report how these are to move, and move nothing themselves.
    pub running: Vec<ParamId>,
}

/// What layers are told when an optimizer binds them.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    /// The owner, not 0.
    pub owner: u64,
    /// The rules that layers learn by, by their place: they are to have room for the state of these. Layers that are not in
    /// it keep what they have.
    pub rules: BTreeMap<usize, Arc<dyn LocalRule>>,
}

/// What whoever visits or maps a module wants of its layers.
enum Visit {
    Collecting(Collected),
    Binding { ownership: Arc<Ownership>, place: usize },
    Seating { pass: Arc<dyn Pass>, found: Collected },
}

std::thread_local! {
    static VISITS: RefCell<Vec<Visit>> = const { RefCell::new(Vec::new()) };
}

/// Runs `traverse`, a visit or map of a module, for `visit`; what became of it.
fn with_visit<R>(visit: Visit, traverse: impl FnOnce() -> R) -> (R, Visit) {
    /// Pops by a panic too.
    struct Scope;
    impl Drop for Scope {
        fn drop(&mut self) {
            VISITS.with_borrow_mut(|visits| visits.pop());
        }
    }
    VISITS.with_borrow_mut(|visits| visits.push(visit));
    let scope = Scope;
    let result = traverse();
    let done =
        VISITS.with_borrow_mut(|visits| std::mem::replace(visits.last_mut().expect("pushed above"), NOTHING));
    drop(scope);
    (result, done)
}

/// Leaves nothing to do.
const NOTHING: Visit = Visit::Collecting(Collected { layers: Vec::new(), running: Vec::new() });

/// What the layers are that register themselves while `traverse` visits or maps a module.
pub fn collect<R>(traverse: impl FnOnce() -> R) -> (R, Collected) {
    match with_visit(NOTHING, traverse) {
        (result, Visit::Collecting(found)) => (result, found),
        (result, _) => (result, Collected::default()),
    }
}

/// Runs `map`, a mapping of a module, in which layers learn who owns them and find the initial state of their rules.
pub fn with_binding<R>(ownership: Ownership, map: impl FnOnce() -> R) -> R {
    with_visit(Visit::Binding { ownership: Arc::new(ownership), place: 0 }, map).0
}

/// Runs `map`, a mapping of a copy of a module, in which layers take their seats; and what the layers are.
pub fn with_seats<R>(pass: Arc<dyn Pass>, map: impl FnOnce() -> R) -> (R, Collected) {
    match with_visit(Visit::Seating { pass, found: Collected::default() }, map) {
        (result, Visit::Seating { found, .. }) => (result, found),
        (result, _) => (result, Collected::default()),
    }
}

/// What a layer hears while it is mapped.
#[derive(Default)]
#[non_exhaustive]
pub struct Call {
    /// Its seat, if the module is a copy for a pass.
    pub seat: Option<Seat>,
    /// Its owner, if the module is bound.
    pub owner: Option<u64>,
    /// The rule that it learns by, if it is bound to one.
    pub rule: Option<Arc<dyn LocalRule>>,
}

/// Called by a local layer while it is visited or mapped; free when nobody asks.
pub fn register(layer: impl FnOnce() -> LayerInfo) -> Call {
    VISITS.with_borrow_mut(|visits| match visits.last_mut() {
        None => Call::default(),
        Some(Visit::Collecting(found)) => {
            found.layers.push(layer());
            Call::default()
        }
        Some(Visit::Binding { ownership, place }) => {
            let rule = ownership.rules.get(place).cloned();
            *place += 1;
            Call { owner: Some(ownership.owner), rule, seat: None }
        }
        Some(Visit::Seating { pass, found }) => {
            let seat = Seat(Some((pass.clone(), found.layers.len())));
            found.layers.push(layer());
            Call { seat: Some(seat), ..Call::default() }
        }
    })
}

/// Called by a norm with running statistics while it is visited or mapped.
pub fn register_running(running: impl FnOnce() -> [ParamId; 2]) -> Call {
    VISITS.with_borrow_mut(|visits| match visits.last_mut() {
        None => Call::default(),
        Some(Visit::Collecting(found)) => {
            found.running.extend(running());
            Call::default()
        }
        Some(Visit::Binding { ownership, .. }) => Call { owner: Some(ownership.owner), ..Call::default() },
        Some(Visit::Seating { pass, found }) => {
            found.running.extend(running());
            Call { seat: Some(Seat(Some((pass.clone(), usize::MAX)))), ..Call::default() }
        }
    })
}
