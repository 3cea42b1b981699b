//! The images of an experiment, prepared for its first block.

use std::{cell::RefCell, rc::Rc};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Device;
use burn_hebbian::train::data::{ChannelStatistics, DataSet, Parts, Source, Spectrum};

use super::Setting;
use crate::reproduce::config::{DataConfig, Preparation};

/// The images as they were prepared last.
#[derive(Debug, Default)]
pub(crate) struct Images {
    prepared: RefCell<Option<(DataConfig, Rc<Parts>)>>,
    sizes: RefCell<Option<(Source, usize, Sizes)>>,
}

/// What preparing images does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Channels, height, width.
    pub(crate) dims: [usize; 3],
    pub(crate) classes: usize,
    /// Images for training, validation and test.
    pub(crate) counts: [usize; 3],
}

impl Images {
    /// The images of `data`, read and prepared unless the last ones were these.
    pub(super) fn prepared(&self, setting: &Setting, data: &DataConfig) -> Result<Rc<Parts>> {
        let mut kept = self.prepared.borrow_mut();
        if let Some((known, parts)) = &*kept
            && known == data
        {
            return Ok(parts.clone());
        }
        let mut parts = read(setting, data)?;
        prepare(&mut parts, data.preparation)?;
        let parts = Rc::new(parts);
        *kept = Some((data.clone(), parts.clone()));
        Ok(parts)
    }

    /// The sizes of `data`, before any of them is prepared: whitening takes its time.
    pub(crate) fn sizes(&self, setting: &Setting, data: &DataConfig) -> Result<Sizes> {
        let mut kept = self.sizes.borrow_mut();
        if let Some((source, validation, sizes)) = &*kept
            && (*source, *validation) == (data.source, data.validation)
        {
            return Ok(*sizes);
        }
        let sizes = Sizes::of(&read(setting, data)?);
        *kept = Some((data.source, data.validation, sizes));
        Ok(sizes)
    }
}

impl Sizes {
    fn of(parts: &Parts) -> Self {
        let Parts { training, validation, test, classes } = parts;
        let counts = [training, validation, test].map(|part| part.len());
        Self { dims: training.dims, classes: classes.len(), counts }
    }
}

/// The last training images are kept for validation.
fn read(setting: &Setting, data: &DataConfig) -> Result<Parts> {
    let mut set = data.source.read(&setting.data)?;
    let mut held_out = data.validation;
    if let Some(small) = setting.small {
        held_out = held_out * small.images / set.training.len().max(1);
        set = set.first(small.images);
    }
    let DataSet { mut training, test, classes } = set;
    let Some(kept) = training.len().checked_sub(held_out) else {
        bail!("{held_out} images for validation, of {}", training.len());
    };
    let last: Vec<usize> = (kept..training.len()).collect();
    let validation = training.select(&last);
    training.truncate(kept);
    ensure!(
        !training.is_empty() && !test.is_empty(),
        "too few images: {} for training, {} for the test",
        training.len(),
        test.len()
    );
    Ok(Parts { training, validation, test, classes })
}

fn prepare(parts: &mut Parts, preparation: Preparation) -> Result<()> {
    let Parts { training, validation, test, .. } = parts;
    match preparation {
        Preparation::Unit => {}
        Preparation::Standardised => {
            let statistics = ChannelStatistics::of(training);
            [training, validation, test].into_iter().for_each(|part| statistics.standardise(part));
        }
        Preparation::Zca { smoothing } => {
            let spectrum = Spectrum::fit(training, &Device::flex()).context("whitening")?;
            let zca = spectrum.zca(smoothing);
            [training, validation, test].into_iter().for_each(|part| zca.apply(part));
        }
    }
    Ok(())
}
