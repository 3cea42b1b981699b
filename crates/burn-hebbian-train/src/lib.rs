//! Hybrid training in [burn-train](burn::train).
//!
//! - [`Course`]: a plan over the epochs of one training; makes the [`Learner`](burn::train::Learner) of a [`Classifier`]
//! - [`OrderedLoader`]: batches in an order that a training can be resumed with
//! - [`EpochCounter`]: the epoch that runs, counted by the loader, followed by the course
//! - [`pipeline`]: all stages of a network learning at once, each on a thread or device of its own
//! - [`Calm`], [`renderer`]: one line an epoch where the output is no terminal

mod calm;
mod course;
mod epochs;
mod hybrid;
mod loader;
mod order;
pub mod pipeline;
mod rates;

pub use calm::{Calm, renderer};
pub use course::{Course, CourseError};
pub use epochs::EpochCounter;
pub use hybrid::{Batch, Classifier, Hybrid};
pub use loader::OrderedLoader;
pub use rates::RateError;
