//! Experiments that are no tables of classifiers.
//!
//! - [`pca`]: rules against principal components
//! - [`ica`]: rules against sparse directions
//! - [`speed`]: ways to compute an update
//! - [`scale`]: steps of networks on images of ImageNet's size

mod alignment;
mod ica;
mod lesson;
mod macs;
mod pca;
mod pictures;
mod principal;
mod scale;
mod sparseness;
mod speed;
mod timing;
mod trainer;

use std::{ops::Range, path::Path};

use anyhow::Result;
use burn::tensor::Device;

use crate::reproduce::{
    config::{Protocol, Study},
    results::Score,
};

/// Where, on what and how often an experiment runs.
pub(crate) struct Run<'a> {
    pub(crate) data: &'a Path,
    /// For pictures.
    pub(crate) folder: &'a Path,
    pub(crate) device: Device,
    pub(crate) small: bool,
    pub(crate) seeds: Range<u64>,
    /// The rows that were asked for.
    pub(crate) rows: &'a [String],
}

impl Run<'_> {
    /// What the protocol gives, seed by seed; a table has its own way.
    pub(crate) fn scores(&self, protocol: &Protocol) -> Result<Vec<Score>> {
        let study = |study: &Study| if self.small { study.small() } else { study.clone() };
        match protocol {
            Protocol::Table(_) => anyhow::bail!("a table is no protocol of this kind"),
            Protocol::PrincipalComponents(config) => pca::scores(self, &study(config)),
            Protocol::IndependentComponents(config) => ica::scores(self, &study(config)),
            Protocol::UpdateSpeed(config) if self.small => speed::scores(self, &config.small()),
            Protocol::UpdateSpeed(config) => speed::scores(self, config),
            Protocol::StepCost(config) if self.small => scale::scores(self, &config.small()),
            Protocol::StepCost(config) => scale::scores(self, config),
        }
    }
}
