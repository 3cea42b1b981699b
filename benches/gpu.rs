//! What a GPU makes of the library, in one process: the device's matrix products, steps of whole nets, strategies of one
//! layer, and the forms of its sums, on the device of this build.
//!
//! `cargo bench -p burn-hebbian-benches --features cuda --bench gpu -- --csv gpu.csv`; `vulkan` and `wgpu` likewise. Without
//! such a feature everything runs at tiny sizes on flex, to try the bench. `gpu.sh` beside this file builds on one machine and
//! runs on another.
//!
//! Times are medians of stretches of runs; what tunes, compiles and allocates has run before, and the device is waited for
//! around every stretch. No step waits for the device: whether updates are finite is read every 100 steps.

use std::{error::Error, path::PathBuf, process::ExitCode};

use burn::tensor::{DType, Device};
use burn_hebbian_benches::gpu::{Bench, ceiling, device, forms, nets, report::Csv, strategies, timer::Timer};
use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure, beside the device's matrix products; all of it if nothing is named
    parts: Vec<Part>,
    /// Only nets and layers whose name contains this
    #[arg(long, default_value = "")]
    name: String,
    /// Stretches of runs that a median is taken of
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Begin no case after so many seconds
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Tiny sizes, as always on flex
    #[arg(long)]
    tiny: bool,
    /// On flex, whatever was built
    #[arg(long)]
    flex: bool,
    /// Write every time into this file
    #[arg(long)]
    csv: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// Steps of whole nets
    Nets,
    /// Ways to a layer's update
    Strategies,
    /// Forms of its sums
    Forms,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let parts = arguments.parts.clone();
    let bench = bench(arguments)?;
    let asked = |part| parts.is_empty() || parts.contains(&part);
    let ceiling = ceiling::measure(&bench);
    if asked(Part::Nets) {
        nets::measure(&bench, &ceiling);
    }
    if asked(Part::Strategies) {
        strategies::measure(&bench, &ceiling);
    }
    if asked(Part::Forms) {
        forms::measure(&bench);
    }
    Ok(())
}

fn bench(arguments: Arguments) -> Result<Bench, Box<dyn Error>> {
    let Arguments { name, rounds, seconds, tiny, flex, csv, .. } = arguments;
    let device::Chosen { name: backend, device } = device::choose(flex)?;
    let full = !tiny && backend != "flex";
    let sizes = if full { "full sizes" } else { "tiny sizes" };
    println!("{backend}, {device:?}, {sizes}, medians of {rounds} stretches");
    Ok(Bench {
        full,
        dtypes: dtypes(&device),
        timer: Timer::new(device.clone(), rounds, seconds),
        name,
        csv: csv.map(|path| Csv::create(&path)).transpose()?.unwrap_or_default(),
        device,
    })
}

fn dtypes(device: &Device) -> Vec<DType> {
    let halves = [DType::BF16, DType::F16].into_iter().filter(|dtype| device.supports_dtype(*dtype));
    std::iter::once(DType::F32).chain(halves).collect()
}
