//! The command line.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;

use super::{
    chart::png,
    compare::compare,
    config::{EXPERIMENTS, Experiment, Protocol, Small, Table, file_name},
    files::write,
    lab::{Images, Setting},
    protocols::Run,
    provenance::Clock,
    results::{Line, Results, Score},
    run,
    target::{Backend, Scale},
};
use crate::arguments::{positive, share};

/// Reproduce a table of the literature.
#[derive(Parser, Debug, Clone)]
pub struct Args {
    /// An experiment by name, or a JSON file of your own
    #[arg(required_unless_present = "list")]
    pub experiment: Option<String>,
    /// List the experiments, what they need and how long they take
    #[arg(long)]
    pub list: bool,
    /// Folder of the data
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder for results, pictures, weights and features
    #[arg(long, default_value = "results")]
    pub out: PathBuf,
    /// Runs with seeds 0, 1, …
    #[arg(long, default_value_t = 1, value_parser = positive::<u64>)]
    pub seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    pub first_seed: u64,
    /// As published, or minutes
    #[arg(long, value_enum, default_value = "small")]
    pub scale: Scale,
    /// Run nothing: write results and chart of the rows that are recorded in this folder, as a run of a table leaves them in `--out`
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["data", "seeds", "first_seed", "scale", "device", "rows", "export", "pictures"]
    )]
    pub recorded: Option<PathBuf>,
    /// Where to compute
    #[arg(long, value_enum, default_value = "flex")]
    pub device: Backend,
    /// The row of this name, of one share of labels or all, or, if none has it, those whose names contain it; may be given several times
    #[arg(long)]
    pub rows: Vec<String>,
    /// Write features, weights and win counts of each row's last stage
    #[arg(long)]
    pub export: bool,
    /// Draw what neurons of deeper blocks respond to; takes a minute a row
    #[arg(long)]
    pub pictures: bool,
    /// Leave layers unread while rules train them
    #[arg(long)]
    pub no_diagnostics: bool,
    /// Of a small run: training images
    #[arg(long, hide = true, value_parser = positive::<usize>)]
    pub images: Option<usize>,
    /// Of a small run: epochs of a stage or classifier at most
    #[arg(long, hide = true, value_parser = positive::<usize>)]
    pub epochs: Option<usize>,
    /// Training images that are kept to choose on, of the whole data set
    #[arg(long, hide = true)]
    pub validation: Option<usize>,
    /// A share of the neurons of every layer but the last
    #[arg(long, hide = true, value_parser = share)]
    pub width: Option<f64>,
}

impl Args {
    /// Runs the experiment, or lists those there are.
    ///
    /// # Errors
    ///
    /// If the experiment, the data or something in the folder of results is wrong, or a training diverges.
    pub fn run(&self) -> Result<()> {
        let Some(name) = self.experiment.as_ref().filter(|_| !self.list) else {
            return list();
        };
        let mut experiment = Experiment::read(name)?;
        let folder = self.out.join(stem(name));
        ensure!(self.seeds > 0, "at least 1 seed is needed, got 0");
        let last = self.first_seed.checked_add(self.seeds);
        ensure!(last.is_some(), "{} seeds from {} on: there are not so many", self.seeds, self.first_seed);
        // before time is spent
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let recorded = self.recorded.as_ref().map(|recorded| recorded.join(stem(name)));
        let clock = match &recorded {
            Some(recorded) => Clock::recorded(recorded)?,
            None => Clock::new(&folder, self.scale, self.seeds().collect(), self.device)?,
        };
        let lines = match &recorded {
            Some(recorded) => self.recorded_lines(&experiment.protocol, recorded)?,
            None => self.lines(&mut experiment.protocol, &folder, &clock)?,
        };
        let results = Results {
            experiment: name.clone(),
            title: experiment.title,
            source: experiment.source,
            scale: clock.scale(),
            lines,
        };
        let chart = self.chart(name, &results.lines, &experiment.protocol, &folder)?;
        // clamp: a table of no lines has no seeds
        let seeds = results.lines.iter().map(|line| line.seeds.len()).max().unwrap_or(1);
        let markdown = results.markdown(&chart) + &clock.markdown(name, seeds);
        results.write(&folder, &markdown)?;
        println!("\n{markdown}\n{}", folder.display());
        Ok(())
    }

    /// What an experiment gives.
    fn lines(&self, protocol: &mut Protocol, folder: &Path, clock: &Clock) -> Result<Vec<Line>> {
        let Protocol::Table(table) = protocol else {
            clock.begin("all".to_string());
            let scores = self.protocol(folder).scores(protocol)?;
            clock.end()?;
            return Line::all(&scores);
        };
        let mut lines = Line::all(&self.table(table, folder, clock)?)?;
        compare(&mut lines, table)?;
        Ok(lines)
    }

    /// What was recorded of a table.
    fn recorded_lines(&self, protocol: &Protocol, folder: &Path) -> Result<Vec<Line>> {
        let Protocol::Table(table) = protocol else { bail!("only tables record their rows") };
        let mut lines = Line::all(&run::recorded(folder, table)?)?;
        compare(&mut lines, table)?;
        Ok(lines)
    }

    /// Draws a table's chart; the words that show it in `results.md`, none if there is nothing to draw.
    fn chart(&self, name: &str, lines: &[Line], protocol: &Protocol, folder: &Path) -> Result<String> {
        let Protocol::Table(table) = protocol else { return Ok(String::new()) };
        if lines.is_empty() {
            return Ok(String::new());
        }
        let file = format!("pictures/{}.png", file_name(&stem(name)));
        write(&folder.join(&file), &png(lines, table)?)?;
        let drawn = match &self.recorded {
            Some(recorded) => format!(
                "Drawn from the recorded rows by `cargo run --release --example reproduce -- {name} --recorded {} --out DIR`.",
                recorded.display()
            ),
            None => "Drawn by the command below.".to_string(),
        };
        let shown = "All lines of the table below in %, controls marked, with 95 % intervals where there are several seeds";
        Ok(format!("![{shown}]({file})\n\n{drawn}\n\n"))
    }

    fn protocol<'a>(&'a self, folder: &'a Path) -> Run<'a> {
        Run {
            data: &self.data,
            folder,
            device: self.device.device(),
            small: self.scale == Scale::Small,
            seeds: self.seeds(),
            rows: &self.rows,
        }
    }

    fn seeds(&self) -> Range<u64> {
        self.first_seed..self.first_seed + self.seeds
    }

    fn table(&self, table: &mut Table, folder: &Path, clock: &Clock) -> Result<Vec<Score>> {
        table.data.validation = self.validation.unwrap_or(table.data.validation);
        if let Some(width) = self.width {
            table.narrow(width)?;
        }
        run::table(&self.setting(table, clock), folder, table, self.seeds(), &self.rows)
    }

    fn setting<'a>(&self, table: &Table, clock: &'a Clock) -> Setting<'a> {
        let Small { images, epochs } = table.small;
        let small = Small { images: self.images.unwrap_or(images), epochs: self.epochs.unwrap_or(epochs) };
        Setting {
            data: self.data.clone(),
            out: self.out.clone(),
            device: self.device.device(),
            small: (self.scale == Scale::Small).then_some(small),
            images: Images::default(),
            watched: !self.no_diagnostics,
            export: self.export,
            pictures: self.pictures,
            clock,
        }
    }
}

/// What there is.
fn list() -> Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["experiment", "", "minutes on two cores: small", "full, a seed", "needs"]);
    for (name, _) in EXPERIMENTS {
        let Experiment { title, minutes, protocol, .. } = Experiment::read(name)?;
        let needs = match protocol.source() {
            Some(source) => source.needs()?,
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
fn stem(name: &str) -> String {
    let file = Path::new(name).file_stem().unwrap_or_default();
    file.to_string_lossy().into_owned()
}
