//! Readings over a training.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{LayerReading, Quantity};

/// A reading of one layer with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The epoch that ran, counted from 1; 0 before the first.
    pub epoch: usize,
    /// Training steps before it.
    pub step: usize,
    /// The layer, as a plan calls it.
    pub layer: String,
    /// What was read.
    pub values: BTreeMap<Quantity, f64>,
}

/// The readings of a training, in the order in which they were made.
///
/// As JSON it is a list of [records](Record); as CSV a table with a row a record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History {
    records: Vec<Record>,
}

/// What was read; not locked while something is read.
pub(super) type SharedHistory = Arc<Mutex<History>>;

/// What a panic left behind is still a history.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl History {
    /// Before the first reading.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the readings of a model after `step` training steps, in `epoch`.
    pub fn push(&mut self, epoch: usize, step: usize, readings: Vec<LayerReading>) {
        let record = |LayerReading { layer, values }| Record { epoch, step, layer, values };
        self.records.extend(readings.into_iter().map(record));
    }

    /// All of them.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The last value of a layer up to an epoch.
    pub fn last(&self, layer: &str, quantity: Quantity, epoch: usize) -> Option<f64> {
        let until = |record: &&Record| record.layer == layer && record.epoch <= epoch;
        self.records.iter().rev().filter(until).find_map(|record| record.values.get(&quantity).copied())
    }

    /// The steps and values of a layer, for a curve.
    pub fn curve(&self, layer: &str, quantity: Quantity) -> Vec<[f64; 2]> {
        let of_layer = self.records.iter().filter(|record| record.layer == layer);
        of_layer.filter_map(|record| Some([record.step as f64, *record.values.get(&quantity)?])).collect()
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub fn write_json(&self, out: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(out, self).map_err(io::Error::from)
    }

    /// Writes it as CSV: `epoch,step,layer` and a column a [`Quantity`], empty where it was not read.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub fn write_csv(&self, mut out: impl Write) -> io::Result<()> {
        let names = Quantity::ALL.map(Quantity::name).join(",");
        writeln!(out, "epoch,step,layer,{names}")?;
        for Record { epoch, step, layer, values } in &self.records {
            let value = |quantity| values.get(&quantity).map(ToString::to_string).unwrap_or_default();
            let values = Quantity::ALL.map(value).join(",");
            writeln!(out, "{epoch},{step},{layer},{values}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(layer: &str, values: &[(Quantity, f64)]) -> LayerReading {
        LayerReading { layer: layer.to_string(), values: values.iter().copied().collect() }
    }

    fn history() -> History {
        let mut history = History::new();
        history.push(0, 0, vec![reading("conv1", &[(Quantity::MeanNorm, 0.5)]), reading("fc", &[])]);
        history.push(1, 4, vec![reading("conv1", &[(Quantity::MeanNorm, 0.75), (Quantity::Dead, 0.1)])]);
        history.push(2, 8, vec![reading("conv1", &[(Quantity::MeanNorm, 1.0)])]);
        history
    }

    #[test]
    fn json_reads_back() {
        let mut json = Vec::new();
        history().write_json(&mut json).unwrap();
        assert_eq!(serde_json::from_slice::<History>(&json).unwrap(), history());
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value[2]["values"]["mean_norm"], 0.75);
    }

    #[test]
    fn csv_has_a_column_a_quantity() {
        let mut csv = Vec::new();
        history().write_csv(&mut csv).unwrap();
        let text = String::from_utf8(csv).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("epoch,step,layer,mean_norm,min_norm,"), "{text}");
        assert_eq!(lines[2], format!("0,0,fc{}", ",".repeat(11)));
        assert_eq!(lines[3], "1,4,conv1,0.75,,,,,,,0.1,,,");
        assert!(lines.iter().all(|line| line.matches(',').count() == 13), "{text}");
    }

    #[test]
    fn curves_and_last_values_are_of_one_layer() {
        let history = history();
        assert_eq!(history.curve("conv1", Quantity::MeanNorm), [[0.0, 0.5], [4.0, 0.75], [8.0, 1.0]]);
        let last = |quantity, epoch| history.last("conv1", quantity, epoch);
        assert_eq!(
            [0, 1, 7].map(|epoch| last(Quantity::MeanNorm, epoch)),
            [Some(0.5), Some(0.75), Some(1.0)]
        );
        assert_eq!([0, 2].map(|epoch| last(Quantity::Dead, epoch)), [None, Some(0.1)]);
        assert_eq!(history.last("fc", Quantity::MeanNorm, 9), None);
    }
}
