//! The tables of the literature, each reproduced by one command.
//!
//! ```text
//! cargo run --release --example reproduce -- --list
//! cargo run --release --example reproduce -- thesis-layers --data DIR --out DIR --scale small
//! ```

mod config;
mod features;
mod lab;
mod net;
mod results;
mod run;

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use clap::{Parser, ValueEnum};
use config::{EXPERIMENTS, Experiment, Protocol};
use lab::{Images, Setting};
use results::{Line, Results};

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
    let Protocol::Table(table) = &experiment.protocol;
    let setting = Setting {
        data: args.data.clone(),
        out: args.out.clone(),
        device: args.device.device(),
        small: (args.scale == Scale::Small).then_some(table.small),
        images: Images::default(),
    };
    let folder = args.out.join(file_name(name));
    let scores =
        run::table(&setting, &folder, table, args.first_seed..args.first_seed + args.seeds, &args.rows)?;
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

/// What there is.
fn list() -> Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["experiment", "", "minutes on two cores: small", "full, a seed", "needs"]);
    for (name, _) in EXPERIMENTS {
        let Experiment { title, minutes, protocol, .. } = Experiment::read(name)?;
        let Protocol::Table(needed) = protocol;
        let needs = serde_json::to_string(&needed.data.source)?.replace('"', "");
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
