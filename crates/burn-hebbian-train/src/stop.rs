//! A training that ends because a step was refused.

use std::sync::{Mutex, PoisonError};

use burn::train::Interrupter;
use burn_hebbian_optim::{PlanError, UpdateError};

/// How a step that is refused ends the training.
#[derive(Default)]
pub(crate) struct Stop(Mutex<Ending>);

#[derive(Default)]
struct Ending {
    interrupter: Option<Interrupter>,
    reason: Option<String>,
}

impl Stop {
    /// Who is to be told.
    pub(crate) fn by(&self, interrupter: Interrupter) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Ending { interrupter: Some(interrupter), reason: None };
    }

    /// Ends the training, and keeps the first reason.
    pub(crate) fn end(&self, reason: &Refusal) {
        let mut ending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = ending.reason.get_or_insert_with(|| reason.to_string()).clone();
        if let Some(interrupter) = &ending.interrupter {
            interrupter.stop(Some(&reason));
        }
    }

    /// The first reason, if there is one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reason.clone()
    }

    /// Whether a step was refused: nothing is learned from then on.
    pub(crate) fn has_ended(&self) -> bool {
        self.reason().is_some()
    }
}

/// Why a step is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(
        "the plan has phases, and nobody counts the epochs: make the training by `PhasedTraining::training`, or let its loader count (`OrderedLoader::counted_by`)"
    )]
    Uncounted,
}
