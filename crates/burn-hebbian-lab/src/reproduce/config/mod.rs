//! Experiments as data.

mod check;
mod check_settling;
mod check_spikes;
mod cost;
mod files;
mod narrow;
mod net;
mod rule;
mod settling;
mod source;
mod spikes;
mod stage;
mod study;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

pub(crate) use cost::{StepCost, StepNetwork, UpdateNetwork, UpdateNetworkName, UpdateSpeed};
pub(crate) use files::EXPERIMENTS;
pub(crate) use net::{BlockConfig, Initial, LayerConfig, NetConfig, Norm, Pool};
pub(crate) use source::DataSource;
pub(crate) use spikes::{HandsOn, Spiking};
pub(crate) use stage::{Backprop, Blocks, Evaluation, Hebbian, Rates, Settling, Stage, Untrained, Weights};
pub(crate) use study::{Finds, Learner, PatchConfig, Study};

/// Something of the literature to reproduce.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    pub(crate) title: String,
    /// Author, title, year, table.
    pub(crate) source: String,
    pub(crate) minutes: Minutes,
    pub(crate) protocol: Protocol,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Protocol {
    /// Rows of stages, judged by classifiers.
    Table(Table),
    /// Rules against the principal components of patches.
    PrincipalComponents(Study),
    /// Rules against the sparse directions of whitened patches.
    IndependentComponents(Study),
    /// What ways to compute the same update cost.
    UpdateSpeed(UpdateSpeed),
    /// What steps of whole networks cost.
    StepCost(StepCost),
}

/// Rows of stages, judged by classifiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) data: DataConfig,
    pub(crate) net: NetChoice,
    /// The row that the others are compared with; without one, the first that nothing trains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) small: Small,
}

/// What to learn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataConfig {
    pub(crate) source: DataSource,
    /// Training images that are kept to choose on, the last ones.
    pub(crate) validation: usize,
    pub(crate) preparation: Preparation,
    /// Judges on the images kept for validation, which nothing is chosen on during a run, instead of the test images: to
    /// search for a configuration without looking at these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) search: bool,
}

/// What is done to images before the first block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Preparation {
    /// Pixels in 0..=1.
    Unit,
    /// Channels of mean 0 and deviation 1.
    Standardized,
    /// Whitened as a whole, after that.
    Zca { smoothing: f64 },
    /// How early on- and off-center filters spike, of each channel: 1 for at once, 0 for never. Responses below the threshold
    /// never do; the others are normalized by what is no farther than the radius.
    FirstSpikes { steps: usize, threshold: f64, radius: usize },
}

/// A network of this program by name, or one of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum NetChoice {
    Named(String),
    Own(NetConfig),
}

/// A line of the table, or one for each of the layers it is judged at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// What learns with labels.
    pub(crate) labels: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preparation: Option<Preparation>,
    /// Instead of the table's network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) net: Option<NetChoice>,
    /// One after the other; without any, the images themselves are judged.
    pub(crate) stages: Vec<Stage>,
    /// Blocks whose outputs are judged; without any, the last stage's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) at: Vec<String>,
    pub(crate) evaluate: Vec<Evaluation>,
    /// Shares of the training images whose labels backprop and classifiers see, the row being run for each; all without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) label_shares: Vec<f64>,
    /// Averages the outputs for each image and its mirror image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) mirror: bool,
    /// Averages the outputs over this many rows and columns of regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) regions: Option<usize>,
    /// Outputs that are judged together with those of the stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) beside: Vec<Branch>,
    /// Published test accuracies in percent, one for each block, of the first evaluation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) published: Vec<Option<f64>>,
    /// The row that it is compared with, if not with the one of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<String>,
}

/// Outputs of a block of some network, beside those of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Branch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) net: Option<NetChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preparation: Option<Preparation>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) regions: Option<usize>,
    /// Multiplies the outputs: classifiers by gradients learn from large ones first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scale: Option<f32>,
}

/// What a small run cuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Small {
    /// Training images, with a fifth as many for the test.
    pub(crate) images: usize,
    /// Epochs of a stage or classifier at most.
    pub(crate) epochs: usize,
}

/// Time on two cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Minutes {
    pub(crate) small: usize,
    pub(crate) full: usize,
}

impl Experiment {
    /// The experiment of that name in this program, or in a JSON file.
    pub(crate) fn read(name: &str) -> Result<Self> {
        let known = EXPERIMENTS.iter().find(|(known, _)| *known == name).map(|(_, json)| (*json).to_string());
        let json = match known {
            Some(json) => json,
            None if name.ends_with(".json") => {
                fs::read_to_string(Path::new(name)).with_context(|| format!("cannot read {name}"))?
            }
            None => {
                let names: Vec<_> = EXPERIMENTS.iter().map(|(known, _)| *known).collect();
                anyhow::bail!("no experiment `{name}`; there are {}, or name a .json file", names.join(", "))
            }
        };
        let experiment: Self = serde_json::from_str(&json).with_context(|| format!("experiment `{name}`"))?;
        experiment.protocol.check().with_context(|| format!("experiment `{name}`"))?;
        Ok(experiment)
    }
}

impl Protocol {
    /// What does not depend on the images.
    fn check(&self) -> Result<()> {
        match self {
            Self::Table(table) => table.check(),
            Self::PrincipalComponents(study) | Self::IndependentComponents(study) => study.check(),
            Self::UpdateSpeed(speed) => speed.check(),
            Self::StepCost(cost) => cost.check(),
        }
    }

    /// What it reads images from, if it does.
    pub(crate) fn source(&self) -> Option<DataSource> {
        match self {
            Self::Table(table) => Some(table.data.source),
            Self::PrincipalComponents(study) | Self::IndependentComponents(study) => {
                Some(DataSource::Files(study.source))
            }
            Self::UpdateSpeed(_) | Self::StepCost(_) => None,
        }
    }
}

impl NetChoice {
    /// The network.
    pub(crate) fn config(&self) -> Result<NetConfig> {
        match self {
            Self::Named(name) => NetConfig::named(name),
            Self::Own(net) => Ok(net.clone()),
        }
    }
}

impl Table {
    /// The network of a row.
    pub(crate) fn net(&self, row: &Row) -> Result<NetConfig> {
        row.net.as_ref().unwrap_or(&self.net).config()
    }
}

impl Branch {
    /// Its network; of a row on the other one, if it has none of its own.
    pub(crate) fn net(&self, of_row: &NetConfig) -> Result<NetConfig> {
        self.net.as_ref().map_or_else(|| Ok(of_row.clone()), NetChoice::config)
    }
}

impl Row {
    /// The name of its line.
    pub(crate) fn name(&self, label_share: Option<f64>) -> String {
        match label_share {
            Some(share) => format!("{}, {} % of the labels", self.name, 100.0 * share),
            None => self.name.clone(),
        }
    }

    /// The shares of labels it is run for.
    pub(crate) fn shares(&self) -> Vec<Option<f64>> {
        match self.label_shares.as_slice() {
            [] => vec![None],
            shares => shares.iter().copied().map(Some).collect(),
        }
    }

    /// What its files are called by.
    pub(crate) fn file_name(&self) -> String {
        file_name(&self.name)
    }

    /// Whether nothing in it is trained.
    pub(crate) fn is_control(&self) -> bool {
        self.stages.iter().all(|stage| matches!(stage, Stage::Untrained(_)))
    }
}

/// The name of a line as that of a file.
pub(crate) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_can_be_read_and_written() {
        for (name, _) in EXPERIMENTS {
            let experiment = Experiment::read(name).unwrap();
            let json = serde_json::to_string(&experiment).unwrap();
            assert_eq!(serde_json::from_str::<Experiment>(&json).unwrap(), experiment, "{name}");
        }
    }
}
