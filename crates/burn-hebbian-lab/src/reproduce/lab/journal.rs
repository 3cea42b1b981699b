//! What goes on in layers while rules train them: read now and then, kept in the stage's folder.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    diagnostics::{Diagnostics, History, LayerReading, Quantity, Record},
    pictures::curves::{Curve, LineChart},
};
use anyhow::{Context, Result};
use burn::{module::Module, tensor::Tensor};

use super::Folder;
use crate::reproduce::{files::write, net::Chain};

/// Images that responses are read on: always the first ones.
pub(super) const PATTERNS: usize = 64;

/// Readings of a training of one epoch.
const READINGS: usize = 10;

/// The share of the time of training that readings take at most, but for the first and the last one.
const SHARE: u32 = 50;

const HISTORY: &str = "diagnostics.json";
const TABLE: &str = "diagnostics.csv";

/// What is drawn: a chart each.
const DRAWN: [Quantity; 5] = [
    Quantity::UnitDistance,
    Quantity::UpdateRatio,
    Quantity::Dead,
    Quantity::WinEntropy,
    Quantity::ResponseRank,
];

/// The readings of one stage.
pub(super) struct Journal {
    folder: Folder,
    /// Blocks, in the order of their layers in the chain.
    blocks: Vec<String>,
    patterns: Tensor<4>,
    /// Steps from one reading to the next.
    every: usize,
    last_step: usize,
    diagnostics: Diagnostics,
    history: History,
    began: Instant,
    /// What all readings but the first took, and what one takes.
    spent: Duration,
    one: Duration,
}

/// How long a training is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    pub(super) epochs: usize,
    /// Steps of an epoch.
    pub(super) steps: usize,
}

impl Journal {
    /// Goes on after `epochs` that were read before; reads the model as it is.
    pub(super) fn open(
        folder: Folder,
        blocks: Vec<String>,
        patterns: Tensor<4>,
        length: Length,
        epochs: usize,
        model: &Chain,
    ) -> Result<Self> {
        let Length { epochs: all, steps } = length;
        let mut journal = Self {
            history: history(&folder, epochs)?,
            folder,
            blocks,
            patterns,
            every: if all == 1 { steps.div_ceil(READINGS).max(1) } else { steps.max(1) },
            last_step: all * steps,
            diagnostics: Diagnostics::new(),
            began: Instant::now(),
            spent: Duration::ZERO,
            one: Duration::ZERO,
        };
        let readings = journal.read(model);
        // after a restart the last reading is known; what moved since is not
        if journal.history.records().is_empty() {
            journal.history.push(epochs, epochs * steps, readings);
        }
        Ok(journal)
    }

    /// Reads the model, if it is time and there is time, after so many steps of the training, in `epoch` from 1.
    pub(super) fn after_step(&mut self, epoch: usize, step: usize, model: &Chain) {
        let in_time = (self.spent + self.one) * SHARE <= self.began.elapsed();
        if step == self.last_step || (step.is_multiple_of(self.every) && in_time) {
            let readings = self.read(model);
            self.spent += self.one;
            self.history.push(epoch, step, readings);
        }
    }

    /// Nothing learns: frozen norms take their running statistics, not those of the patterns.
    fn read(&mut self, model: &Chain) -> Vec<LayerReading> {
        let (began, frozen) = (Instant::now(), model.clone().freeze());
        let forward = |model: &Chain| model.features(model.blocks.len(), self.patterns.clone());
        let readings = self.diagnostics.read_with(&frozen, forward);
        self.one = began.elapsed();
        let named =
            |(reading, block): (LayerReading, &String)| LayerReading { layer: block.clone(), ..reading };
        readings.into_iter().zip(&self.blocks).map(named).collect()
    }

    /// Writes all readings, before the checkpoint of the epoch they are of.
    pub(super) fn save(&self) -> Result<()> {
        let (mut json, mut csv) = (vec![], vec![]);
        self.history.write_json(&mut json)?;
        self.history.write_csv(&mut csv)?;
        write(&self.folder.path(HISTORY), &json)?;
        write(&self.folder.path(TABLE), &csv)
    }

    /// Draws what was read more than once.
    pub(super) fn draw(&self) -> Result<()> {
        for quantity in DRAWN {
            let curve = |block: &String| Curve::new(block, self.history.curve(block, quantity));
            let drawn = self.blocks.iter().filter(|block| self.history.curve(block, quantity).len() > 1);
            let curves: Vec<_> = drawn.map(curve).collect();
            if !curves.is_empty() {
                let chart = LineChart::new("step", &quantity.to_string());
                let path = self.folder.path(&format!("{}.png", quantity.name()));
                curves
                    .into_iter()
                    .fold(chart, LineChart::with_curve)
                    .save(&path)
                    .with_context(|| format!("cannot draw {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// What was read up to an epoch: later readings are of a training that was cut off.
fn history(folder: &Folder, epochs: usize) -> Result<History> {
    let path = folder.path(HISTORY);
    let mut history = History::new();
    let Ok(json) = fs::read(&path) else { return Ok(history) };
    let known: Vec<Record> = serde_json::from_slice(&json)
        .with_context(|| format!("{}: remove it to forget it", path.display()))?;
    for Record { epoch, step, layer, values } in known {
        if epoch <= epochs {
            history.push(epoch, step, vec![LayerReading { layer, values }]);
        }
    }
    Ok(history)
}
