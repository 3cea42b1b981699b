//! One picture a rule: what a layer of it learns on handwritten digits, and a number that says that it did.
//!
//! ```text
//! cargo run --release --example rule_pictures -- --out docs/src/pictures
//! ```
//!
//! Blue weights are negative, red ones positive, each tile scaled by its own largest. About a
//! minute on two cores; the captions of the pictures in `docs/src/rules` have the numbers to expect.

mod data;
mod lesson;
mod measures;
mod picture;
mod rules;
mod witness;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use data::Data;
use rules::{RULES, Teach};

/// Train one small layer a rule on handwritten digits, and draw its weights.
#[derive(Parser, Debug)]
struct Args {
    /// Folder for the pictures
    #[arg(long, default_value = "rule-pictures")]
    out: PathBuf,
    /// The one picture to make, as oja
    #[arg(long)]
    only: Option<String>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let chosen = chosen(args.only.as_deref())?;
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let data = Data::load()?;
    for (name, teach) in chosen {
        let start = Instant::now();
        let picture = teach(&data).with_context(|| format!("cannot learn by {name}"))?;
        let path = args.out.join(name).with_extension("png");
        picture.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{name}: {} ({:.1} s)", picture.line, start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn chosen(only: Option<&str>) -> Result<Vec<(&'static str, Teach)>> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let chosen: Vec<_> = RULES.into_iter().filter(|(name, _)| wanted(name)).collect();
    let names = RULES.map(|(name, _)| name).join(", ");
    ensure!(!chosen.is_empty(), "--only {}: must be one of {names}", only.unwrap_or_default());
    Ok(chosen)
}
