//! Spiking layers for [Burn](burn) that learn by the timing of spikes.
//!
//! Synapses are the layers of [`burn_hebbian_nn`], of any geometry; what is here lies around them: what makes spikes of images,
//! the neurons that make spikes of currents, and what turns the spikes of both sides into what a layer learns from.
//!
//! ```text
//! images ─ encode ─→ Train ─ Synapses::currents ─→ neuron ─→ Train
//!                      └──────── Synapses::learn_from ────────┘
//! ```
//!
//! Time is a part of the batch: a [`Train`] has steps × images images, time outermost, so that one convolution serves all steps, and
//! one correlation all that a layer learns in them. State is explicit: an argument and an answer, never in a record.
//!
//! - [`encode`]: differences of Gaussians, local normalization, latencies, rates.
//! - [`neuron`]: leaky and perfect integrators, resets, refractory times, surrogate gradients, adaptive thresholds.
//! - [`first_spike`]: networks in which every neuron spikes once at most.
//! - [`stdp`]: traces step by step, folding of time, eligibility.
//! - [`readout`]: counts, first spikes, decisions.
//!
//! The rules themselves are [`Rule::stdp`](burn_hebbian_core::Rule::stdp) and
//! [`Rule::rank_order_stdp`](burn_hebbian_core::Rule::rank_order_stdp).
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod encode;
mod error;
pub mod first_spike;
pub mod neuron;
pub mod readout;
pub mod stdp;
mod train;

pub use error::SpikeError;
pub use train::Train;
