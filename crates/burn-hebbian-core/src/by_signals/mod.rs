//! Rules of layers that learn by what reaches them from outside their forward pass: signals, or whole states.

mod apical;
mod bias;
mod class_competition;
mod forward_forward;
mod given_states;

pub use apical::Apical;
pub use class_competition::ClassCompetition;
pub use forward_forward::ForwardForward;
pub use given_states::GivenStates;
