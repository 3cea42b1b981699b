//! The images of an experiment, prepared for its first block.

use std::{cell::RefCell, rc::Rc};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Device;
use burn_hebbian::train::data::{ChannelStatistics, DataSet, Parts, Spectrum};

use super::Setting;
use crate::config::{DataConfig, Preparation};

/// The images as they were prepared last.
#[derive(Debug, Default)]
pub(crate) struct Images(RefCell<Option<(DataConfig, Rc<Parts>)>>);

impl Images {
    /// The images of `data`, read and prepared unless the last ones were these.
    pub(super) fn prepared(&self, setting: &Setting, data: &DataConfig) -> Result<Rc<Parts>> {
        let mut kept = self.0.borrow_mut();
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
}

/// The last training images are kept for validation.
fn read(setting: &Setting, data: &DataConfig) -> Result<Parts> {
    let mut set = data.source.read(&setting.data)?;
    let mut held_out = data.validation;
    if let Some(small) = setting.small {
        held_out = held_out * small.images / set.training.len();
        set = set.first(small.images);
    }
    let DataSet { mut training, test, classes } = set;
    let Some(kept) = training.len().checked_sub(held_out) else {
        bail!("{held_out} images for validation, of {}", training.len());
    };
    let last: Vec<usize> = (kept..training.len()).collect();
    let validation = training.select(&last);
    training.truncate(kept);
    ensure!(!training.is_empty() && !test.is_empty(), "too few images");
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
