//! The tables of the literature, each reproduced by one command.
//!
//! ```text
//! cargo run --release --example reproduce -- --list
//! cargo run --release --example reproduce -- thesis-layers --data DIR --out DIR --scale small
//! ```

mod config;
mod lab;
mod net;
mod results;
mod run;

use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::Device;
use clap::{Parser, ValueEnum};
use config::{EXPERIMENTS, Experiment};
use lab::{Images, Setting};

/// Reproduce a table of the literature.
#[derive(Parser, Debug)]
struct Args {
    /// An experiment by name, or a JSON file of your own
    #[arg(required_unless_present = "list")]
    experiment: Option<String>,
    /// List the experiments, what they need and how long they take
    #[arg(long)]
    list: bool,
    /// Folder of the data
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Folder for results, pictures, weights and features
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Runs with seeds 0, 1, …
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// As published, or minutes
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
    /// Rows whose names contain this, alone
    #[arg(long)]
    rows: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scale {
    Small,
    Full,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let Some(name) = args.experiment.as_ref().filter(|_| !args.list) else {
        for (name, _) in EXPERIMENTS {
            let experiment = Experiment::read(name)?;
            println!("{name}: {}", experiment.title);
        }
        return Ok(());
    };
    let experiment = Experiment::read(name)?;
    let net = experiment.net()?;
    let setting = Setting {
        data: args.data.clone(),
        out: args.out.clone(),
        device: Device::flex(),
        small: (args.scale == Scale::Small).then_some(experiment.small),
        images: Images::default(),
    };
    for seed in args.first_seed..args.first_seed + args.seeds {
        for row in &experiment.rows {
            if args.rows.as_ref().is_some_and(|part| !row.name.contains(part)) {
                continue;
            }
            println!("{} (seed {seed})", row.name);
            run::row(&setting, name, &experiment, &net, row, seed)?;
        }
    }
    Ok(())
}
