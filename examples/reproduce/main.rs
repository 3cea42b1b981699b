//! The tables of the literature, each reproduced by one command.
//!
//! ```text
//! cargo run --release --example reproduce -- --list
//! cargo run --release --example reproduce -- thesis-layers --data DIR --out DIR --scale small
//! ```
//!
//! What it runs is in `burn_hebbian::lab::reproduce`.

use anyhow::Result;
use burn_hebbian::lab::reproduce::Args;
use burn_hebbian_examples as _;
use clap::Parser;

fn main() -> Result<()> {
    Args::parse().run()
}
