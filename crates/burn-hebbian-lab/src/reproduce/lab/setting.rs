//! What all rows of an experiment share.

use std::path::PathBuf;

use burn::tensor::Device;

use super::Images;
use crate::reproduce::{config::Small, provenance::Clock};

/// Where and on what an experiment runs.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) data: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) device: Device,
    /// What is cut down.
    pub(crate) small: Option<Small>,
    /// The images that were prepared last.
    pub(crate) images: Images,
    /// Whether layers are read while rules train them.
    pub(crate) watched: bool,
    /// Whether features, weights and win counts of rows are written.
    pub(crate) export: bool,
    /// Whether what deeper neurons respond to is drawn.
    pub(crate) pictures: bool,
    /// What goes into `run.json`.
    pub(crate) clock: &'a Clock,
}
