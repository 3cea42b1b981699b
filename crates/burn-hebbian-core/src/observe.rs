//! The seam between layers and the local optimizer.
//!
//! Layers and optimizer do not know each other; they meet here, on the current thread, by parameter id:
//!
//! - while a module is visited, its local layers [`announce`] what they are to whoever takes a [`census`];
//! - while an [`Observer`] is installed by [`with_observer`], each local layer asks it what to do and reports
//!   its [`Sums`].
//!
//! Nothing is stored in a layer between calls: cloning, forking, saving and worker threads are safe.

use alloc::{collections::BTreeMap, rc::Rc, sync::Arc, vec::Vec};
use burn::module::ParamId;
use core::cell::RefCell;

use crate::{LocalRule, Signals, Sums, WeightLayout};

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

/// What an observer wants of a layer in this forward pass.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The rule to learn by.
    pub rule: Arc<dyn LocalRule>,
    /// Whether gradients cross the layer.
    pub flow: GradientFlow,
    /// Whether backprop has a share in the weight too, so that it stays in the autodiff graph.
    pub backprop: bool,
}

/// A local layer as it announces itself.
#[derive(Debug, Clone)]
pub struct LayerInfo {
    /// The id of its weight, by which everything else refers to it.
    pub weight: ParamId,
    /// Where the neurons lie in the weight.
    pub layout: WeightLayout,
    /// The id and length of the state it keeps for its rule, if any.
    pub state: Option<(ParamId, usize)>,
    /// The rule the layer carries itself, if any.
    pub rule: Option<Arc<dyn LocalRule>>,
}

/// Who observes a forward pass.
pub trait Observer {
    /// What to do with the layer of this weight; `None` leaves it alone.
    fn selection(&self, weight: ParamId) -> Option<Selection>;

    /// The signals for the layer of this weight.
    fn signals(&self, weight: ParamId) -> Signals;

    /// Takes a layer's sums; a layer that runs twice reports twice.
    fn report(&self, weight: ParamId, sums: Sums);
}

std::thread_local! {
    static OBSERVERS: RefCell<Vec<Rc<dyn Observer>>> = const { RefCell::new(Vec::new()) };
    static PROVISIONS: RefCell<Vec<Provisions>> = const { RefCell::new(Vec::new()) };
    static CENSUS: RefCell<Vec<Vec<LayerInfo>>> = const { RefCell::new(Vec::new()) };
}

/// The initial state of rules, by the id of the weight.
pub type Provisions = BTreeMap<u64, Vec<f32>>;

/// Pops a thread-local stack when the scope ends, by a panic too.
struct Scope<T: 'static>(&'static std::thread::LocalKey<RefCell<Vec<T>>>);

impl<T> Scope<T> {
    fn push(stack: &'static std::thread::LocalKey<RefCell<Vec<T>>>, value: T) -> Self {
        stack.with_borrow_mut(|stack| stack.push(value));
        Self(stack)
    }
}

impl<T> Drop for Scope<T> {
    fn drop(&mut self) {
        self.0.with_borrow_mut(|stack| stack.pop());
    }
}

/// Runs `forward` with `observer` installed on the current thread; the innermost observer is asked.
pub fn with_observer<R>(observer: Rc<dyn Observer>, forward: impl FnOnce() -> R) -> R {
    let _scope = Scope::push(&OBSERVERS, observer);
    forward()
}

/// The observer of the current thread, if any.
pub fn observer() -> Option<Rc<dyn Observer>> {
    OBSERVERS.with_borrow(|stack| stack.last().cloned())
}

/// Runs `map`, a mapping of a module, in which local layers find the initial state of their rules.
pub fn with_provisions<R>(provisions: Provisions, map: impl FnOnce() -> R) -> R {
    let _scope = Scope::push(&PROVISIONS, provisions);
    map()
}

/// The initial state for the layer of this weight, called by the layer while it is mapped.
pub fn provision(weight: ParamId) -> Option<Vec<f32>> {
    PROVISIONS.with_borrow(|stack| stack.last()?.get(&weight.val()).cloned())
}

/// The local layers that announce themselves while `visit` visits a module.
pub fn census(visit: impl FnOnce()) -> Vec<LayerInfo> {
    let _scope = Scope::push(&CENSUS, Vec::new());
    visit();
    CENSUS.with_borrow_mut(|stack| stack.last_mut().map(core::mem::take).unwrap_or_default())
}

/// Called by a local layer while it is visited; free when nobody takes a census.
pub fn announce(layer: impl FnOnce() -> LayerInfo) {
    if CENSUS.with_borrow(|stack| stack.is_empty()) {
        return;
    }
    let layer = layer();
    CENSUS.with_borrow_mut(|stack| {
        if let Some(census) = stack.last_mut() {
            census.push(layer);
        }
    });
}
