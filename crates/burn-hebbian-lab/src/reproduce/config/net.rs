//! Networks as data: chains of blocks.

use crate::prelude::*;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{rule::RuleChoice, spikes::Spiking};

/// A chain of blocks; the last one scores the classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetConfig {
    pub(crate) blocks: Vec<BlockConfig>,
}

/// norm → dropout → layer → code → pool → norm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockConfig {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) norm_before: Norm,
    /// Share of the inputs that sit out while the block learns by backprop.
    #[serde(default)]
    pub(crate) dropout: f64,
    pub(crate) layer: LayerConfig,
    /// The smoothing of a layer that whitens: its filters are the whitening of patches of the training images, less the mean
    /// patch, which is none of images that are standardized. No stage changes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whitening: Option<f64>,
    /// The code that is made of what the layer hands on: two channels a neuron.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<NearestCode>,
    #[serde(default)]
    pub(crate) pool: Pool,
    #[serde(default)]
    pub(crate) norm: Norm,
    /// How the layer learns where it is Hebbian.
    pub(crate) rule: RuleChoice,
    /// What the layer hands on where it is Hebbian, or goes on by backprop from what it learned there; where backprop begins,
    /// `relu(w·x + b)`, or `w·x + b` of the last block.
    #[serde(default)]
    pub(crate) output: Output,
    /// The learning rate of the rule.
    pub(crate) rate: f64,
    /// Neurons of each class that come first and learn from its images alone, where a stage gives labels to hidden layers.
    #[serde(default)]
    pub(crate) per_class: Option<usize>,
    /// When its neurons spike, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spikes: Option<Spiking>,
}

/// The layer of a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum LayerConfig {
    Conv {
        filters: usize,
        kernel: usize,
        #[serde(default)]
        padding: usize,
        #[serde(default)]
        padding_mode: PaddingMode,
        #[serde(default)]
        initial: Initial,
    },
    Linear {
        neurons: usize,
        #[serde(default)]
        initial: Initial,
    },
}

/// Weights to start with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Initial {
    /// Uniform in ±1/√fan-in.
    #[default]
    Uniform,
    /// Normal, of this expected norm for each neuron.
    Normal { norm: f64 },
    /// Normal, of this deviation.
    Gaussian { deviation: f64 },
    /// Normal, of this mean and deviation.
    Around { mean: f64, deviation: f64 },
}

/// What follows the layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Pool {
    #[default]
    None,
    Max {
        size: usize,
        #[serde(default)]
        stride: Option<usize>,
        #[serde(default)]
        padding: usize,
    },
    Average {
        size: usize,
        #[serde(default)]
        stride: Option<usize>,
    },
}

/// Batch normalization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Norm {
    #[default]
    None,
    /// Every channel to variance 1.
    Plain,
    /// The same times a number of each channel, drawn from 0..1: what γ starts as in PyTorch before 1.2, and stays where
    /// rules train.
    Scattered,
    /// Channels to a mean variance of 1; FastHebb's modified one.
    Rescaled,
}

impl NetConfig {
    /// The network of that name in this program.
    pub(crate) fn named(name: &str) -> Result<Self> {
        let names = || super::files::NETS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        let known = super::files::NETS.iter().find(|(known, _)| *known == name);
        let (_, json) = known.with_context(|| format!("no network `{name}`; there are {}", names()))?;
        serde_json::from_str(json).with_context(|| format!("network `{name}`"))
    }

    /// The number of a block, from 0.
    pub(crate) fn index(&self, name: &str) -> Result<usize> {
        let names = || self.blocks.iter().map(|block| block.name.as_str()).collect::<Vec<_>>().join(", ");
        let index = self.blocks.iter().position(|block| block.name == name);
        index.with_context(|| format!("no block `{name}`; there are {}", names()))
    }

    /// Channels, height and width in front of each block and behind the last one.
    pub(crate) fn shapes(&self, image: [usize; 3]) -> Result<Vec<[usize; 3]>> {
        let mut shapes = vec![image];
        for block in &self.blocks {
            let shape = block.output_shape(shapes[shapes.len() - 1])?;
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Refuses what cannot be built or trained on such images.
    pub(crate) fn check(&self, image: [usize; 3]) -> Result<()> {
        ensure!(!self.blocks.is_empty(), "a network has at least 1 block, got 0");
        for (index, block) in self.blocks.iter().enumerate() {
            let before = &self.blocks[..index];
            ensure!(
                before.iter().all(|other| other.name != block.name),
                "two blocks are called `{}`",
                block.name
            );
            block.check().with_context(|| format!("block `{}`", block.name))?;
        }
        self.shapes(image).map(drop)
    }

    /// Refuses a network whose last block does not score these classes.
    pub(crate) fn check_scores(&self, image: [usize; 3], classes: usize) -> Result<()> {
        let shapes = self.shapes(image)?;
        let scores: usize = shapes[shapes.len() - 1].iter().product();
        ensure!(scores == classes, "the last block scores {scores} classes, the data have {classes}");
        Ok(())
    }
}

impl BlockConfig {
    /// What does not depend on the block's input.
    fn check(&self) -> Result<()> {
        let usual = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let named = !self.name.is_empty() && self.name.chars().all(usual);
        ensure!(named, "a name is letters, digits, - and _: files are called by it");
        let rate = self.rate;
        check_dropout(self.dropout)?;
        ensure!(rate.is_finite() && rate >= 0.0, "a rate must be finite and at least 0, got {rate}");
        ensure!(self.neurons() > 0, "a layer has at least 1 neuron, got 0");
        if let LayerConfig::Conv { kernel, .. } = self.layer {
            ensure!(kernel > 0, "a kernel is at least 1 pixel wide, got 0");
        }
        if let Some(smoothing) = self.whitening {
            let valid = smoothing.is_finite() && smoothing >= 0.0;
            ensure!(valid, "the smoothing of a whitening must be finite and at least 0, got {smoothing}");
        }
        if let Some(code) = self.code {
            code.check()?;
            let averaged = !matches!(self.pool, Pool::Max { .. });
            ensure!(
                averaged,
                "a code is pooled by averages: the largest of its bits are 1 nearly everywhere"
            );
        }
        Ok(())
    }

    fn output_shape(&self, input: [usize; 3]) -> Result<[usize; 3]> {
        let [_, height, width] = self.response_shape(input)?;
        let LayerConfig::Conv { .. } = self.layer else { return Ok([self.channels(), 1, 1]) };
        let side = |side: usize| {
            self.pool.side(side).with_context(|| format!("{}: pooling of {side} positions", self.name))
        };
        Ok([self.channels(), side(height)?, side(width)?])
    }

    /// Neurons, and the positions that they respond at.
    pub(crate) fn response_shape(&self, [channels, height, width]: [usize; 3]) -> Result<[usize; 3]> {
        let LayerConfig::Conv { filters, kernel, padding, .. } = self.layer else {
            ensure!(self.whitening.is_none(), "{}: a linear layer whitens no patches", self.name);
            return Ok([self.neurons(), 1, 1]);
        };
        let values = channels * kernel * kernel;
        let whole = self.whitening.is_none() || filters == values;
        ensure!(whole, "{}: {filters} filters whiten patches of {values} values", self.name);
        let side = |side: usize| {
            positions(side, kernel, 1, padding)
                .with_context(|| format!("{}: a kernel of {kernel} on {side} pixels", self.name))
        };
        Ok([filters, side(height)?, side(width)?])
    }

    /// Channels that the block hands on.
    pub(crate) fn channels(&self) -> usize {
        self.neurons() * if self.code.is_some() { 2 } else { 1 }
    }

    /// Neurons of the layer.
    pub(crate) fn neurons(&self) -> usize {
        match self.layer {
            LayerConfig::Conv { filters, .. } => filters,
            LayerConfig::Linear { neurons, .. } => neurons,
        }
    }
}

impl Pool {
    /// As it lies between states.
    pub(crate) fn of_states(self) -> Result<burn_hebbian_feedback::Pool> {
        let own = |size: usize, stride: Option<usize>| stride.is_none_or(|stride| stride == size);
        match self {
            Self::None => Ok(burn_hebbian_feedback::Pool::None),
            Self::Max { size, stride, padding: 0 } if own(size, stride) => {
                Ok(burn_hebbian_feedback::Pool::max(size))
            }
            Self::Average { size, stride } if own(size, stride) => {
                Ok(burn_hebbian_feedback::Pool::average(size))
            }
            _ => anyhow::bail!("between states windows lie side by side, without padding"),
        }
    }

    fn side(&self, side: usize) -> Option<usize> {
        match *self {
            Self::None => Some(side),
            Self::Max { size, stride, padding } => positions(side, size, stride.unwrap_or(size), padding),
            Self::Average { size, stride } => positions(side, size, stride.unwrap_or(size), 0),
        }
    }
}

fn positions(side: usize, kernel: usize, stride: usize, padding: usize) -> Option<usize> {
    let reach = (side + 2 * padding).checked_sub(kernel)?;
    reach.checked_div(stride).map(|steps| steps + 1)
}

pub(super) fn check_dropout(dropout: f64) -> Result<()> {
    ensure!((0.0..1.0).contains(&dropout), "dropout must be in 0..1, got {dropout}");
    Ok(())
}
