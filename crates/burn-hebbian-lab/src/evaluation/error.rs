//! What can be wrong with features, or with what is asked of them.

use burn_hebbian_core::RuleError;
use burn_hebbian_optim::{PlanError, UpdateError};

/// Why features could not be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// There is nothing to evaluate.
    #[error("no {set} features")]
    Empty {
        /// Which features.
        set: &'static str,
    },
    /// A set's features are not of the length of the training features.
    #[error("the {set} features have {got} values each, the training features {expected}")]
    Length {
        /// Which features.
        set: &'static str,
        /// Values of one of them.
        got: usize,
        /// Values of a training feature.
        expected: usize,
    },
    /// Two lists that belong together are of different lengths.
    #[error("{got} {what}, {expected} are needed")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A label that is none of the classes.
    #[error("{set} feature {index} is labeled {label}, but the classes are 0..{classes}")]
    Label {
        /// Which features.
        set: &'static str,
        /// Its place.
        index: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A class without a training feature.
    #[error("no training feature is labeled {class}, one of the classes 0..{classes}")]
    NoExample {
        /// The class.
        class: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A NaN or an infinity among the features.
    #[error("{set} feature {index} holds {value}")]
    NotFinite {
        /// Which features.
        set: &'static str,
        /// Its place.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A setting out of its range.
    #[error("{name} must be {range}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it may be.
        range: &'static str,
        /// What it is.
        got: f64,
    },
    /// A number of neighbors or places that is 0, or above that of the features.
    #[error("{name} must be in 1..={most}, got {got}")]
    Places {
        /// The setting.
        name: &'static str,
        /// The most it may be.
        most: usize,
        /// What it is.
        got: usize,
    },
    /// The loss left the finite numbers; a lower rate may help.
    #[error("the loss was {loss} in epoch {epoch} of the probe at rate {rate}")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// Its mean loss.
        loss: f64,
        /// Its learning rate.
        rate: f64,
    },
    /// A matrix of the features that a penalty does not make positive definite.
    #[error(
        "the {size}×{size} matrix of the features is singular at penalty {penalty}; a larger one may help"
    )]
    Singular {
        /// Its rows.
        size: usize,
        /// The penalty.
        penalty: f64,
    },
    /// Features that could not be read.
    #[error("feature {index} cannot be read: {reason}")]
    Unreadable {
        /// Its place.
        index: usize,
        /// Why.
        reason: String,
    },
    /// A layer that cannot learn by its rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A plan that does not fit a layer.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A step that could not be taken.
    #[error(transparent)]
    Update(#[from] UpdateError),
}
