//! Times and memory of training, as data.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Ways to compute the same update, on the layers of networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateSpeed {
    pub(crate) networks: Vec<UpdateNetwork>,
    /// Times are medians of so many rounds.
    pub(crate) rounds: usize,
    /// Patches of a layer that are learned from one by one, the others being projected.
    pub(crate) timed_patches: usize,
    /// Rounds of a small run.
    pub(crate) small_rounds: usize,
}

/// A network whose layers are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateNetwork {
    pub(crate) name: UpdateNetworkName,
    pub(crate) batch: usize,
    /// The batch of a small run.
    pub(crate) small_batch: usize,
    /// Images of an epoch.
    pub(crate) epoch: usize,
}

/// Networks whose layers are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UpdateNetworkName {
    /// The convolutions of the six-layer net, on 32 × 32 pixels.
    SixLayer,
    /// The same with a linear layer of 4096 hidden neurons.
    SixLayerHidden,
    /// The convolutions of VGG-11, on 224 × 224 pixels.
    Vgg11,
}

/// Steps of whole networks by rules and by backprop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepCost {
    pub(crate) networks: Vec<StepNetwork>,
    /// Height and width of an image.
    pub(crate) side: usize,
    pub(crate) classes: usize,
    pub(crate) batch: usize,
    /// Images of an epoch.
    pub(crate) epoch: usize,
    /// Times are medians of so many rounds.
    pub(crate) rounds: usize,
    pub(crate) small: SmallCost,
}

/// What a small run cuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmallCost {
    pub(crate) rounds: usize,
    pub(crate) batch: usize,
}

/// Networks for images of 224 × 224 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StepNetwork {
    /// With batch norm.
    Vgg11,
    Resnet50,
}

impl UpdateSpeed {
    /// As a small run has it.
    pub(crate) fn small(&self) -> Self {
        let mut small = Self { rounds: self.rounds.min(self.small_rounds), ..self.clone() };
        small.networks.iter_mut().for_each(|network| network.batch = network.batch.min(network.small_batch));
        small
    }

    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.rounds > 0 && self.small_rounds > 0, "medians of 0 rounds");
        ensure!(self.timed_patches > 0, "0 patches to time");
        let empty = self.networks.iter().find(|network| network.batch == 0 || network.small_batch == 0);
        ensure!(empty.is_none(), "a batch has at least 1 image, got 0");
        Ok(())
    }
}

impl StepCost {
    /// As a small run has it.
    pub(crate) fn small(&self) -> Self {
        let SmallCost { rounds, batch } = self.small;
        Self { rounds: self.rounds.min(rounds), batch: self.batch.min(batch), ..self.clone() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.rounds > 0 && self.small.rounds > 0, "medians of 0 rounds");
        ensure!(self.batch > 0 && self.small.batch > 0, "a batch has at least 1 image, got 0");
        ensure!(self.side >= 32, "images must have sides of at least 32 pixels, got {}", self.side);
        Ok(())
    }
}
