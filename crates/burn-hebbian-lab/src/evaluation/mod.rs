//! What features are worth.
//!
//! Classifiers on fixed features, each with `guesses` and `accuracy`:
//!
//! - [`ProbeConfig`]: softmax regression by SGD or Adam, as the literature trains it
//! - [`RidgeConfig`]: a linear classifier in closed form
//! - [`FactoredConfig`]: one in two factors, for more features than memory holds
//! - [`NeighborsConfig`]: the nearest training features
//! - [`TeacherNeurons`], [`TeacherConfig`]: one neuron a class, its mean or what the rule makes of it
//!
//! Without a classifier:
//!
//! - [`RetrievalConfig`]: what is near is of the same class
//!
//! Results:
//!
//! - [`Scores`], [`LayerScores`]: accuracies on the three sets
//! - [`Summary`], [`Paired`]: over seeds
//! - [`accuracy`]: the share of right guesses of any network
//! - [`EvaluationError`]: what can be wrong

mod distance;
mod error;
mod factored;
mod features;
#[cfg(test)]
mod fixtures;
mod neighbors;
mod probe;
mod retrieval;
mod ridge;
mod score;
mod scores;
mod statistics;
mod teacher;

pub use distance::Metric;
pub use error::EvaluationError;
pub use factored::{Factored, FactoredConfig, FactoredProgress, FeatureRows};
pub use neighbors::NeighborsConfig;
pub use probe::{Probe, ProbeConfig, ProbeEpoch, ProbeInit, ProbeOptimizer, ProbeProgress};
pub use retrieval::{Retrieval, RetrievalConfig, average_precision};
pub use ridge::{Ridge, RidgeConfig};
pub use score::accuracy;
pub use scores::{LayerScores, Scores};
pub use statistics::{Paired, Summary};
pub use teacher::{TeacherConfig, TeacherNeurons};
