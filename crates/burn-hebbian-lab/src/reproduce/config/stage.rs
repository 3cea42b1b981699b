//! What trains which blocks, and what judges the result, as data.

use burn_hebbian_feedback::DualPropagation;
use serde::{Deserialize, Serialize};

use super::settling::SettlingMethod;
use crate::{
    prelude::Activation,
    reproduce::results::{ACCURACY, PRECISION},
};

/// Blocks, by name, from the first to the last.
pub(crate) type Blocks = [String; 2];

/// One stage of a training. Each takes what the stages before it made of the images, kept on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Stage {
    /// Blocks that learn by their rules, all at once.
    Hebbian(Hebbian),
    /// Blocks that learn by backprop, with a linear classifier on top if the last block is not among them.
    Backprop(Backprop),
    /// Blocks that keep the weights they start with, or take them from the images.
    Untrained(Untrained),
    /// The whole network, which learns from states that settle under feedback.
    Settling(Settling),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hebbian {
    pub(crate) blocks: Blocks,
    #[serde(default = "two")]
    pub(crate) epochs: usize,
    #[serde(default = "sixty_four")]
    pub(crate) batch: usize,
    /// Whether hidden layers have neurons of classes.
    #[serde(default)]
    pub(crate) class_groups: bool,
    /// How rates change from the first step to the last.
    #[serde(default)]
    pub(crate) rates: Rates,
    /// Instead of the blocks' own rules, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rules: Option<Vec<super::rule::RuleChoice>>,
    /// Instead of the blocks' own rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<f64>,
    /// What weights start from, instead of what layers start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Weights>,
    /// Images of an epoch, others in each; all without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) images: Option<usize>,
}

/// How a rate changes from the first step to the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Rates {
    #[default]
    Constant,
    /// Falls evenly to 0.
    Linear,
    /// Times e^(−1/steps) a step, down to a share of the first.
    Exponential { steps: f64, floor: f64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backprop {
    pub(crate) blocks: Blocks,
    #[serde(default = "twenty")]
    pub(crate) epochs: usize,
    #[serde(default = "sixty_four")]
    pub(crate) batch: usize,
    #[serde(default = "thousandth")]
    pub(crate) rate: f64,
    /// Epochs at the full rate; it is halved in every epoch after these.
    #[serde(default = "ten")]
    pub(crate) full_rate_epochs: usize,
    /// L2.
    pub(crate) penalty: f32,
    /// Goes on from the weights of the stages before it, whose blocks are among its own, instead of learning on top of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) fine_tune: bool,
    /// Validation images that the epoch is chosen on, the first ones; all without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) choose_on: Option<usize>,
    /// Share of its inputs that a classifier on top of the blocks lets sit out while they learn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) classifier_dropout: Option<f64>,
    /// By dual propagation, which is local, in the place of backprop; all else is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dual: Option<DualPropagation>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Untrained {
    pub(crate) blocks: Blocks,
    #[serde(default)]
    pub(crate) weights: Weights,
    /// Whether norms take their statistics from the last 10,000 training images; without it they change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) fit_norms: bool,
}

/// All blocks of a network in a chain of states; the epoch that is best on the validation images counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settling {
    pub(crate) blocks: Blocks,
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    pub(crate) method: SettlingMethod,
    /// Of hidden states; the output is linear.
    #[serde(default = "hard_sigmoid")]
    pub(crate) activation: Activation,
    /// How the blocks' rates change from the first step to the last.
    #[serde(default)]
    pub(crate) rates: Rates,
    #[serde(default)]
    pub(crate) momentum: f64,
}

/// Weights that nothing has learned; all but random ones are of length 1 in the norm of the layer's similarity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Weights {
    /// As training starts from.
    #[default]
    Random,
    /// Drawn from a normal distribution, less each filter's mean: what is bright everywhere says nothing to them.
    Centered,
    /// Patches of the images, drawn at random, of mean 0.
    Patches,
    /// Centers of spherical k-means on patches.
    KMeans,
    /// Principal components of patches.
    Pca,
}

impl Rates {
    /// The rate of a step, of so many, that began at `first`.
    pub(crate) fn at(self, first: f64, step: usize, steps: usize) -> f64 {
        match self {
            Self::Constant => first,
            Self::Linear => first * (1.0 - step as f64 / steps as f64),
            Self::Exponential { steps, floor } => first * (-(step as f64) / steps).exp().max(floor),
        }
    }
}

impl Stage {
    pub(crate) fn blocks(&self) -> &Blocks {
        match self {
            Self::Hebbian(stage) => &stage.blocks,
            Self::Backprop(stage) => &stage.blocks,
            Self::Untrained(stage) => &stage.blocks,
            Self::Settling(stage) => &stage.blocks,
        }
    }

    pub(crate) fn is_backprop(&self) -> bool {
        matches!(self, Self::Backprop(_))
    }

    /// Whether it learns from labels of which there may be a share.
    pub(crate) fn is_supervised(&self) -> bool {
        matches!(self, Self::Backprop(_) | Self::Settling(_))
    }

    /// Whether layers learn from what is local to them.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Hebbian(_) | Self::Settling(_) => true,
            Self::Backprop(stage) => stage.dual.is_some(),
            Self::Untrained(_) => false,
        }
    }

    /// That of a classifier on top of the blocks.
    pub(crate) fn classifier_dropout(&self) -> f64 {
        match self {
            Self::Backprop(stage) => stage.classifier_dropout.unwrap_or(0.0),
            _ => 0.0,
        }
    }
}

/// What judges features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Evaluation {
    /// The scores of the last stage itself.
    Scores,
    /// A linear classifier by SGD, as the thesis trains it.
    Sgd,
    /// The same for fewer epochs.
    SgdEpochs { epochs: usize },
    /// The same with dropout, as FastHebb's.
    SgdDropout,
    /// A linear classifier by Adam with dropout, as SoftHebb's.
    Adam,
    /// A linear classifier in closed form, its penalty chosen on the validation images.
    Ridge,
    /// The 10 nearest training images.
    Neighbors,
    /// Test images ask for training images of their class: the mean average precision.
    Retrieval,
    /// Teacher neurons, for so many epochs.
    Teacher { epochs: usize },
    /// A linear classifier in two factors, of channels and of positions, by SGD: for features by the ten thousand, which it
    /// reads from where they are kept.
    Factored { epochs: usize, rate: f64 },
}

impl Evaluation {
    /// Whether it reads features from where they are kept, and not all of them at once.
    pub(crate) fn reads_files(&self) -> bool {
        matches!(self, Self::Factored { .. })
    }

    /// What is measured, and its unit.
    pub(crate) fn measure(&self) -> &'static str {
        if *self == Self::Retrieval { PRECISION } else { ACCURACY }
    }

    /// The name in tables.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Scores => "its own scores".to_string(),
            Self::Sgd => "linear, SGD".to_string(),
            Self::SgdEpochs { epochs } => format!("linear, SGD, epochs: {epochs}"),
            Self::SgdDropout => "linear, SGD with dropout".to_string(),
            Self::Adam => "linear, Adam with dropout".to_string(),
            Self::Ridge => "linear, ridge".to_string(),
            Self::Neighbors => "10 neighbors".to_string(),
            Self::Retrieval => "retrieval".to_string(),
            Self::Teacher { epochs } => format!("teacher neurons, epochs: {epochs}"),
            Self::Factored { epochs, .. } => format!("linear in two factors, epochs: {epochs}"),
        }
    }
}

fn hard_sigmoid() -> Activation {
    Activation::HardSigmoid { slope: 1.0 }
}

fn two() -> usize {
    2
}

fn ten() -> usize {
    10
}

fn twenty() -> usize {
    20
}

fn sixty_four() -> usize {
    64
}

fn thousandth() -> f64 {
    1e-3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_fall_as_they_say() {
        let at = |rates: Rates, steps: [usize; 3]| steps.map(|step| rates.at(0.4, step, 8));
        assert_eq!(at(Rates::Constant, [0, 4, 7]), [0.4; 3]);
        assert_eq!(at(Rates::Linear, [0, 4, 6]), [0.4, 0.2, 0.1]);
        let falling = at(Rates::Exponential { steps: 2.0, floor: 0.25 }, [0, 2, 4]);
        assert_eq!(falling, [0.4, 0.4 * (-1f64).exp(), 0.1]);
    }
}
