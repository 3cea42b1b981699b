//! What all rows of an experiment share.

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use burn::tensor::Device;

use crate::{
    data::Parts,
    reproduce::{
        config::{DataConfig, DataSource, Small},
        provenance::Clock,
    },
};

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

/// The images as they were prepared last.
#[derive(Debug, Default)]
pub(crate) struct Images {
    pub(super) prepared: RefCell<Option<Kept>>,
    pub(super) sizes: RefCell<Option<(DataSource, usize, Sizes)>>,
}

type Kept = (DataConfig, bool, Rc<Parts>);

/// The sizes of prepared images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Channels, height, width.
    pub(crate) dims: [usize; 3],
    pub(crate) classes: usize,
    /// Images for training, validation and test.
    pub(crate) counts: [usize; 3],
}
