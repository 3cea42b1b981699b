//! What one forward pass through a layer computes, and what it reports.

mod apart;
mod blocks;
mod learn;
mod output;
mod recurrence;
mod responses;
mod states;

pub(crate) use apart::{learn_from, respond};
pub(crate) use learn::{Parts, forward};
pub use output::Output;
pub use recurrence::recurrence_product;
pub use states::StatePair;
pub(crate) use states::{Side, drive, feedback, observe};
