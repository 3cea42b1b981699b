//! The epoch of a stage that is best on the validation images.

use std::fs;

use crate::pictures::curves;
use anyhow::{Context, Result};
use burn_hebbian_optim::checkpoint::{Checkpoints, Training};
use serde::{Deserialize, Serialize};

use super::{Folder, Lab};
use crate::reproduce::{files::write, net::Chain};

/// The blocks of the best epoch so far, and the accuracy after each: kept in the stage's folder, with a checkpoint of the last.
#[derive(Debug)]
pub(super) struct BestEpoch {
    folder: Folder,
    checkpoints: Checkpoints,
    epochs: usize,
    curve: Curve,
}

/// Validation accuracy in percent after each epoch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Curve(Vec<f64>);

const CURVE: &str = "curve.json";
const CHECKPOINTS: &str = "checkpoints";

impl BestEpoch {
    /// Of a stage of so many epochs, as far as it was trained.
    pub(super) fn open(lab: &Lab, epochs: usize) -> Result<Self> {
        let folder = lab.folder()?;
        let checkpoints = Checkpoints::new(folder.path(CHECKPOINTS)).keeping(1);
        let curve = Curve::read(&folder)?;
        Ok(Self { folder, checkpoints, epochs, curve })
    }

    /// Whether all epochs are trained.
    pub(super) fn is_done(&self) -> bool {
        let last = self.folder.path(CHECKPOINTS).join(format!("epoch-{}", self.epochs));
        self.curve.0.len() == self.epochs && last.exists()
    }

    /// The training at its last checkpoint.
    pub(super) fn resume(&mut self, start: Training<Chain>) -> Result<Training<Chain>> {
        let training = self.checkpoints.resume(start)?;
        self.curve.0.truncate(training.progress.epochs);
        Ok(training)
    }

    /// Keeps the blocks if this epoch is the best so far, or if `always`, and the training for a restart.
    pub(super) fn judge(&mut self, training: &Training<Chain>, score: f64, always: bool) -> Result<()> {
        let improved = always || self.curve.0.iter().all(|&before| score > before);
        self.curve.0.push(score);
        if improved {
            self.folder.keep(training.model.clone())?;
        }
        write(&self.folder.path(CURVE), &serde_json::to_vec(&self.curve)?)?;
        self.checkpoints.save(training)?;
        Ok(())
    }

    /// `fresh` as the best epoch left it, when all are trained.
    pub(super) fn blocks(&self, fresh: Chain) -> Result<Chain> {
        self.curve.draw(&self.folder)?;
        self.folder.kept(fresh)
    }

    /// The accuracy of the best epoch of a stage.
    pub(super) fn accuracy(lab: &Lab) -> Result<f64> {
        Ok(Curve::read(&lab.folder()?)?.0.into_iter().fold(0.0, f64::max))
    }
}

impl Curve {
    fn read(folder: &Folder) -> Result<Self> {
        let path = folder.path(CURVE);
        match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).with_context(|| format!("{}", path.display())),
            Err(_) => Ok(Self::default()),
        }
    }

    /// As a chart, unless it is there.
    fn draw(&self, folder: &Folder) -> Result<()> {
        let path = folder.path("curve.png");
        if path.exists() {
            return Ok(());
        }
        let drawn = curves::Curve::of_epochs("validation", self.0.iter().copied());
        let chart = curves::LineChart::new("epoch", "accuracy / %").with_curve(drawn);
        chart.save(&path).with_context(|| format!("cannot draw {}", path.display()))
    }
}
