//! Rules on patches of natural images, as data.

use crate::data::{Colors, Source};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{Initial, Rates, rule::RuleChoice};

/// Rules that learn from patches, and what their neurons are measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Study {
    /// Whose training images the patches are cut from.
    pub(crate) source: Source,
    pub(crate) patches: PatchConfig,
    /// Neurons of every rule; of whitened patches as many components are kept.
    pub(crate) neurons: usize,
    pub(crate) learners: Vec<Learner>,
    /// Epochs after which neurons are measured, the last of which ends training.
    pub(crate) after: Vec<usize>,
    pub(crate) small: SmallStudy,
}

/// Patches of images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchConfig {
    /// Height and width.
    pub(crate) side: usize,
    pub(crate) colors: Colors,
    pub(crate) count: usize,
}

/// A rule, and how it is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Learner {
    pub(crate) name: String,
    pub(crate) rule: RuleChoice,
    /// Instead of the study's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) neurons: Option<usize>,
    pub(crate) rate: f64,
    #[serde(default)]
    pub(crate) rates: Rates,
    pub(crate) batch: usize,
    pub(crate) initial: Initial,
    /// What it finds by mathematics, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finds: Option<Finds>,
}

/// What a rule converges to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Finds {
    /// Each neuron the component of its number.
    Components,
    /// All neurons together the span of the first ones.
    Span,
}

/// What a small run cuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmallStudy {
    /// Patches.
    pub(crate) patches: usize,
    /// Epochs.
    pub(crate) epochs: usize,
}

impl Study {
    /// The study as a small run has it.
    pub(crate) fn small(&self) -> Self {
        let SmallStudy { patches, epochs } = self.small;
        let mut small = self.clone();
        small.patches.count = patches.min(small.patches.count);
        small.after.retain(|after| *after < epochs);
        small.after.push(epochs);
        small
    }

    /// What does not depend on the images.
    pub(crate) fn check(&self) -> Result<()> {
        let PatchConfig { side, count, .. } = self.patches;
        ensure!(side > 0 && count > 0, "{count} patches of {side} × {side} pixels");
        ensure!(
            self.after.is_sorted_by(|a, b| a < b) && self.after.first().is_some_and(|first| *first > 0),
            "epochs after which to measure must rise from 1 or more, got {:?}",
            self.after
        );
        let SmallStudy { patches, epochs } = self.small;
        ensure!(patches > 0 && epochs > 0, "a small run of {epochs} epochs of {patches} patches");
        self.learners
            .iter()
            .try_for_each(|learner| self.check_of(learner).with_context(|| learner.name.clone()))
    }

    fn check_of(&self, learner: &Learner) -> Result<()> {
        let (values, neurons) = (self.patches.values(), learner.neurons.unwrap_or(self.neurons));
        ensure!((1..=values).contains(&neurons), "neurons must be in 1..={values}, got {neurons}");
        ensure!(learner.batch > 0, "a batch has at least 1 patch, got 0");
        ensure!(learner.rate > 0.0, "a rate must be positive, got {}", learner.rate);
        Ok(())
    }
}

impl PatchConfig {
    /// Planes and side.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.channels(), self.side]
    }

    pub(crate) fn channels(&self) -> usize {
        if self.colors == Colors::Gray { 1 } else { 3 }
    }

    /// Values of a patch.
    pub(crate) fn values(&self) -> usize {
        self.channels() * self.side * self.side
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study() -> Study {
        Study {
            source: Source::Cifar10,
            patches: PatchConfig { side: 2, colors: Colors::Gray, count: 100 },
            neurons: 4,
            learners: vec![Learner {
                name: "Oja".to_string(),
                rule: RuleChoice::Oja,
                neurons: None,
                rate: 0.1,
                rates: Rates::Linear,
                batch: 5,
                initial: Initial::Uniform,
                finds: None,
            }],
            after: vec![1, 2, 5, 10],
            small: SmallStudy { patches: 60, epochs: 5 },
        }
    }

    #[test]
    fn a_small_study_ends_at_its_own_epoch() {
        let small = study().small();
        assert_eq!((small.after, small.patches.count), (vec![1, 2, 5], 60));
    }

    #[test]
    fn what_cannot_be_studied_is_told() {
        study().check().unwrap();
        let message = |change: fn(&mut Study)| {
            let mut study = study();
            change(&mut study);
            format!("{:#}", study.check().unwrap_err())
        };
        assert_eq!(message(|study| study.neurons = 5), "Oja: neurons must be in 1..=4, got 5");
        assert_eq!(message(|study| study.learners[0].rate = -0.5), "Oja: a rate must be positive, got -0.5");
        let order = "epochs after which to measure must rise from 1 or more, got [1, 1]";
        assert_eq!(message(|study| study.after = vec![1, 1]), order);
    }
}
