//! What can be wrong with a rule's configuration, found before training starts.

use alloc::{string::String, vec::Vec};

/// A rule that cannot train the layer it was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// More winners than neurons that compete, or none.
    #[error("k-winners: k must be in 1..={neurons}, got {k}")]
    Winners {
        /// The configured number of winners.
        k: usize,
        /// Neurons in one group of the layer.
        neurons: usize,
    },
    /// A competition among fewer than two neurons.
    #[error(
        "{competition}: competition acts within a group and needs at least 2 neurons there, got {neurons} \
         (neurons / groups = {total} / {groups})"
    )]
    GroupTooSmall {
        /// The name of the competition.
        competition: &'static str,
        /// Neurons in one group of the layer.
        neurons: usize,
        /// Neurons of the whole layer.
        total: usize,
        /// Groups of the layer.
        groups: usize,
    },
    /// A value that must be positive and finite is not.
    #[error("{name}: must be positive and finite, got {value}")]
    NotPositive {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A value that must be at least 1 is not.
    #[error("{name}: must be finite and at least 1, got {value}")]
    BelowOne {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A share, target or momentum outside 0..=1.
    #[error("{name}: must be in 0..=1, got {value}")]
    NotAShare {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A rank to push away that is the winner's, or that no neuron has.
    #[error("ranked competition: k must be in 2..={neurons}, got {k}")]
    Rank {
        /// The configured rank.
        k: usize,
        /// Neurons in one group of the layer.
        neurons: usize,
    },
    /// A map whose cells are not the neurons of a group.
    #[error(
        "map: 1 to 3 axes with one cell for each of the group's {neurons} neurons, got {size:?} with {cells} cells"
    )]
    Map {
        /// The configured size.
        size: Vec<usize>,
        /// Its number of cells.
        cells: usize,
        /// Neurons in one group of the layer.
        neurons: usize,
    },
    /// A value that must be finite is not.
    #[error("{name}: must be finite, got {value}")]
    NotFinite {
        /// The name of the value.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// Class groups that do not fit into the layer's neurons.
    #[error(
        "teacher groups: {classes} classes of {per_class} neurons need {needed} neurons, the layer has {neurons}"
    )]
    TeacherTooWide {
        /// Number of classes.
        classes: usize,
        /// Neurons reserved for each class.
        per_class: usize,
        /// Neurons needed for all classes.
        needed: usize,
        /// Neurons of the layer.
        neurons: usize,
    },
    /// Class groups without a class or without a neuron.
    #[error(
        "teacher groups: classes and neurons per class must be at least 1, got {classes} and {per_class}"
    )]
    TeacherEmpty {
        /// Number of classes.
        classes: usize,
        /// Neurons reserved for each class.
        per_class: usize,
    },
    /// A surround kernel without a centre.
    #[error("surround modulation: the size must be odd, got {size}")]
    SurroundSize {
        /// The configured size.
        size: usize,
    },
    /// A surround that is not wider than its centre.
    #[error("surround modulation: the surround must be wider than the centre, got {surround} and {center}")]
    SurroundWidths {
        /// The configured width of the centre.
        center: f64,
        /// The configured width of the surround.
        surround: f64,
    },
    /// Stages that contradict each other.
    #[error("{0}")]
    Stages(&'static str),
    /// An error of a rule outside this crate.
    #[error("{0}")]
    Custom(String),
}

/// Refuses a value that is not positive and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<(), RuleError> {
    if value.is_finite() && value > 0.0 { Ok(()) } else { Err(RuleError::NotPositive { name, value }) }
}

/// Refuses a value that is not finite.
pub(crate) fn finite(name: &'static str, value: f64) -> Result<(), RuleError> {
    if value.is_finite() { Ok(()) } else { Err(RuleError::NotFinite { name, value }) }
}

/// Refuses a value below 1.
pub(crate) fn at_least_one(name: &'static str, value: f64) -> Result<(), RuleError> {
    if value.is_finite() && value >= 1.0 { Ok(()) } else { Err(RuleError::BelowOne { name, value }) }
}

/// Refuses a value that is no share.
pub(crate) fn share(name: &'static str, value: f64) -> Result<(), RuleError> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(RuleError::NotAShare { name, value }) }
}
