//! Which of burn-train's checkpoints is the best.

use std::path::Path;

use burn::train::{LearnerSummary, metric::store::Direction};

/// The epoch with the best value of a metric (`"Loss"`, `"Accuracy"`) on validation, of those whose checkpoints are still in
/// burn-train's `folder`; none if there is no such checkpoint, or the metric was not recorded.
///
/// burn-train gives back the model of the last epoch, and keeps the checkpoint of the best one by the loss on validation
/// unless it is told otherwise: [`PhasedTraining::load`](crate::PhasedTraining::load) loads it.
///
/// # Errors
///
/// If burn-train finds no logs in the folder.
pub fn best_epoch(
    folder: impl AsRef<Path>,
    metric: &str,
    direction: Direction,
) -> Result<Option<usize>, String> {
    let folder = folder.as_ref();
    let summary = LearnerSummary::new(folder, &[metric])?;
    let kept = |epoch: usize| folder.join("checkpoint").join(format!("model-{epoch}.bpk")).exists();
    let entries =
        summary.metrics.valid.iter().flat_map(|metric| &metric.entries).filter(|entry| kept(entry.step));
    let best = match direction {
        Direction::Lowest => entries.min_by(|a, b| a.value.total_cmp(&b.value)),
        Direction::Highest => entries.max_by(|a, b| a.value.total_cmp(&b.value)),
    };
    Ok(best.map(|entry| entry.step))
}
