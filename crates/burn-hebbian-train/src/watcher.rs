//! Who looks at a model while it trains.

use std::{any::Any, fmt, sync::Arc};

/// Looks at a model while it trains; on the training's own thread, so a look takes the training's time.
///
/// A [`Hybrid`](crate::Hybrid) calls its watcher if [`PhasedTraining::watched_learner`](crate::PhasedTraining::watched_learner) gave it one;
/// trainings of other kinds call it themselves.
pub trait Watcher<M>: Send + Sync {
    /// Called at each of these moments.
    fn see(&self, model: &M, moment: Moment);
}

/// When a watcher sees the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// Before the forward pass of a training step, or of a micro-batch of one.
    BeforeStep,
    /// After the weights changed.
    AfterStep,
    /// Before each forward pass of a validation, the model being [`valid`](burn::module::Module::valid).
    InValidation,
}

type Erased = dyn Fn(&dyn Any, Moment) + Send + Sync;

/// A watcher without the type of its model, which no skipped field of a module may have.
#[derive(Clone)]
pub(crate) struct Watching(Arc<Erased>);

impl Watching {
    pub(crate) fn new<M: 'static>(watcher: impl Watcher<M> + 'static) -> Self {
        Self(Arc::new(move |model, moment| {
            if let Some(model) = model.downcast_ref::<M>() {
                watcher.see(model, moment);
            }
        }))
    }

    pub(crate) fn see<M: 'static>(&self, model: &M, moment: Moment) {
        (self.0)(model, moment);
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}
