//! First-spike networks: neurons that integrate without a leak and spike once at most.
//!
//! Inputs are cumulative waves, in which a spike stays 1, so that the potential at a step is what a layer makes of the wave at this step:
//! there is no state, and all steps are one batch. Learning is by [`Rule::rank_order_stdp`](burn_hebbian_core::Rule::rank_order_stdp) of
//! the winners.
//!
//! Source: S. R. Kheradpisheh, M. Ganjtabesh, S. J. Thorpe and T. Masquelier, *Neural Networks* 99 (2018),
//! doi:10.1016/j.neunet.2017.12.005; M. Mozafari et al., *Pattern Recognit.* 94 (2019), doi:10.1016/j.patcog.2019.05.015.

mod fire;
mod inhibition;
mod layer;
mod winners;

pub use fire::{fire, fire_last};
pub use inhibition::{inhibit, inhibited};
pub use layer::{FirstSpikes, Learned};
pub use winners::{Winners, winners};
