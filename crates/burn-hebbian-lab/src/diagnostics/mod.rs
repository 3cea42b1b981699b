//! What goes on in local layers while they train.
//!
//! - [`norms`], [`lengths`], [`unit_distance`], [`update_ratio`]: lengths of weight vectors, and how far they moved
//! - [`Wins`]: how often each neuron won; dead neurons, entropy
//! - [`effective_rank`], [`participation_ratio`] of [`singular_values`] or of a [`covariance`]'s [`eigenvalues`]: how many
//!   directions weights or responses use
//! - [`principal_angles`]: how far a layer is from the principal subspace of its inputs
//! - [`Diagnostics`]: reads all of this but the angles off every local layer of a model
//! - [`Watch`]: reads while a model trains, after each epoch or every so many steps; a [`History`] to save and draw, and
//!   [metrics](Watch::metric) of burn-train

mod history;
mod layers;
mod metric;
mod quantity;
mod reader;
mod responses;
mod spectrum;
mod subspace;
mod watch;
mod weights;
mod wins;

pub use history::{History, Record};
pub use layers::{LocalWeight, local_weights};
pub use metric::WatchMetric;
pub use quantity::Quantity;
pub use reader::{Diagnostics, LayerReading};
pub use spectrum::{
    SpectrumError, covariance, effective_rank, eigenvalues, participation_ratio, singular_values,
};
pub use subspace::{Angles, principal_angles};
pub use watch::{Every, Watch};
pub use weights::{Norms, lengths, norms, unit_distance, update_ratio};
pub use wins::Wins;
