//! The images of an experiment, prepared for its first block.

use std::{fs, rc::Rc};

use crate::data::{ChannelStatistics, DataSet, Labeled, Parts, Spectrum, Zca};
use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Device;
use burn_hebbian_spikes::encode::FirstSpikeEncoder;

use super::{Images, Setting, Sizes, mapped};
use crate::reproduce::{
    config::{DataConfig, Preparation},
    net::encoded,
};

impl Images {
    /// The images of `data`, or their mirror images, read and prepared unless the last ones were these.
    pub(super) fn prepared(&self, setting: &Setting, data: &DataConfig, mirrored: bool) -> Result<Rc<Parts>> {
        let mut kept = self.prepared.borrow_mut();
        if let Some((known, of_mirrors, parts)) = &*kept
            && (known, *of_mirrors) == (data, mirrored)
        {
            return Ok(parts.clone());
        }
        *kept = None;
        let mut parts = read(setting, data)?;
        prepare(&mut parts, setting, data)?;
        if mirrored {
            [&mut parts.training, &mut parts.validation, &mut parts.test].into_iter().for_each(mirror);
        }
        let parts = Rc::new(parts);
        *kept = Some((data.clone(), mirrored, parts.clone()));
        Ok(parts)
    }

    /// The sizes of `data`, before any of them is prepared: whitening takes its time.
    pub(crate) fn sizes(&self, setting: &Setting, data: &DataConfig) -> Result<Sizes> {
        let mut kept = self.sizes.borrow_mut();
        if let Some((source, validation, sizes)) = &*kept
            && (*source, *validation) == (data.source, data.validation)
        {
            return Ok(sizes.prepared(data.preparation));
        }
        let sizes = Sizes::of(&read(setting, data)?);
        *kept = Some((data.source, data.validation, sizes));
        Ok(sizes.prepared(data.preparation))
    }
}

impl Sizes {
    fn of(parts: &Parts) -> Self {
        let Parts { training, validation, test, classes } = parts;
        let counts = [training, validation, test].map(|part| part.len());
        Self { dims: training.dims, classes: classes.len(), counts }
    }

    fn prepared(mut self, preparation: Preparation) -> Self {
        self.dims[0] *= preparation.planes();
        self
    }
}

fn mirror(images: &mut Labeled) {
    // clamp: no images have rows of no pixels
    images.values.chunks_exact_mut(images.dims[2].max(1)).for_each(<[f32]>::reverse);
}

/// The last training images are kept for validation.
fn read(setting: &Setting, data: &DataConfig) -> Result<Parts> {
    let mut set = data.source.read(&setting.data)?;
    let mut held_out = data.validation;
    if let Some(small) = setting.small {
        let all = set.training.len();
        held_out = held_out * small.images.min(all) / all.max(1);
        set = set.first(small.images);
    }
    let DataSet { mut training, test, classes } = set;
    let Some(kept) = training.len().checked_sub(held_out) else {
        bail!("{held_out} images for validation, of {}", training.len());
    };
    let last: Vec<usize> = (kept..training.len()).collect();
    let mut validation = training.select(&last);
    training.truncate(kept);
    let mut test = test;
    if data.search {
        test = std::mem::take(&mut validation);
        validation.dims = test.dims;
    }
    ensure!(
        !training.is_empty() && !test.is_empty(),
        "too few images: {} for training, {} for the test",
        training.len(),
        test.len()
    );
    Ok(Parts { training, validation, test, classes })
}

fn prepare(parts: &mut Parts, setting: &Setting, data: &DataConfig) -> Result<()> {
    let Parts { training, validation, test, .. } = parts;
    match data.preparation {
        Preparation::Unit => {}
        Preparation::Standardized => {
            let statistics = ChannelStatistics::of(training);
            [training, validation, test].into_iter().for_each(|part| statistics.standardize(part));
        }
        Preparation::Zca { smoothing } => {
            let zca = whitening(setting, data, training, smoothing)?;
            [training, validation, test].into_iter().for_each(|part| zca.apply(part));
        }
        Preparation::FirstSpikes { steps, threshold, radius } => {
            let encoder = FirstSpikeEncoder::on_off(steps)?.with_threshold(threshold).with_radius(radius);
            let device = &setting.device;
            for part in [training, validation, test] {
                let planes = part.dims[0] * data.preparation.planes();
                *part = mapped(part, device, |images| encoded(&encoder, images));
                part.dims[0] = planes; // of no images too
            }
        }
    }
    Ok(())
}

/// Fitted once for these images, and kept.
fn whitening(setting: &Setting, data: &DataConfig, training: &Labeled, smoothing: f64) -> Result<Zca> {
    let key = serde_json::to_string(&(data, setting.small))?;
    let file =
        setting.out.join("cache").join(format!("zca-{:08x}.safetensors", crc32fast::hash(key.as_bytes())));
    if file.exists() {
        return Zca::load(&file, &Device::flex()).context("remove it to fit it anew");
    }
    let zca = Spectrum::fit(training, &Device::flex()).context("whitening")?.zca(smoothing);
    let partial = file.with_extension("partial");
    fs::create_dir_all(setting.out.join("cache")).context("cannot make the folder of what is kept")?;
    zca.save(&partial)?;
    fs::rename(&partial, &file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(zca)
}
