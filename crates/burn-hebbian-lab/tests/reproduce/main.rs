//! The runner of `--example reproduce` on a tiny synthetic data set: whole tables, restarts, files, errors.
//!
//! Networks train and images of 32 × 32 pixels are whitened here, which takes minutes without optimization: these tests are
//! run by
//! `cargo test --release -p burn-hebbian-lab --features reproduce,ndarray --test reproduce`.
#![cfg(not(debug_assertions))]

mod data;
mod digits;
mod errors;
mod experiment;
mod files;
mod protocols;
mod restarts;
mod tables;

/// Counts what the networks allocate.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
