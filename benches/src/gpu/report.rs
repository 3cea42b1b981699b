//! Tables on standard output, and all times in a file of comma-separated values.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Write},
    path::Path,
};

use burn::tensor::DType;

use crate::grid::Case;

/// One time.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The part of the bench.
    pub part: &'a str,
    /// Net, or sizes.
    pub case: &'a str,
    /// What was timed.
    pub what: &'a str,
    /// Of the layers.
    pub dtype: DType,
    /// Whether it is what layers choose by themselves.
    pub chosen: bool,
    /// If it ran.
    pub seconds: Option<f64>,
    /// Floating-point operations that the case needs: its matrix products alone.
    pub flop: f64,
}

/// The file, if one is wanted; every line is written at once, so that a bench that is stopped leaves what it has.
#[derive(Debug, Default)]
pub struct Csv(Option<RefCell<File>>);

impl Csv {
    /// A new file with a line of names.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        writeln!(file, "part,case,what,dtype,chosen,seconds,gflop")?;
        Ok(Self(Some(RefCell::new(file))))
    }

    /// Adds a line.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    pub fn add(&self, entry: Entry) {
        let Some(file) = &self.0 else { return };
        let Entry { part, case, what, dtype, chosen, seconds, flop } = entry;
        let seconds = seconds.map(|seconds| format!("{seconds:e}")).unwrap_or_default();
        let line = format!("{part},{case},{what},{},{chosen},{seconds},{}", dtype.name(), flop / 1e9);
        writeln!(file.borrow_mut(), "{line}").expect("the file of values can be written");
    }
}

/// A case's sizes as the file has them, in words that a fit can take apart.
pub fn sizes(case: &Case) -> String {
    let Case { net, batch, channels: [channels, neurons], kernel, stride, padding, groups, size } = case;
    format!(
        "{net} n{batch} c{channels} k{neurons} kernel{kernel} stride{stride} padding{padding} groups{groups} size{size}"
    )
}

/// Prints the head of a table.
pub fn head(columns: &[&str]) {
    println!("\n| {} |", columns.join(" | "));
    println!("|{}", "---|".repeat(columns.len()));
}

/// Prints a row.
pub fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

/// Milliseconds, three digits.
pub fn ms(seconds: Option<f64>) -> String {
    seconds.map_or("–".into(), |seconds| digits(seconds * 1e3))
}

/// A ratio to `base`, three digits.
pub fn times(seconds: Option<f64>, base: Option<f64>) -> String {
    seconds.zip(base).map_or("–".into(), |(seconds, base)| digits(seconds / base))
}

/// Per cent.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("–".into(), |share| format!("{:.0} %", 100.0 * share))
}

/// Three digits, or all before the point.
pub fn digits(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-3).log10().floor()).clamp(0.0, 5.0);
    format!("{value:.0$}", decimals as usize)
}
