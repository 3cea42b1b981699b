//! The tables and findings of the literature, each reproduced by one command.
//!
//! ```text
//! cargo run --release --example reproduce -- --list
//! cargo run --release --example reproduce -- thesis-layers --data DIR --out DIR --scale small
//! ```

mod config;
mod features;
mod lab;
mod net;
mod protocols;
mod results;
mod run;

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use clap::{Parser, ValueEnum};
use config::{EXPERIMENTS, Experiment, Protocol};
use lab::{Images, Setting};
use protocols::Run;
use results::{Line, Results, Score};

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
    /// Where to compute
    #[arg(long, value_enum, default_value = "flex")]
    device: Backend,
    /// Rows whose names contain this, alone
    #[arg(long)]
    rows: Option<String>,
}

/// Backends of this build; others come with the features of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    Flex,
    #[cfg(feature = "ndarray")]
    Ndarray,
    #[cfg(feature = "wgpu")]
    Wgpu,
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Backend {
    fn device(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => Device::ndarray(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scale {
    Small,
    Full,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let Some(name) = args.experiment.as_ref().filter(|_| !args.list) else {
        return list();
    };
    let experiment = Experiment::read(name)?;
    let folder = args.out.join(file_name(name));
    let scores = scores(&args, &folder, &experiment.protocol)?;
    let results = Results {
        experiment: name.clone(),
        title: experiment.title,
        source: experiment.source,
        scale: format!("{:?}", args.scale).to_lowercase(),
        lines: Line::all(&scores)?,
    };
    results.write(&folder)?;
    println!("\n{}\n{}", results.markdown(), folder.display());
    Ok(())
}

/// What an experiment gives.
fn scores(args: &Args, folder: &Path, protocol: &Protocol) -> Result<Vec<Score>> {
    let (device, small) = (args.device.device(), args.scale == Scale::Small);
    let seeds = args.first_seed..args.first_seed + args.seeds;
    let Protocol::Table(table) = protocol else {
        let run = Run { data: &args.data, folder, device, small, seeds, rows: args.rows.as_deref() };
        return run.scores(protocol);
    };
    let setting = Setting {
        data: args.data.clone(),
        out: args.out.clone(),
        device,
        small: small.then_some(table.small),
        images: Images::default(),
    };
    run::table(&setting, folder, table, seeds, &args.rows)
}

/// What there is.
fn list() -> Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["experiment", "", "minutes on two cores: small", "full, a seed", "needs"]);
    for (name, _) in EXPERIMENTS {
        let Experiment { title, minutes, protocol, .. } = Experiment::read(name)?;
        let needs = match protocol.source() {
            Some(source) => serde_json::to_string(&source)?.replace('"', ""),
            None => "nothing".to_string(),
        };
        table.add_row([
            (*name).to_string(),
            title,
            minutes.small.to_string(),
            minutes.full.to_string(),
            needs,
        ]);
    }
    println!("{table}");
    Ok(())
}

/// The last part of a path, without `.json`.
fn file_name(name: &str) -> String {
    let file = Path::new(name).file_stem().unwrap_or_default();
    file.to_string_lossy().into_owned()
}
